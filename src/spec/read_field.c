/* Values: how each form of field is read. Needs a node; fills in the draft or refuses what does not fit, naming what
 * was expected, what was found and, where it can be told, what was meant. */
#include "spec/reader.h"
#include "spec/edges.h"
#include "spec/limits.h"
#include "spec/scalar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_MESSAGE = 400, MOST_SUBKEYS = 6 };

static void say(reader *r, diag_code code, const node *at, const char *hint, const char *format, va_list args) {
    char message[LONGEST_MESSAGE];
    int used = snprintf(message, sizeof message, "%s.%s: ", r->owner, r->field->key);
    vsnprintf(message + used, sizeof message - (size_t)used, format, args);
    if (r->inherited)
        report_error_once(r->report, code, at->at, hint, message);
    else
        report_error(r->report, code, at->at, hint, "%s", message);
}

void refuse(reader *r, diag_code code, const node *at, const char *hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(r, code, at, hint, format, args);
    va_end(args);
    r->complete = false;
}

static void *member(reader *r) { return (char *)&r->draft.spec + r->field->member; }

static bool read_number(reader *r, const node *n, int64_t least, int64_t most, int64_t *value) {
    long long from = least, to = most;
    if (n->kind != NODE_SCALAR)
        refuse(r, E_KIND, n, NULL, "expected an integer %lld..%lld, got %s", from, to, describe(n).text);
    else if (!scalar_integer(n, value) || *value < least)
        refuse(r, E_INTEGER, n, integer_hint(n, least, most).text, "expected an integer %lld..%lld, got %s", from, to,
               describe(n).text);
    else if (*value > most)
        refuse(r, E_NUMBER_LIMIT, n, NULL, "%s is over the limit of %lld", show_text(n->text).text, to);
    else
        return true;
    return false;
}

bool read_decimal(reader *r, const node *n, double *value) {
    if (n->kind != NODE_SCALAR)
        refuse(r, E_KIND, n, NULL, "expected a number, got %s", describe(n).text);
    else if (!scalar_float(n, value))
        refuse(r, E_FLOAT, n, float_hint(n).text, "expected a finite number, got %s", describe(n).text);
    else
        return true;
    return false;
}

int read_word(reader *r, const node *n, const word_list *list) {
    if (n->kind != NODE_SCALAR) {
        refuse(r, E_KIND, n, NULL, "expected %s, got %s", word_choices(list).text, describe(n).text);
        return -1;
    }
    int found = word_find(list, n->text);
    if (found < 0)
        refuse(r, E_WORD, n, word_hint(list, n->text).text, "expected %s, got %s", word_choices(list).text,
               describe(n).text);
    return found;
}

static bool read_truth(reader *r, const node *n, bool *value) {
    int found = n->kind == NODE_SCALAR && !n->quoted ? word_find(&boolean_words, n->text) : -1;
    if (found >= 0) {
        *value = found;
        return true;
    }
    bool quoted = n->kind == NODE_SCALAR && n->quoted && word_find(&boolean_words, n->text) >= 0;
    hint_text h = quoted ? (hint_text){.text = "leave out the quotes"} : (hint_text){.text = ""};
    if (n->kind == NODE_SCALAR && !quoted) h = word_hint(&boolean_words, n->text);
    refuse(r, n->kind == NODE_SCALAR ? E_BOOLEAN : E_KIND, n, h.text, "expected true or false, got %s",
           describe(n).text);
    return false;
}

/* The values of a mapping whose keys are given; NULL for those absent. */
static bool read_subkeys(reader *r, const node *n, const word_list *keys, const node *value[MOST_SUBKEYS]) {
    bool known = true;
    for (size_t i = 0; i < keys->count; i++) value[i] = NULL;
    for (size_t i = 0; i < n->count; i += 2) {
        int found = word_find(keys, n->child[i]->text);
        if (found >= 0) {
            value[found] = n->child[i + 1];
            continue;
        }
        refuse(r, E_UNKNOWN_KEY, n->child[i], word_hint(keys, n->child[i]->text).text,
               "expected %s, got the key \"%s\"", word_choices(keys).text, show_text(n->child[i]->text).text);
        known = false;
    }
    return known;
}

bool is_name(const char *word) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return *word && !(*word >= '0' && *word <= '9') && !word[strspn(word, letters)];
}

