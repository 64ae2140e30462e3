/* Print: a spec as one line of YAML. Each form of field prints its value; a value that prints as the table's fallback
 * is left out, so what is read back is the same spec whatever the order of the table. */
#include "spec/fields.h"
#include "spec/rules.h"

#include <string.h>

static const int parameters[POST_KINDS] = {
#define POST_OP(name, word, parameters, formula) parameters,
#include "base/post_ops.def"
#undef POST_OP
};

static const int64_t *numbers(const cvk_spec *s, const field_row *f) {
    return (const int64_t *)(const void *)((const char *)s + f->member);
}

static void print_name(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", s->name);
}

static void print_kind(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", kind_words.word[s->kind]);
}

static void print_shape(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    if (s->batch_any)
        text_add(out, "[%s, %lld", batch_words.word[0], (long long)s->in_channels);
    else
        text_add(out, "[%lld, %lld", (long long)s->batch, (long long)s->in_channels);
    for (int axis = AXES - s->rank; axis < AXES; axis++) text_add(out, ", %lld", (long long)s->in_size[axis]);
    text_add(out, "]");
}

static void print_integer(const cvk_spec *s, const field_row *f, text *out) {
    text_add(out, "%lld", (long long)*numbers(s, f));
}

static bool all_equal(const cvk_spec *s, const int64_t values[AXES]) {
    for (int axis = AXES - s->rank; axis < AXES; axis++)
        if (values[axis] != values[AXIS_W]) return false;
    return true;
}

/* A scalar where the axes agree. */
static void print_per_axis(const cvk_spec *s, const int64_t values[AXES], text *out) {
    if (all_equal(s, values)) {
        text_add(out, "%lld", (long long)values[AXIS_W]);
        return;
    }
    for (int axis = AXES - s->rank; axis < AXES; axis++)
        text_add(out, "%s%lld", axis == AXES - s->rank ? "[" : ", ", (long long)values[axis]);
    text_add(out, "]");
}

static void print_axes(const cvk_spec *s, const field_row *f, text *out) { print_per_axis(s, numbers(s, f), out); }

static void print_padding(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    if (memcmp(s->pad_before, s->pad_after, sizeof s->pad_before) == 0) {
        print_per_axis(s, s->pad_before, out);
        return;
    }
    for (int axis = AXES - s->rank; axis < AXES; axis++)
        text_add(out, "%s[%lld, %lld]", axis == AXES - s->rank ? "[" : ", ", (long long)s->pad_before[axis],
                 (long long)s->pad_after[axis]);
    text_add(out, "]");
}

/* Nothing where there is none. */
static void print_output_padding(const cvk_spec *s, const field_row *f, text *out) {
    static const int64_t none[AXES];
    if (memcmp(s->output_padding, none, sizeof none) != 0) print_per_axis(s, numbers(s, f), out);
}

static void print_padding_mode(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", padding_mode_words.word[s->padding]);
}

static void print_groups(const cvk_spec *s, const field_row *f, text *out) {
    if (s->groups == s->in_channels && s->groups > 1)
        text_add(out, "depthwise");
    else
        print_integer(s, f, out);
}

static void print_boolean(const cvk_spec *s, const field_row *f, text *out) {
    const bool *value = (const bool *)((const char *)s + f->member);
    text_add(out, "%s", boolean_words.word[*value]);
}

static void print_number(const cvk_spec *s, double value, text *out) {
    if (spec_sum_type(s) == TYPE_F64)
        text_add_double(out, value);
    else
        text_add_float(out, (float)value);
}

static void print_post_op(const cvk_spec *s, const post_op *op, text *out) {
    const char *word = post_words.word[op->kind];
    int n = parameters[op->kind];
    if (op->kind == POST_SCALE) {
        text_add(out, "{%s: %s}", word, scale_words.word[0]);
    } else if (n == 0) {
        text_add(out, "%s", word);
    } else {
        text_add(out, n == 1 ? "{%s: " : "{%s: [", word);
        print_number(s, op->a, out);
        if (n == 2) text_add(out, ", ");
        if (n == 2) print_number(s, op->b, out);
        text_add(out, n == 1 ? "}" : "]}");
    }
}

