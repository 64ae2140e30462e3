/* Fields: the keys of a layer as one table, which drives reading, defaults, range checks, printing and hints. */
#ifndef CVK_SPEC_FIELDS_H
#define CVK_SPEC_FIELDS_H

#include "spec/words.h"
#include "spec/spec.h"

typedef enum field_id {
#define FIELD(key, form, member, least, most, fallback, of, help) FIELD_##key,
#include "spec/fields.def"
#undef FIELD
    FIELDS
} field_id;

typedef enum field_form {
    FORM_name,
    FORM_of,
    FORM_kind,
    FORM_shape,
    FORM_integer,
    FORM_axes,
    FORM_kernel,
    FORM_padding,
    FORM_padding_mode,
    FORM_groups,
    FORM_positive,
    FORM_interpolation,
    FORM_coordinates,
    FORM_nearest,
    FORM_boolean,
    FORM_post_ops,
    FORM_then,
    FORM_layout,
    FORM_pitch,
    FORM_dtype,
    FORM_quantization,
    FORM_output_padding,
    FORM_direction,
    FORM_nan,
    FORM_weights,
    FORM_accuracy,
    FORM_algorithm,
    FORM_schedule,
    FORMS
} field_form;

/* Kinds of layers, a bit each. */
enum {
#define LAYER_KIND(NAME, word, weighs, windows) OF_##NAME = 1 << LAYER_##NAME,
#include "base/layer_kinds.def"
#undef LAYER_KIND
    OF_POOLS = OF_MAX_POOL | OF_AVERAGE_POOL,
    OF_WINDOWS = OF_CONVOLUTION | OF_POOLS,
    OF_NORMS = OF_GROUP_NORM | OF_LAYER_NORM,
    OF_GROUPED = OF_CONVOLUTION | OF_NORMS | OF_SOFTMAX,
    OF_WEIGHED = OF_CONVOLUTION | OF_DENSE,
    OF_ALL = (1 << LAYER_KINDS) - 1
};

typedef struct field_row {
    const char *key;
    field_form form;
    size_t member; /* offset in cvk_spec */
    int64_t least, most;
    const char *fallback;
    int of; /* kinds that have it */
    const char *help;
} field_row;

extern const field_row spec_fields[FIELDS];
extern const word_list field_keys;

bool field_is_of(const field_row *field, layer_kind kind);
/* Whether a layer of a chain after its first may say the key: a pool among post-ops, or a convolution in `then`. */
bool chain_has_key(layer_kind kind, field_id id);

#endif