static void read_name(reader *r, const node *n) {
    if (n->kind != NODE_SCALAR)
        refuse(r, E_KIND, n, NULL, "expected a name, got %s", describe(n).text);
    else if (!is_name(n->text))
        refuse(r, E_NAME, n, "letters, digits and underscores, not beginning with a digit", "expected a name, got %s",
               describe(n).text);
    else
        r->draft.spec.name = n->text;
}

static void read_kind(reader *r, const node *n) {
    int found = read_word(r, n, &kind_words);
    r->draft.unknown_kind = found < 0;
    if (found >= 0) r->draft.spec.kind = (layer_kind)found;
}

static bool is_any(const node *n) { return n->kind == NODE_SCALAR && strcmp(n->text, batch_words.word[0]) == 0; }

static void refuse_batch(reader *r, const node *n) {
    hint_text of_number = integer_hint(n, 0, r->field->most);
    const char *hint = is_any(n)           ? "leave out the quotes"
                       : of_number.text[0] ? of_number.text
                                           : "any stands for as many images as each run says";
    refuse(r, E_INTEGER, n, hint, "expected an integer 0..%lld or any, got %s", (long long)r->field->most,
           describe(n).text);
}

static void read_batch(reader *r, const node *n) {
    cvk_spec *s = &r->draft.spec;
    s->batch_any = is_any(n) && !n->quoted;
    s->batch = 1;
    if (s->batch_any) return;
    if (n->kind == NODE_SCALAR && (!scalar_integer(n, &s->batch) || s->batch < 0))
        refuse_batch(r, n);
    else
        read_number(r, n, 0, r->field->most, &s->batch);
}

/* Of channels, or along an axis. */
static void read_size(reader *r, const node *n, int64_t *size) {
    if (is_any(n))
        refuse(r, E_INTEGER, n, "only the batch, which comes first, may be any",
               "expected an integer %lld..%lld, got %s", (long long)r->field->least, (long long)r->field->most,
               describe(n).text);
    else
        read_number(r, n, r->field->least, r->field->most, size);
}

static void read_shape(reader *r, const node *n) {
    static const char order[] = "N, C, then W, H W or D H W";
    if (n->kind == NODE_SCALAR && !n->quoted && is_name(n->text) && !r->edges) {
        refuse(r, E_KIND, n, "layers feed one another in a file with `inputs`",
               "expected a list of 3 to 5 integers, got %s", describe(n).text);
        return;
    }
    cvk_spec *s = &r->draft.spec;
    const size_t least = s->kind == LAYER_DENSE ? 2 : 3;
    if (n->kind != NODE_SEQUENCE || n->count < least || n->count > 2 + AXES) {
        refuse(r, n->kind == NODE_SEQUENCE ? E_LENGTH : E_KIND, n, order,
               "expected a list of %zu to 5 integers, got %s", least, describe(n).text);
        return;
    }
    const int sizes = (int)n->count - 2;
    r->rank = s->rank = sizes ? sizes : 1;
    read_batch(r, n->child[0]);
    read_size(r, n->child[1], &s->in_channels);
    for (int axis = 0; axis < AXES; axis++) s->in_size[axis] = 1;
    for (int i = 0; i < sizes; i++) read_size(r, n->child[2 + i], &s->in_size[AXES - sizes + i]);
}

/* A shape, or in a file with `inputs` what has it. */
static void read_input(reader *r, const node *n) {
    if (r->edges)
        edges_read_input(r, n);
    else
        read_shape(r, n);
}

static void read_integer(reader *r, const node *n) { read_number(r, n, r->field->least, r->field->most, member(r)); }

static bool fits_rank(const reader *r, size_t count) {
    return r->rank ? count == (size_t)r->rank : count >= 1 && count <= AXES;
}

static void refuse_length(reader *r, const node *n, const char *hint) {
    if (r->rank)
        refuse(r, E_LENGTH, n, hint, "expected a list of %d, one per spatial axis of `input`, got %s", r->rank,
               describe(n).text);
    else
        refuse(r, E_LENGTH, n, hint, "expected a list of 1 to 3, one per spatial axis, got %s", describe(n).text);
}

