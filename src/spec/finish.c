/* Finish: spec_finish, the door for specs that C code fills in. Holds every field to what a file could have said, then
 * applies the same rules. */
#include "spec/reader.h"
#include "spec/rules.h"
#include "spec/limits.h"
#include "spec/scalar.h"
#include "spec/yaml.h"

#include <math.h>
#include <string.h>

static void out_of_range(const findings *f, const char *key, int64_t value, int64_t least, int64_t most) {
    diag_code code = value < least ? E_INTEGER : E_NUMBER_LIMIT;
    report_error(f->report, code, *f->at, NULL, "%s.%s: expected an integer %lld..%lld, got %lld", f->owner, key,
                 (long long)least, (long long)most, (long long)value);
}

static void check_range(const findings *f, const field_row *field, const int64_t *values, size_t n, int64_t least) {
    for (size_t i = 0; i < n; i++)
        if (values[i] < least || values[i] > field->most) out_of_range(f, field->key, values[i], least, field->most);
}

static void check_numbers(const cvk_spec *s, const findings *f) {
    const field_row *input = &spec_fields[FIELD_input], *padding = &spec_fields[FIELD_padding];
    check_range(f, input, &s->batch, 1, 0);
    check_range(f, input, &s->in_channels, 1, input->least);
    check_range(f, input, s->in_size, AXES, input->least);
    check_range(f, padding, s->pad_before, AXES, padding->least);
    check_range(f, padding, s->pad_after, AXES, padding->least);
    check_range(f, &spec_fields[FIELD_pitch], s->pitch, PITCHES, 0);
    check_range(f, &spec_fields[FIELD_output_padding], s->output_padding, AXES, 0);
    for (const field_row *field = spec_fields; field < spec_fields + FIELDS; field++) {
        const void *member = (const char *)s + field->member;
        if (field->form == FORM_integer || field->form == FORM_groups) check_range(f, field, member, 1, field->least);
        if (!field_is_of(field, s->kind)) continue;
        if (field->form == FORM_axes || field->form == FORM_kernel) check_range(f, field, member, AXES, field->least);
    }
}

static bool is_neutral(const cvk_spec *s, int axis) {
    return s->in_size[axis] == 1 && s->kernel[axis] == 1 && s->stride[axis] == 1 && s->dilation[axis] == 1 &&
           s->pad_before[axis] == 0 && s->pad_after[axis] == 0 && s->output_padding[axis] == 0;
}

static bool has_neutral_axes(const cvk_spec *s) {
    for (int axis = 0; axis < AXES - s->rank; axis++)
        if (!is_neutral(s, axis)) return false;
    return true;
}

/* A layer of gradients of the data is another one; one of gradients of weights has images and no post-ops. */
/* A layer of gradients of the data is the transpose, and says no more of it. */
static bool is_sound_gradient(const cvk_spec *s) {
    bool sound = s->post_count == 0;
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS) return sound;
    for (int axis = 0; axis < AXES; axis++) sound &= s->output_padding[axis] < s->stride[axis];
    return sound && !s->bias && s->padding != PAD_CONSTANT;
}

static bool is_sound_direction(const cvk_spec *s) {
    if (s->direction == DIRECTION_FORWARD) return true;
    return s->direction == DIRECTION_BACKWARD_WEIGHTS && s->batch > 0 && spec_sums_any(s) && s->post_count == 0;
}

static bool has_output_padding(const cvk_spec *s) {
    return s->output_padding[AXIS_D] || s->output_padding[AXIS_H] || s->output_padding[AXIS_W];
}

static bool is_forward_alone(const cvk_spec *s) {
    return !s->flip_kernel && !s->transposed && s->direction == DIRECTION_FORWARD && s->padding == PAD_ZEROS &&
           !s->ignore_nan;
}

/* Every channel by itself, forward, without what belongs to weights. */
static bool is_sound_weightless(const cvk_spec *s) {
    const bool grouped = field_is_of(&spec_fields[FIELD_groups], s->kind);
    return (grouped || s->groups == spec_groups_of_kind(s)) && s->out_channels == s->in_channels && !s->bias &&
           is_forward_alone(s);
}

static bool is_sound_dense(const cvk_spec *s) { return s->groups == 1 && is_forward_alone(s); }

/* One window that is all of the input, or one of each position alone. */
static bool has_no_windows(const cvk_spec *s) {
    bool none = true;
    for (int a = 0; a < AXES; a++)
        none &= s->kernel[a] == (s->kind == LAYER_DENSE ? s->in_size[a] : 1) && s->stride[a] == 1 &&
                s->dilation[a] == 1 && s->pad_before[a] == 0 && s->pad_after[a] == 0;
    return none;
}

static bool is_kind(const cvk_spec *s) { return (unsigned)s->kind < LAYER_KINDS; }

static bool is_positive(double number) { return number > 0 && isfinite((float)number); }

static bool has_sound_switches(const cvk_spec *s) {
    return (!s->ceil_mode || (is_kind(s) && spec_is_pool(s))) &&
           (!s->count_include_pad || s->kind == LAYER_AVERAGE_POOL) && (!s->indices || s->kind == LAYER_MAX_POOL);
}

static bool has_sound_post_ops(const cvk_spec *s) {
    if (s->post_count < 0 || s->post_count > LIMIT_POST_OPS) return false;
    for (const post_op *op = s->post; op < s->post + s->post_count; op++)
        if ((unsigned)op->kind >= POST_KINDS || !isfinite((float)op->a) || !isfinite((float)op->b) ||
            (op->kind == POST_CLAMP && op->a > op->b) || (op->kind == POST_BLEND && (op->a < 0 || op->a > 1)))
            return false;
    return true;
}