static void print_post_ops(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "[");
    for (int i = 0; i < s->post_count; i++) {
        if (i) text_add(out, ", ");
        print_post_op(s, &s->post[i], out);
    }
    text_add(out, "]");
}

static void print_layout(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    const char *input = spec_layout_name(s->input_layout), *output = spec_layout_name(s->output_layout);
    if (s->input_layout == s->output_layout)
        text_add(out, "%s", input);
    else
        text_add(out, "{input: %s, output: %s}", input, output);
}

static void print_dtype(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    const char *input = type_name(s->input_type), *weights = type_name(s->weights_type);
    const char *output = type_name(s->output_type);
    if (s->input_type == s->weights_type && s->input_type == s->output_type)
        text_add(out, "%s", input);
    else
        text_add(out, "{input: %s, weights: %s, output: %s}", input, weights, output);
}

static void print_subkey(text *out, const char *key, const char *value) {
    text_add(out, "%s%s: %s", out->length ? ", " : "{", key, value);
}

static void print_zero(text *out, const char *key, int zero) {
    text digits = text_new(out->arena);
    text_add(&digits, "%d", zero);
    if (zero) print_subkey(out, key, digits.bytes);
}

/* What is not as it is without a word; nothing where all is. */
static void print_quantization(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    print_zero(out, "input_zero_point", s->input_zero);
    print_zero(out, "weights_zero_point", s->weights_zero);
    if (!spec_is_pool(s)) print_zero(out, "output_zero_point", s->output_zero);
    print_zero(out, "addend_zero_point", s->addend_zero);
    if (s->rounding) print_subkey(out, "rounding", rounding_words.word[s->rounding]);
    if (s->one_multiplier) print_subkey(out, "multipliers", multiplier_words.word[1]);
    if (out->length) text_add(out, "}");
}

static void print_direction(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", direction_words.word[s->direction]);
}

static void print_accuracy(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", accuracy_words.word[s->accuracy]);
}

static void print_algorithm(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", s->algorithm);
}

static void print_schedule(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    if (s->schedule) layer_plan_print(s->schedule, out);
}

typedef void printer(const cvk_spec *s, const field_row *f, text *out);

/* Forms that no checked spec has yet print nothing. */
static printer *const printers[FORMS] = {
    [FORM_name] = print_name,
    [FORM_shape] = print_shape,
    [FORM_integer] = print_integer,
    [FORM_axes] = print_axes,
    [FORM_padding] = print_padding,
    [FORM_padding_mode] = print_padding_mode,
    [FORM_groups] = print_groups,
    [FORM_boolean] = print_boolean,
    [FORM_post_ops] = print_post_ops,
    [FORM_layout] = print_layout,
    [FORM_dtype] = print_dtype,
    [FORM_accuracy] = print_accuracy,
    [FORM_algorithm] = print_algorithm,
    [FORM_schedule] = print_schedule,
    [FORM_output_padding] = print_output_padding,
    [FORM_direction] = print_direction,
    [FORM_kind] = print_kind,
    [FORM_kernel] = print_axes,
    [FORM_quantization] = print_quantization,
};

/* What adds is printed as the gradient that it is, for only those may: the transpose of the transpose. */
static cvk_spec as_written(const cvk_spec *s) {
    cvk_spec written = *s;
    if (!s->accumulate || s->direction != DIRECTION_FORWARD) return written;
    spec_turn_backward(&written, DIRECTION_BACKWARD_DATA);
    written.direction = DIRECTION_BACKWARD_DATA;
    return written;
}

void spec_print(const cvk_spec *layer, text *out) {
    const cvk_spec written = as_written(layer), *s = &written;
    text_add(out, "{");
    for (const field_row *f = spec_fields; f < spec_fields + FIELDS; f++) {
        if (!printers[f->form] || !field_is_of(f, s->kind)) continue;
        text value = text_new(out->arena);
        printers[f->form](s, f, &value);
        if (f->fallback && strcmp(value.bytes, f->fallback) == 0) continue;
        text_add(out, "%s%s: %s", f == spec_fields ? "" : ", ", f->key, value.bytes);
    }
    text_add(out, "}");
}