/* A scalar for every axis or a list of one each. While the rank is unknown the values are checked and dropped. */
static void read_numbers_per_axis(reader *r, const node *n, int64_t values[AXES]) {
    int64_t dropped;
    int first = AXES - r->rank;
    if (n->kind == NODE_SCALAR) {
        int64_t value;
        bool sound = read_number(r, n, r->field->least, r->field->most, &value);
        for (int axis = first; sound && axis < AXES; axis++) values[axis] = value;
    } else if (n->kind == NODE_MAPPING) {
        refuse(r, E_KIND, n, NULL, "expected an integer, or a list of one per spatial axis, got a mapping");
    } else if (!fits_rank(r, n->count)) {
        refuse_length(r, n, NULL);
    } else {
        for (size_t i = 0; i < n->count; i++)
            read_number(r, n->child[i], r->field->least, r->field->most, r->rank ? &values[first + (int)i] : &dropped);
    }
}

static void read_axes(reader *r, const node *n) {
    int64_t *values = member(r);
    for (int axis = 0; axis < AXES; axis++) values[axis] = 1;
    read_numbers_per_axis(r, n, values);
}

static bool looks_like_number(const char *word) {
    return (*word >= '0' && *word <= '9') || *word == '-' || *word == '+' || *word == '.';
}

/* A kernel as large as the input, which was read before. */
static void take_whole_input(reader *r, const node *n) {
    cvk_spec *s = &r->draft.spec;
    for (int axis = 0; axis < AXES; axis++) {
        s->kernel[axis] = s->in_size[axis];
        if (s->kernel[axis] > r->field->most)
            refuse(r, E_NUMBER_LIMIT, n, NULL, "global comes to %lld, over the limit of %lld",
                   (long long)s->kernel[axis], (long long)r->field->most);
    }
}

static void read_kernel(reader *r, const node *n) {
    cvk_spec *s = &r->draft.spec;
    const bool global = n->kind == NODE_SCALAR && strcmp(n->text, kernel_words.word[0]) == 0;
    if (!global && (n->kind != NODE_SCALAR || looks_like_number(n->text)))
        read_axes(r, n);
    else if (!global)
        refuse(r, E_WORD, n, word_hint(&kernel_words, n->text).text,
               "expected an integer, a list of one per spatial axis, or of a pool global, got %s", describe(n).text);
    else if (r->rank && !spec_is_pool(s))
        refuse(r, E_LAYER_KIND, n, "a number for every axis, or a list, one per axis", "only a pool may be global");
    else
        take_whole_input(r, n);
}

static void read_pair(reader *r, const node *n, int64_t *before, int64_t *after) {
    if (n->kind != NODE_SEQUENCE || n->count != 2) {
        refuse(r, n->kind == NODE_SEQUENCE ? E_LENGTH : E_KIND, n, NULL, "expected a pair [before, after], got %s",
               describe(n).text);
        return;
    }
    read_number(r, n->child[0], r->field->least, r->field->most, before);
    read_number(r, n->child[1], r->field->least, r->field->most, after);
}

static void read_pairs(reader *r, const node *n) {
    if (!fits_rank(r, n->count)) {
        refuse_length(r, n, "[[before, after], ...]: a pair for each axis");
        return;
    }
    cvk_spec *s = &r->draft.spec;
    int first = AXES - (int)n->count;
    for (int i = 0; i < (int)n->count; i++)
        read_pair(r, n->child[i], &s->pad_before[first + i], &s->pad_after[first + i]);
}

static void read_padding_list(reader *r, const node *n) {
    cvk_spec *s = &r->draft.spec;
    bool flat = n->count && n->child[0]->kind != NODE_SEQUENCE;
    if (n->count && !flat)
        read_pairs(r, n);
    else if (flat && !fits_rank(r, n->count))
        refuse_length(r, n, "one number per axis, or [[before, after], ...] with a pair per axis");
    else
        read_numbers_per_axis(r, n, s->pad_before);
    if (flat) memcpy(s->pad_after, s->pad_before, sizeof s->pad_after);
}

static void read_padding(reader *r, const node *n) {
    cvk_spec *s = &r->draft.spec;
    memset(s->pad_before, 0, sizeof s->pad_before);
    memset(s->pad_after, 0, sizeof s->pad_after);
    r->draft.padding = PADDING_NUMBERS;
    if (n->kind == NODE_SEQUENCE) {
        read_padding_list(r, n);
    } else if (n->kind == NODE_SCALAR && looks_like_number(n->text)) {
        read_numbers_per_axis(r, n, s->pad_before);
        memcpy(s->pad_after, s->pad_before, sizeof s->pad_after);
    } else if (n->kind == NODE_SCALAR && word_find(&padding_words, n->text) >= 0) {
        r->draft.padding = (padding_word)word_find(&padding_words, n->text);
    } else {
        refuse(r, n->kind == NODE_SCALAR ? E_WORD : E_KIND, n,
               n->kind == NODE_SCALAR ? word_hint(&padding_words, n->text).text : NULL,
               "expected an integer, a list, or %s, got %s", word_choices(&padding_words).text, describe(n).text);
    }
}

