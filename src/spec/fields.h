/* Fields: the keys of a layer as one table, which drives reading, defaults, range checks, printing and hints. */
#ifndef CVK_SPEC_FIELDS_H
#define CVK_SPEC_FIELDS_H

#include "spec/words.h"
#include "spec/spec.h"

typedef enum field_id {
#define FIELD(key, form, member, least, most, fallback, help) FIELD_##key,
#include "spec/fields.def"
#undef FIELD
    FIELDS
} field_id;

typedef enum field_form {
    FORM_name,
    FORM_of,
    FORM_shape,
    FORM_integer,
    FORM_axes,
    FORM_padding,
    FORM_padding_mode,
    FORM_groups,
    FORM_boolean,
    FORM_post_ops,
    FORM_layout,
    FORM_dtype,
    FORM_quantization,
    FORM_output_padding,
    FORM_direction,
    FORM_weights,
    FORM_accuracy,
    FORM_algorithm,
    FORM_schedule,
    FORMS
} field_form;

typedef struct field_row {
    const char *key;
    field_form form;
    size_t member; /* offset in cvk_spec */
    int64_t least, most;
    const char *fallback, *help;
} field_row;

extern const field_row spec_fields[FIELDS];
extern const word_list field_keys;

#endif
