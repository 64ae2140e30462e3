/* Fields: spec/fields.def as data. */
#include "spec/fields.h"
#include "spec/limits.h"

#include <stddef.h>

#define NONE 0
#define MEMBER(m) offsetof(cvk_spec, m)

const field_row spec_fields[FIELDS] = {
#define FIELD(key, form, member, least, most, fallback, of, help)                                                      \
    {#key, FORM_##form, member, least, most, fallback, OF_##of, help},
#include "spec/fields.def"
#undef FIELD
};

static const char *const keys[FIELDS] = {
#define FIELD(key, form, member, least, most, fallback, of, help) #key,
#include "spec/fields.def"
#undef FIELD
};

bool field_is_of(const field_row *field, layer_kind kind) { return field->of >> kind & 1; }

const word_list field_keys = {"key", FIELDS, keys};