static void read_border_constant(reader *r, const node *n) {
    static const char *const names[] = {"constant"};
    static const word_list keys = {"padding_mode", 1, names};
    const node *value[MOST_SUBKEYS];
    if (!read_subkeys(r, n, &keys, value)) return;
    if (!value[0])
        refuse(r, E_MISSING_KEY, n, NULL, "expected {constant: number}");
    else if (read_decimal(r, value[0], &r->draft.spec.padding_constant))
        r->draft.spec.padding = PAD_CONSTANT;
}

static void read_padding_mode(reader *r, const node *n) {
    if (n->kind == NODE_MAPPING) {
        read_border_constant(r, n);
        return;
    }
    if (n->kind == NODE_SCALAR && word_find(&padding_mode_words, n->text) >= 0) {
        r->draft.spec.padding = (padding_mode)word_find(&padding_mode_words, n->text);
        return;
    }
    const hint_text hint = n->kind == NODE_SCALAR ? word_hint(&padding_mode_words, n->text) : (hint_text){.text = ""};
    refuse(r, n->kind == NODE_SCALAR ? E_WORD : E_KIND, n, hint.text, "expected %s, or {constant: number}, got %s",
           word_choices(&padding_mode_words).text, describe(n).text);
}

static void read_groups(reader *r, const node *n) {
    bool scalar = n->kind == NODE_SCALAR;
    r->draft.depthwise = scalar && strcmp(n->text, group_words.word[0]) == 0;
    if (scalar && looks_like_number(n->text))
        read_integer(r, n);
    else if (!r->draft.depthwise)
        refuse(r, scalar ? E_WORD : E_KIND, n, scalar ? word_hint(&group_words, n->text).text : NULL,
               "expected an integer 1..%lld or depthwise, got %s", (long long)r->field->most, describe(n).text);
}

static void read_positive(reader *r, const node *n) {
    double *to = member(r);
    if (!read_decimal(r, n, to) || *to > 0) return;
    refuse(r, E_FLOAT, n, NULL, "expected a number above 0, got %s", describe(n).text);
}

static void read_interpolation(reader *r, const node *n) {
    int found = read_word(r, n, &interpolation_words);
    if (found >= 0) r->draft.spec.interpolation = (interpolation)found;
}

static void read_coordinates(reader *r, const node *n) {
    int found = read_word(r, n, &coordinate_words);
    if (found >= 0) r->draft.spec.coordinates = (coordinates)found;
}

static void read_nearest(reader *r, const node *n) {
    int found = read_word(r, n, &nearest_words);
    if (found >= 0) r->draft.spec.nearest = (nearest_rounding)found;
}

/* Its layers are read when the first one is settled. */
static void read_then(reader *r, const node *n) {
    if (n->kind != NODE_SEQUENCE || n->count == 0)
        refuse(r, E_KIND, n, "as in `[{out_channels: 64, kernel_size: 1}]`", "expected a list of layers, got %s",
               describe(n).text);
    else
        r->draft.then = n;
}

static void read_boolean(reader *r, const node *n) { read_truth(r, n, member(r)); }

static void read_layout(reader *r, const node *n) {
    static const char *const sides[] = {"input", "output"};
    static const word_list keys = {"side", 2, sides};
    const node *value[MOST_SUBKEYS] = {n, n};
    if (n->kind == NODE_MAPPING && r->edges) {
        refuse(r, E_KIND, n, "that of what the layer puts out; what feeds it has one of its own",
               "expected one word in a file with `inputs`, got a mapping");
        return;
    }
    if (n->kind == NODE_MAPPING && !read_subkeys(r, n, &keys, value)) return;
    if (!value[0] || !value[1]) {
        refuse(r, E_MISSING_KEY, n, NULL, "expected both input and output");
        return;
    }
    int input = read_word(r, value[0], &layout_words);
    int output = value[1] == value[0] ? input : read_word(r, value[1], &layout_words);
    if (input < 0 || output < 0) return;
    r->draft.spec.input_layout = (cvk_layout)input;
    r->draft.spec.output_layout = (cvk_layout)output;
}