/* Whether a file could hold these characters. */
static bool is_text(const char *string) {
    size_t length = strlen(string), step;
    for (size_t i = 0; i < length; i += step)
        if (yaml_forbidden_character(yaml_decode((const unsigned char *)string + i, length - i, &step)) || !step)
            return false;
    return true;
}

static void check_rest(const cvk_spec *s, const findings *f) {
    const struct {
        const char *member;
        bool sound;
    } checks[] = {
        {"rank", s->rank >= 1 && s->rank <= AXES},
        {"rank: an axis beyond it that is not neutral", s->rank < 1 || s->rank > AXES || has_neutral_axes(s)},
        {"padding", (unsigned)s->padding < PADDING_MODES},
        {"input_layout", (size_t)s->input_layout < layout_words.count},
        {"output_layout", (size_t)s->output_layout < layout_words.count},
        {"batch_any: a batch that is not 1", !s->batch_any || s->batch == 1},
        {"input_type", (size_t)s->input_type < dtype_words.count},
        {"weights_type", (size_t)s->weights_type < dtype_words.count},
        {"output_type", (size_t)s->output_type < dtype_words.count},
        {"rounding", (unsigned)s->rounding < ROUNDINGS},
        {"output_zero_point of a pool", !spec_is_pool(s) || s->output_zero == s->input_zero},
        {"accuracy", (size_t)s->accuracy < accuracy_words.count},
        {"direction", is_sound_direction(s)},
        {"accumulate: not a layer of gradients'", !s->accumulate || is_sound_gradient(s)},
        {"output_padding: not a transposed layer's", s->transposed || !has_output_padding(s)},
        {"post", has_sound_post_ops(s)},
        {"kind", is_kind(s)},
        {"a kind without weights", !is_kind(s) || spec_weighs(s) || is_sound_weightless(s)},
        {"interpolation", (size_t)s->interpolation < interpolation_words.count},
        {"coordinates", (size_t)s->coordinates < coordinate_words.count},
        {"rounding", (size_t)s->rounding < rounding_words.count},
        {"epsilon", !is_kind(s) || !field_is_of(&spec_fields[FIELD_epsilon], s->kind) || is_positive(s->epsilon)},
        {"a dense layer", s->kind != LAYER_DENSE || is_sound_dense(s)},
        {"a kind without windows", !is_kind(s) || layer_kind_rows[s->kind].windows || has_no_windows(s)},
        {"ceil_mode, count_include_pad or indices: not of such a layer", has_sound_switches(s)},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (!checks[i].sound)
            report_error(f->report, E_FIELD, *f->at, NULL, "%s: not a value for %s", f->owner, checks[i].member);
}

/* A caller's string, fit to be shown. */
static description describe_string(const char *string) {
    if (!is_text(string)) return (description){.text = "what is not text in UTF-8"};
    return describe(&(node){.kind = NODE_SCALAR, .text = string, .quoted = true});
}

static void check_name(const cvk_spec *s, const findings *f) {
    static const char hint[] = "letters, digits and underscores, not beginning with a digit";
    if (!s->name)
        report_error(f->report, E_NAME, *f->at, hint, "%s.name: expected a name, got nothing", f->owner);
    else if (strlen(s->name) > LIMIT_SCALAR_BYTES)
        report_error(f->report, E_FILE_LIMIT, *f->at, NULL, "%s.name: over the limit of %d bytes", f->owner,
                     LIMIT_SCALAR_BYTES);
    else if (!is_name(s->name))
        report_error(f->report, E_NAME, *f->at, hint, "%s.name: expected a name, got %s", f->owner,
                     describe_string(s->name).text);
}

static void check_algorithm(const cvk_spec *s, const findings *f) {
    if (word_find(&algorithm_words, s->algorithm) >= 0) return;
    report_error(f->report, E_WORD, *f->at,
                 is_text(s->algorithm) ? word_hint(&algorithm_words, s->algorithm).text : NULL,
                 "%s.algorithm: expected %s, got %s", f->owner, word_choices(&algorithm_words).text,
                 describe_string(s->algorithm).text);
}

/* What messages call the layer. */
static const char *owner_of(const cvk_spec *s) {
    bool nameable = s->name && strlen(s->name) <= LIMIT_SCALAR_BYTES && is_name(s->name);
    return nameable ? s->name : "layer";
}

cvk_status spec_take_constants(cvk_spec *s, arena *a, const void *dense, uint64_t bytes, cvk_diagnostics *d) {
    report r = {.list = d};
    place at[FIELDS];
    for (int i = 0; i < FIELDS; i++) at[i] = s->at;
    constants_take(s, a, dense, bytes, &(findings){.report = &r, .owner = owner_of(s), .at = at});
    return report_status(&r);
}

/* Of a chain whose batch may be another now: its layers with theirs. */
static cvk_status finish_links(const cvk_spec *s, cvk_diagnostics *d) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < s->links && !status; i++) {
        cvk_spec link = spec_link(s, i);
        status = spec_finish(&link, d);
    }
    return status;
}

cvk_status spec_finish(cvk_spec *s, cvk_diagnostics *d) {
    if (spec_is_chain(s)) return finish_links(s, d);
    report r = {.list = d};
    place at[FIELDS];
    for (int i = 0; i < FIELDS; i++) at[i] = s->at;
    findings f = {.report = &r, .owner = owner_of(s), .at = at};
    if (!s->algorithm) s->algorithm = spec_fields[FIELD_algorithm].fallback;
    check_name(s, &f);
    check_algorithm(s, &f);
    check_rest(s, &f);
    check_numbers(s, &f);
    if (report_clean(&r)) spec_apply_rules(s, &f);
    return report_status(&r);
}
