/* Print: a spec as one line of YAML. Each form of field prints its value; a value that prints as the table's fallback
 * is left out, so what is read back is the same spec whatever the order of the table. */
#include "spec/constants.h"
#include "spec/fields.h"
#include "spec/rules.h"

#include <string.h>

/* A layer of a chain, without what it has from those before it; `first`: of a convolution, the chain's first layer. */
static void print_link(const cvk_spec *s, const cvk_spec *first, text *out);

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
    if (s->padding != PAD_CONSTANT) {
        text_add(out, "%s", padding_mode_words.word[s->padding]);
        return;
    }
    text_add(out, "{constant: ");
    if (s->input_type == TYPE_F64)
        text_add_double(out, s->padding_constant);
    else
        text_add_float(out, (float)s->padding_constant);
    text_add(out, "}");
}

static void print_nan(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", nan_words.word[s->ignore_nan]);
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

static void print_positive(const cvk_spec *s, const field_row *f, text *out) {
    print_number(s, *(const double *)(const void *)((const char *)s + f->member), out);
}

static void print_interpolation(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", interpolation_words.word[s->interpolation]);
}

static void print_coordinates(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", coordinate_words.word[s->coordinates]);
}

static void print_nearest(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    text_add(out, "%s", nearest_words.word[s->nearest]);
}

/* `tensor` names what it takes; NULL: nothing, or what a run brings. */
static void print_post_op(const cvk_spec *s, const post_op *op, const char *tensor, text *out) {
    const char *word = post_rows[op->kind].word;
    int n = post_rows[op->kind].parameters;
    if (tensor && n == 1) {
        text_add(out, "{%s: [", word);
        print_number(s, op->a, out);
        text_add(out, ", %s]}", tensor);
    } else if (tensor) {
        text_add(out, "{%s: %s}", word, tensor);
    } else if (post_rows[op->kind].operand == OPERAND_CHANNEL) {
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

/* Of a layer, and of the pools that follow it in a chain; `operand` names what they take, in their order, or is NULL.
 */
static void print_post_list(const cvk_spec *s, const char *const *operand, text *out) {
    const char *joint = "";
    text_add(out, "[");
    for (int k = 0; k == 0 || (k < s->links && spec_is_pool(&s->link[k])); k++) {
        const cvk_spec *link = k ? &s->link[k] : s;
        if (k) {
            text_add(out, "%s{%s: ", joint, kind_words.word[link->kind]);
            print_link(link, NULL, out);
            text_add(out, "}");
            joint = ", ";
        }
        for (int i = 0; i < link->post_count; i++, joint = ", ") {
            const bool named = operand && post_takes_tensor(link->post[i].kind);
            text_add(out, "%s", joint);
            print_post_op(link, &link->post[i], named ? *operand++ : NULL, out);
        }
    }
    text_add(out, "]");
}

static void print_post_ops(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    print_post_list(s, NULL, out);
}

/* A layer of a chain that begins there: those of its chain that come after it are its own. */
static cvk_spec link_of(const cvk_spec *s, int index) {
    cvk_spec link = s->link[index];
    link.links = s->links - index, link.link = s->link + index;
    return link;
}

static void print_then(const cvk_spec *s, const field_row *f, text *out) {
    const char *joint = "[";
    (void)f;
    for (int k = 1; k < s->links; k++) {
        const cvk_spec link = link_of(s, k);
        if (spec_is_pool(&link)) continue;
        text_add(out, "%s", joint);
        print_link(&link, s, out);
        joint = ", ";
    }
    if (*joint == ',') text_add(out, "]");
}

static void print_layout(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    const char *input = spec_layout_name(s->input_layout), *output = spec_layout_name(s->output_layout);
    if (s->input_layout == s->output_layout)
        text_add(out, "%s", input);
    else
        text_add(out, "{input: %s, output: %s}", input, output);
}

/* Nothing where there are no other channels. */
static void print_pitch(const cvk_spec *s, const field_row *f, text *out) {
    const char *joint = "{";
    (void)f;
    for (int i = 0; i < PITCHES; i++) {
        if (!s->pitch[i]) continue;
        text_add(out, "%s%s: %lld", joint, pitch_words.word[i], (long long)s->pitch[i]);
        joint = ", ";
    }
    if (*joint == ',') text_add(out, "}");
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

/* So many of the next level's lists, down to numbers. */
static void print_values(const cvk_spec *s, const int64_t *size, int levels, int64_t *next, text *out) {
    if (levels == 0) {
        const int bytes = type_bytes(s->weights_type);
        print_number(s, type_read(s->weights_type, (const char *)s->known + bytes * (*next)++), out);
        return;
    }
    text_add(out, "[");
    for (int64_t i = 0; i < *size; i++) {
        if (i) text_add(out, ", ");
        print_values(s, size + 1, levels - 1, next, out);
    }
    text_add(out, "]");
}

static bool same_for_all(const cvk_spec *s) {
    const size_t each = (size_t)(spec_taps(s) * type_bytes(s->weights_type));
    const char *known = s->known;
    if (!constants_repeat(s)) return false;
    for (int64_t c = 1; c < s->out_channels; c++)
        if (memcmp(known, known + (size_t)c * each, each) != 0) return false;
    return true;
}

static void print_weights(const cvk_spec *s, const field_row *f, text *out) {
    (void)f;
    if (!s->known) return;
    int64_t size[2 + AXES] = {s->transposed ? s->in_channels : s->out_channels,
                              s->transposed ? spec_group_out(s) : spec_group_in(s)},
                     next = 0;
    for (int i = 0; i < s->rank; i++) size[2 + i] = s->kernel[AXES - s->rank + i];
    const int outer = same_for_all(s) ? 2 : 0;
    text_add(out, "{values: ");
    print_values(s, size + outer, 2 + s->rank - outer, &next, out);
    text_add(out, "}");
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

/* `of` was followed when the layer was read: it prints nothing. */
static printer *const printers[FORMS] = {
    [FORM_name] = print_name,
    [FORM_shape] = print_shape,
    [FORM_integer] = print_integer,
    [FORM_axes] = print_axes,
    [FORM_padding] = print_padding,
    [FORM_padding_mode] = print_padding_mode,
    [FORM_groups] = print_groups,
    [FORM_positive] = print_positive,
    [FORM_interpolation] = print_interpolation,
    [FORM_coordinates] = print_coordinates,
    [FORM_nearest] = print_nearest,
    [FORM_boolean] = print_boolean,
    [FORM_post_ops] = print_post_ops,
    [FORM_then] = print_then,
    [FORM_layout] = print_layout,
    [FORM_pitch] = print_pitch,
    [FORM_dtype] = print_dtype,
    [FORM_weights] = print_weights,
    [FORM_nan] = print_nan,
    [FORM_accuracy] = print_accuracy,
    [FORM_algorithm] = print_algorithm,
    [FORM_schedule] = print_schedule,
    [FORM_output_padding] = print_output_padding,
    [FORM_direction] = print_direction,
    [FORM_kind] = print_kind,
    [FORM_kernel] = print_axes,
    [FORM_quantization] = print_quantization,
};

/* `said`: whether something was, before. False: it is what an absent key means. */
static bool print_field(const cvk_spec *s, const field_row *f, const char *absent, bool said, text *out) {
    text value = text_new(out->arena);
    printers[f->form](s, f, &value);
    if (absent && strcmp(value.bytes, absent) == 0) return false;
    text_add(out, "%s%s: %s", said ? ", " : "", f->key, value.bytes);
    return true;
}

/* Whether its types are not those that it would have without a word. */
static bool has_own_types(const cvk_spec *s, const cvk_spec *first) {
    return first && (s->weights_type != first->weights_type || s->output_type != first->output_type);
}

static void print_link(const cvk_spec *s, const cvk_spec *first, text *out) {
    bool said = false;
    text_add(out, "{");
    for (int id = 0; id < FIELDS; id++) {
        const field_row *f = &spec_fields[id];
        const bool passed = id == FIELD_dtype && !has_own_types(s, first);
        if (!printers[f->form] || passed || !chain_has_key(s->kind, (field_id)id)) continue;
        said |= print_field(s, f, id == FIELD_dtype ? NULL : f->fallback, said, out);
    }
    text_add(out, "}");
}

/* What adds is printed as the gradient that it is, for only those may: the transpose of the transpose. A chain is
 * printed as its first layer and those that follow. */
static cvk_spec as_written(const cvk_spec *s) {
    cvk_spec written = *s;
    if (spec_is_chain(s)) {
        written = spec_link(s, 0);
        written.output_layout = s->output_layout;
        written.algorithm = s->algorithm, written.schedule = s->schedule;
        written.links = s->links, written.link = s->link;
    }
    if (!s->accumulate || s->direction != DIRECTION_FORWARD) return written;
    spec_turn_backward(&written, DIRECTION_BACKWARD_DATA);
    written.direction = DIRECTION_BACKWARD_DATA;
    return written;
}

/* `input`: the name of the tensor that it reads, and then `operand` names what its post-ops take; NULL: shapes, and
 * nothing. */
static void print_fields(const cvk_spec *s, const char *input, const char *const *operand, text *out) {
    text_add(out, "{");
    for (const field_row *f = spec_fields; f < spec_fields + FIELDS; f++) {
        if (!printers[f->form] || !field_is_of(f, s->kind)) continue;
        if (input && f == &spec_fields[FIELD_input]) {
            text_add(out, ", %s: %s", f->key, input);
        } else if (input && f == &spec_fields[FIELD_post_ops] && s->post_count) {
            text_add(out, ", %s: ", f->key);
            print_post_list(s, operand, out);
        } else {
            print_field(s, f, f->fallback, f > spec_fields, out);
        }
    }
    text_add(out, "}");
}

void spec_print(const cvk_spec *layer, text *out) {
    const cvk_spec s = as_written(layer);
    print_fields(&s, NULL, NULL, out);
}

void spec_print_in_network(const cvk_spec *s, const char *input, const char *const *operand, text *out) {
    print_fields(s, input, operand, out);
}