static void read_pitch(reader *r, const node *n) {
    const node *value[MOST_SUBKEYS];
    if (n->kind != NODE_MAPPING) {
        refuse(r, E_KIND, n, NULL, "expected {input: integer, output: integer, addend: integer}, got %s",
               describe(n).text);
        return;
    }
    if (r->edges) {
        refuse(r, E_EDGE, n, "`kind: concat` lays tensors side by side",
               "in a network it follows from what lies where");
        return;
    }
    if (!read_subkeys(r, n, &pitch_words, value)) return;
    for (int i = 0; i < PITCHES; i++)
        if (value[i]) read_number(r, value[i], r->field->least, r->field->most, &r->draft.spec.pitch[i]);
}

static void read_type(reader *r, const node *n, cvk_type *to) {
    int found = read_word(r, n, &dtype_words);
    if (found >= 0) *to = (cvk_type)found;
}

static void read_dtype(reader *r, const node *n) {
    static const char *const roles[] = {"input", "weights", "output"};
    static const word_list keys = {"role", 3, roles};
    cvk_spec *s = &r->draft.spec;
    cvk_type *const to[] = {&s->input_type, &s->weights_type, &s->output_type};
    const node *value[MOST_SUBKEYS] = {n, n, n};
    if (n->kind == NODE_MAPPING && !read_subkeys(r, n, &keys, value)) return;
    if (!value[0] || !value[1] || !value[2]) {
        refuse(r, E_MISSING_KEY, n, NULL, "expected all of input, weights and output");
        return;
    }
    for (size_t i = 0; i < keys.count && (i == 0 || value[i] != n); i++) read_type(r, value[i], to[i]);
    if (n->kind != NODE_MAPPING) s->weights_type = s->output_type = s->input_type;
}

/* Keys of `quantization`: zero points, which come first, then words. */
enum {
    QUANTIZATION_INPUT,
    QUANTIZATION_WEIGHTS,
    QUANTIZATION_OUTPUT,
    QUANTIZATION_ADDEND,
    QUANTIZATION_ROUNDING,
    QUANTIZATION_MULTIPLIERS,
    QUANTIZATION_KEYS
};

/* Numbers go through a pool as they are. */
static bool is_of_pool(int key) { return key == QUANTIZATION_INPUT || key == QUANTIZATION_ADDEND; }

static void read_zero_points(reader *r, const node *const value[MOST_SUBKEYS]) {
    cvk_spec *s = &r->draft.spec;
    int *const to[] = {&s->input_zero, &s->weights_zero, &s->output_zero, &s->addend_zero};
    int64_t number;
    for (int i = 0; i <= QUANTIZATION_ADDEND; i++)
        if (value[i] && read_number(r, value[i], r->field->least, r->field->most, &number)) *to[i] = (int)number;
    if (spec_is_pool(s)) s->output_zero = s->input_zero;
}

static void read_quantization(reader *r, const node *n) {
    static const char *const names[QUANTIZATION_KEYS] = {"input_zero_point",  "weights_zero_point", "output_zero_point",
                                                         "addend_zero_point", "rounding",           "multipliers"};
    static const word_list keys = {"quantization", QUANTIZATION_KEYS, names};
    cvk_spec *s = &r->draft.spec;
    const node *value[MOST_SUBKEYS];
    int found;
    if (n->kind != NODE_MAPPING) {
        refuse(r, E_KIND, n, NULL, "expected a mapping such as {input_zero_point: integer}, got %s", describe(n).text);
        return;
    }
    if (!read_subkeys(r, n, &keys, value)) return;
    for (int i = 0; i < QUANTIZATION_KEYS; i++)
        if (value[i] && spec_is_pool(s) && !is_of_pool(i) && i != QUANTIZATION_MULTIPLIERS)
            refuse(r, E_LAYER_KIND, value[i], "a pool keeps its input's zero point", "a pool has no %s", names[i]);
    read_zero_points(r, value);
    if (value[QUANTIZATION_ROUNDING] && (found = read_word(r, value[QUANTIZATION_ROUNDING], &rounding_words)) >= 0)
        s->rounding = (rounding_mode)found;
    if (value[QUANTIZATION_MULTIPLIERS] &&
        (found = read_word(r, value[QUANTIZATION_MULTIPLIERS], &multiplier_words)) >= 0)
        s->one_multiplier = found;
}

