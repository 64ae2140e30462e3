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

static const field_id POOL_KEYS[] = {FIELD_kernel_size, FIELD_stride,    FIELD_dilation,
                                     FIELD_padding,     FIELD_ceil_mode, FIELD_count_include_pad},
                      LAYER_KEYS[] = {FIELD_out_channels, FIELD_kernel_size,  FIELD_stride,       FIELD_dilation,
                                      FIELD_padding,      FIELD_padding_mode, FIELD_groups,       FIELD_bias,
                                      FIELD_post_ops,     FIELD_dtype,        FIELD_quantization, FIELD_flip_kernel};

typedef struct id_list {
    const field_id *id;
    size_t count;
} id_list;

bool chain_has_key(layer_kind kind, field_id id) {
    const id_list pool = {POOL_KEYS, sizeof POOL_KEYS / sizeof *POOL_KEYS},
                  layer = {LAYER_KEYS, sizeof LAYER_KEYS / sizeof *LAYER_KEYS};
    const id_list list = kind == LAYER_CONVOLUTION ? layer : pool;
    bool has = false;
    for (size_t i = 0; i < list.count; i++) has |= list.id[i] == id;
    return has && field_is_of(&spec_fields[id], kind);
}

const word_list field_keys = {"key", FIELDS, keys};