static void read_output_padding(reader *r, const node *n) {
    read_numbers_per_axis(r, n, member(r));
    r->draft.output_padding = true;
}

static void read_direction(reader *r, const node *n) {
    int found = read_word(r, n, &direction_words);
    if (found >= 0) r->draft.direction = (direction)found;
}

static void read_nan(reader *r, const node *n) {
    int found = read_word(r, n, &nan_words);
    if (found >= 0) *(bool *)member(r) = found;
}

/* What it names was found before the fields were read. */
static void read_of(reader *r, const node *n) { (void)r, (void)n; }

/* Their shape is for later, when the layer's is known. */
static bool check_constants(reader *r, const node *n) {
    double dropped;
    if (n->kind != NODE_SEQUENCE) return read_decimal(r, n, &dropped);
    bool sound = true;
    for (size_t i = 0; i < n->count; i++) sound = check_constants(r, n->child[i]) && sound;
    return sound;
}

static void read_weights(reader *r, const node *n) {
    static const char *const names[] = {"scale", "values"};
    static const word_list keys = {"weights", 2, names};
    const node *value[MOST_SUBKEYS];
    double scale = 1;
    if (n->kind != NODE_MAPPING) {
        refuse(r, E_KIND, n, NULL, "expected {scale: number, values: lists of numbers}, got %s", describe(n).text);
        return;
    }
    bool sound = read_subkeys(r, n, &keys, value);
    if (value[0]) sound = read_decimal(r, value[0], &scale) && sound;
    if (value[1])
        sound = check_constants(r, value[1]) && sound;
    else
        refuse(r, E_MISSING_KEY, n, NULL, "expected values");
    if (sound && value[1]) r->draft.constants = (constants){value[1], scale};
}

static void read_accuracy(reader *r, const node *n) {
    int found = read_word(r, n, &accuracy_words);
    if (found >= 0) r->draft.spec.accuracy = (accuracy)found;
}

static void read_algorithm(reader *r, const node *n) {
    int found = read_word(r, n, &algorithm_words);
    if (found >= 0) r->draft.spec.algorithm = algorithm_words.word[found];
}

/* What `defaults` says was read, and its mistakes told, before. */
static void read_schedule(reader *r, const node *n) {
    if (n->kind == NODE_SCALAR || n->count == 0) {
        refuse(r, E_KIND, n, "`convoke explain` prints one", "expected a mapping, or a list of them, got %s",
               describe(n).text);
        return;
    }
    layer_plan *plan = arena_new(r->arena, layer_plan);
    if (layer_plan_parse(n, r->arena, r->inherited ? NULL : r->report->list, plan)) r->report->invalid = true;
    r->draft.spec.schedule = plan;
    r->draft.spec.schedule_at = n->at;
}

void read_field(reader *r, const node *value) {
    static void (*const readers[FORMS])(reader *, const node *) = {
        [FORM_name] = read_name,
        [FORM_shape] = read_input,
        [FORM_integer] = read_integer,
        [FORM_axes] = read_axes,
        [FORM_padding] = read_padding,
        [FORM_padding_mode] = read_padding_mode,
        [FORM_groups] = read_groups,
        [FORM_positive] = read_positive,
        [FORM_interpolation] = read_interpolation,
        [FORM_coordinates] = read_coordinates,
        [FORM_nearest] = read_nearest,
        [FORM_boolean] = read_boolean,
        [FORM_post_ops] = read_post_ops,
        [FORM_then] = read_then,
        [FORM_layout] = read_layout,
        [FORM_pitch] = read_pitch,
        [FORM_dtype] = read_dtype,
        [FORM_output_padding] = read_output_padding,
        [FORM_direction] = read_direction,
        [FORM_of] = read_of,
        [FORM_nan] = read_nan,
        [FORM_weights] = read_weights,
        [FORM_accuracy] = read_accuracy,
        [FORM_algorithm] = read_algorithm,
        [FORM_schedule] = read_schedule,
        [FORM_kind] = read_kind,
        [FORM_kernel] = read_kernel,
        [FORM_quantization] = read_quantization,
    };
    readers[r->field->form](r, value);
}
