/* The JSON Schema (draft 07) of a spec, made of the tables of fields, words, post-ops and plan fields. It holds what
 * can be said of one value at a time, and takes nothing that the compiler does not support yet; what must hold between
 * values, such as the rank of `input` and the length of a list, the command checks. */
#include "cli/print.h"
#include "plan/fields.h"
#include "spec/fields.h"
#include "spec/limits.h"

#include <stdio.h>
#include <string.h>

#define NAME_PATTERN "\"type\": \"string\", \"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$\", \"maxLength\": 256"
#define LIST_PER_AXIS "{\"type\": \"array\", \"minItems\": 1, \"maxItems\": 3, \"items\": "
#define PAIR "{\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": "
#define CLOSED_OBJECT "\"type\": \"object\", \"additionalProperties\": false"
#define NUMBER "{\"type\": \"number\"}"
#define SHARE "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}"

static void put_string(const char *string) {
    putchar('"');
    for (; *string; string++) printf("%s%c", strchr("\"\\", *string) ? "\\" : "", *string);
    putchar('"');
}

static void put_words(const char *const *word, size_t count) {
    printf("\"enum\": [");
    for (size_t i = 0; i < count; i++) {
        if (i) printf(", ");
        put_string(word[i]);
    }
    putchar(']');
}

static void put_list(const word_list *list) { put_words(list->word, list->count); }

static void put_range(int64_t least, int64_t most) {
    printf("\"type\": \"integer\", \"minimum\": %lld, \"maximum\": %lld", (long long)least, (long long)most);
}

static void put_integer(const field_row *f) {
    putchar('{');
    put_range(f->least, f->most);
    putchar('}');
}

/* Kinds of a network's nodes that are no layers. */
static const char *const view_words[] = {
#define VIEW(NAME, word) word,
#include "spec/views.def"
#undef VIEW
};

/* Each form of spec/read_field.c, as members of an object. */

static void form_name(const field_row *f) {
    (void)f;
    printf(NAME_PATTERN);
}

static void form_kind(const field_row *f) {
    (void)f;
    printf("\"anyOf\": [{");
    put_list(&kind_words);
    printf("}, {");
    put_words(view_words, sizeof view_words / sizeof *view_words);
    printf("}]");
}

static void form_nan(const field_row *f) {
    (void)f;
    put_list(&nan_words);
}

static void form_direction(const field_row *f) {
    (void)f;
    put_list(&direction_words);
}

static void put_shape(const field_row *f) {
    printf("{\"type\": \"array\", \"minItems\": 2, \"maxItems\": %d, \"items\": [{\"anyOf\": [{", 2 + AXES);
    put_range(0, f->most);
    printf("}, {");
    put_list(&batch_words);
    printf("}]}], \"additionalItems\": ");
    put_integer(f);
    printf("}");
}

/* In a network the name of what has it, or of a concatenation several. */
static void form_shape(const field_row *f) {
    printf("\"anyOf\": [");
    put_shape(f);
    printf(", {" NAME_PATTERN "}, {\"type\": \"array\", \"minItems\": 1, \"items\": {" NAME_PATTERN "}}]");
}

static void form_integer(const field_row *f) { put_range(f->least, f->most); }

static void form_axes(const field_row *f) {
    printf("\"anyOf\": [");
    put_integer(f);
    printf(", " LIST_PER_AXIS);
    put_integer(f);
    printf("}]");
}

/* Of a pool also a word. */
static void form_kernel(const field_row *f) {
    printf("\"anyOf\": [");
    put_integer(f);
    printf(", " LIST_PER_AXIS);
    put_integer(f);
    printf("}, {");
    put_list(&kernel_words);
    printf("}]");
}

static void form_padding(const field_row *f) {
    printf("\"anyOf\": [");
    put_integer(f);
    printf(", " LIST_PER_AXIS);
    put_integer(f);
    printf("}, " LIST_PER_AXIS PAIR);
    put_integer(f);
    printf("}}, {");
    put_list(&padding_words);
    printf("}]");
}

static void form_padding_mode(const field_row *f) {
    (void)f;
    printf("\"anyOf\": [{");
    put_list(&padding_mode_words);
    printf("}, {" CLOSED_OBJECT ", \"required\": [\"constant\"], \"properties\": {\"constant\": " NUMBER "}}]");
}

static void form_groups(const field_row *f) {
    printf("\"anyOf\": [");
    put_integer(f);
    printf(", {");
    put_list(&group_words);
    printf("}]");
}

static void form_positive(const field_row *f) {
    (void)f;
    printf("\"type\": \"number\", \"exclusiveMinimum\": 0");
}

static void form_interpolation(const field_row *f) {
    (void)f;
    put_list(&interpolation_words);
}

static void form_coordinates(const field_row *f) {
    (void)f;
    put_list(&coordinate_words);
}

static void form_nearest(const field_row *f) {
    (void)f;
    put_list(&nearest_words);
}

static void form_boolean(const field_row *f) {
    (void)f;
    printf("\"type\": \"boolean\"");
}

static void put_post_op(post_kind kind) {
    const struct post_row *op = &post_rows[kind];
    printf("{\"description\": ");
    put_string(op->formula);
    if (op->parameters == 0 && op->operand != OPERAND_CHANNEL) {
        printf(", \"const\": \"%s\"}", op->word);
        return;
    }
    printf(", " CLOSED_OBJECT ", \"required\": [\"%s\"], \"properties\": {\"%s\": ", op->word, op->word);
    if (op->operand == OPERAND_CHANNEL) {
        putchar('{');
        put_list(&scale_words);
        putchar('}');
    } else {
        printf(kind == POST_BLEND ? SHARE : op->parameters == 1 ? NUMBER : PAIR NUMBER "}");
    }
    printf("}}");
}

/* The keys of a layer of a chain after its first, and of what is required of it. */
static void put_link(layer_kind kind) {
    const char *joint = "";
    printf("{" CLOSED_OBJECT ", \"required\": [");
    for (int id = 0; id < FIELDS; id++) {
        if (!chain_has_key(kind, (field_id)id) || spec_fields[id].fallback) continue;
        printf("%s\"%s\"", joint, spec_fields[id].key);
        joint = ", ";
    }
    printf("], \"properties\": {");
    joint = "";
    for (int id = 0; id < FIELDS; id++) {
        if (!chain_has_key(kind, (field_id)id)) continue;
        printf("%s\"%s\": {\"$ref\": \"#/definitions/%s\"}", joint, spec_fields[id].key, spec_fields[id].key);
        joint = ", ";
    }
    printf("}}");
}

static void form_then(const field_row *f) {
    printf("\"type\": \"array\", \"minItems\": 1, \"maxItems\": %d, \"items\": ", (int)f->most - 1);
    put_link(LAYER_CONVOLUTION);
}

/* A pool, after which another layer of a chain begins. */
static void put_pool(layer_kind kind) {
    const char *word = kind_words.word[kind];
    printf("{\"description\": \"a pool of what is there so far\", " CLOSED_OBJECT
           ", \"required\": [\"%s\"], \"properties\": {\"%s\": ",
           word, word);
    put_link(kind);
    printf("}}");
}

/* In a network: the name of what is taken, behind a share where there is one. */
static void put_named(post_kind kind) {
    const char *word = post_rows[kind].word;
    printf(",\n      {\"description\": \"in a network\", " CLOSED_OBJECT
           ", \"required\": [\"%s\"], \"properties\": {\"%s\": {",
           word, word);
    if (post_rows[kind].parameters)
        printf("\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": [" SHARE ", {" NAME_PATTERN "}]");
    else
        printf(NAME_PATTERN);
    printf("}}}");
}

static void form_post_ops(const field_row *f) {
    printf("\"type\": \"array\", \"maxItems\": %d, \"items\": {\"anyOf\": [", (int)f->most);
    for (int kind = 0; kind < POST_KINDS; kind++) {
        printf(kind ? ",\n      " : "\n      ");
        put_post_op((post_kind)kind);
    }
    for (int kind = 0; kind < POST_KINDS; kind++)
        if (post_takes_tensor((post_kind)kind)) put_named((post_kind)kind);
    for (layer_kind kind = LAYER_MAX_POOL; kind <= LAYER_AVERAGE_POOL; kind++) {
        printf(",\n      ");
        put_pool(kind);
    }
    printf("]}");
}

/* One of the words for both sides, or a mapping that gives one for each. */
static void form_layout(const field_row *f) {
    (void)f;
    printf("\"anyOf\": [{");
    put_list(&layout_words);
    printf("}, {" CLOSED_OBJECT ", \"required\": [\"input\", \"output\"], \"properties\": {\"input\": {");
    put_list(&layout_words);
    printf("}, \"output\": {");
    put_list(&layout_words);
    printf("}}}]");
}

static void form_pitch(const field_row *f) {
    printf(CLOSED_OBJECT ", \"properties\": {");
    for (size_t i = 0; i < pitch_words.count; i++) {
        printf("%s\"%s\": ", i ? ", " : "", pitch_words.word[i]);
        put_integer(f);
    }
    printf("}");
}

/* One for all tensors, or a mapping of one for each. */
static void form_dtype(const field_row *f) {
    static const char *const roles[] = {"input", "weights", "output"};
    (void)f;
    printf("\"anyOf\": [{");
    put_list(&dtype_words);
    printf("}, {" CLOSED_OBJECT ", \"required\": [\"input\", \"weights\", \"output\"], \"properties\": {");
    for (int i = 0; i < 3; i++) {
        printf("%s\"%s\": {", i ? ", " : "", roles[i]);
        put_list(&dtype_words);
        putchar('}');
    }
    printf("}}]");
}

static void form_quantization(const field_row *f) {
    static const char *const points[] = {"input", "weights", "output", "addend"};
    printf(CLOSED_OBJECT ", \"properties\": {");
    for (int i = 0; i < 4; i++) {
        printf("\"%s_zero_point\": ", points[i]);
        put_integer(f);
        printf(", ");
    }
    printf("\"rounding\": {");
    put_list(&rounding_words);
    printf("}, \"multipliers\": {");
    put_list(&multiplier_words);
    printf("}}");
}

/* Lists within lists, one for each axis of the kernel, perhaps within those of channels. */
static void put_constants(int levels) {
    printf("\"type\": \"array\", \"items\": {");
    if (levels > 1)
        put_constants(levels - 1);
    else
        printf("\"type\": \"number\"");
    printf("}");
}

static void form_weights(const field_row *f) {
    (void)f;
    printf(CLOSED_OBJECT ", \"required\": [\"values\"], \"properties\": {\"values\": {\"oneOf\": [");
    for (int levels = 1; levels <= 2 + AXES; levels++) {
        printf(levels > 1 ? ", {" : "{");
        put_constants(levels);
        printf("}");
    }
    printf("]}, \"scale\": {\"type\": \"number\"}}");
}

static void form_algorithm(const field_row *f) {
    (void)f;
    put_list(&algorithm_words);
}

static void form_accuracy(const field_row *f) {
    (void)f;
    put_list(&accuracy_words);
}

/* Words for loops over tiles, and mappings of one word to the size of its blocks. */
static void put_plan_order(void) {
    printf("\"type\": \"array\", \"minItems\": %d, \"maxItems\": %d, \"uniqueItems\": true, \"items\": {\"oneOf\": [{",
           PLAN_TILE_LOOPS - 1, PLAN_MOST_LEVELS);
    put_words(plan_loop_words, PLAN_TILE_LOOPS);
    printf("}, {\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 1, \"additionalProperties\": false, "
           "\"properties\": {");
    for (int i = 0; i < PLAN_LOOPS; i++) {
        printf("%s\"%s\": {", i ? ", " : "", plan_loop_words[i]);
        put_range(1, 1 << 20);
        putchar('}');
    }
    printf("}}]}");
}

static void put_plan_value(const plan_field *f) {
    switch (f->kind) {
    case PLAN_NAME: put_words(plan_algorithm_words, PLAN_ALGORITHMS); break;
    case PLAN_LANES: put_words(plan_lanes_words, LANES_KINDS); break;
    case PLAN_INTEGER: put_range(f->least, f->most); break;
    case PLAN_SWITCH: printf("\"type\": \"boolean\""); break;
    case PLAN_ORDER: put_plan_order(); break;
    }
}

static const char *const PLAN_ABOUTS[] = {
#define PLAN_FIELD(group, key, kind, member, least, most, presence, about) about,
#include "plan/fields.def"
#undef PLAN_FIELD
};

/* The keys of a group, from row `first` on; gives the row after them. */
static int put_plan_group(int first) {
    const char *group = plan_field_row(first)->group;
    const plan_field *f;
    int i = first;
    for (; (f = plan_field_row(i)) && strcmp(f->group, group) == 0; i++) {
        printf("%s\n        \"%s\": {\"description\": ", i > first ? "," : "", f->key);
        put_string(PLAN_ABOUTS[i]);
        printf(", ");
        put_plan_value(f);
        putchar('}');
    }
    return i;
}

/* The keys of a group that plan/parse.c wants; of the schedule itself also the groups. */
static void put_plan_required(const char *group) {
    const plan_field *f;
    const char *joint = "", *last = "";
    printf("\"required\": [");
    for (int i = 0; (f = plan_field_row(i)); i++) {
        bool inside = strcmp(f->group, group) == 0;
        const char *key = inside ? f->key : *group ? "" : f->group;
        if (!*key || !f->required || strcmp(key, last) == 0) continue;
        printf("%s\"%s\"", joint, key);
        joint = ", ";
        last = key;
    }
    putchar(']');
}

static void put_plan(void) {
    printf("{" CLOSED_OBJECT ", ");
    put_plan_required("");
    printf(", \"properties\": {");
    const plan_field *row;
    for (int i = 0; (row = plan_field_row(i));) {
        if (i) putchar(',');
        if (*row->group) {
            printf("\n      \"%s\": {" CLOSED_OBJECT ", ", row->group);
            put_plan_required(row->group);
            printf(", \"properties\": {");
        }
        i = put_plan_group(i);
        if (*row->group) printf("}}");
    }
    printf("}}");
}

/* A plan, or one for each problem that the layer is. */
static void form_schedule(const field_row *f) {
    (void)f;
    printf("\"anyOf\": [");
    put_plan();
    printf(",\n      {\"type\": \"array\", \"minItems\": 1, \"items\": ");
    put_plan();
    printf("}]");
}

static void (*const forms[FORMS])(const field_row *) = {
    [FORM_name] = form_name,
    [FORM_of] = form_name,
    [FORM_direction] = form_direction,
    [FORM_shape] = form_shape,
    [FORM_integer] = form_integer,
    [FORM_axes] = form_axes,
    [FORM_padding] = form_padding,
    [FORM_padding_mode] = form_padding_mode,
    [FORM_groups] = form_groups,
    [FORM_boolean] = form_boolean,
    [FORM_positive] = form_positive,
    [FORM_interpolation] = form_interpolation,
    [FORM_coordinates] = form_coordinates,
    [FORM_nearest] = form_nearest,
    [FORM_post_ops] = form_post_ops,
    [FORM_then] = form_then,
    [FORM_layout] = form_layout,
    [FORM_pitch] = form_pitch,
    [FORM_dtype] = form_dtype,
    [FORM_output_padding] = form_axes,
    [FORM_weights] = form_weights,
    [FORM_accuracy] = form_accuracy,
    [FORM_algorithm] = form_algorithm,
    [FORM_schedule] = form_schedule,
    [FORM_kind] = form_kind,
    [FORM_kernel] = form_kernel,
    [FORM_quantization] = form_quantization,
    [FORM_nan] = form_nan,
};

/* A fallback is written as in YAML: numbers, lists and booleans are the same in JSON, words want quotes. */
static void put_fallback(const char *fallback) {
    if (!fallback || !*fallback) return;
    printf(", \"default\": ");
    bool plain = strchr("[0123456789", *fallback) || word_find(&boolean_words, fallback) >= 0;
    if (plain)
        printf("%s", fallback);
    else
        put_string(fallback);
}

static void put_definitions(void) {
    printf("  \"definitions\": {");
    for (const field_row *f = spec_fields; f < spec_fields + FIELDS; f++) {
        printf("%s\n    \"%s\": {\"description\": ", f > spec_fields ? "," : "", f->key);
        put_string(f->help);
        put_fallback(f->fallback);
        printf(",\n      ");
        forms[f->form](f);
        putchar('}');
    }
    printf("\n  },\n");
}

/* What only a layer itself can say. */
static bool of_layer_alone(const field_row *f) {
    return f == &spec_fields[FIELD_name] || f == &spec_fields[FIELD_of] || f == &spec_fields[FIELD_input] ||
           f == &spec_fields[FIELD_then];
}

/* Those that views alone have. */
static void put_view_keys(void) {
    static const char *const keys[] = {"channels", "positions"};
    printf(",\n      \"along\": {\"enum\": [\"channels\", \"positions\"]}");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        printf(",\n      \"%s\": {\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": {", keys[i]);
        put_range(0, LIMIT_SIZE);
        printf("}}");
    }
    printf(",\n      \"shape\": {\"type\": \"array\", \"minItems\": 2, \"maxItems\": %d, \"items\": {", 1 + AXES);
    put_range(1, LIMIT_SIZE);
    printf("}}");
}

static void put_keys(bool in_defaults) {
    const char *joint = "";
    printf(CLOSED_OBJECT ", \"properties\": {");
    for (const field_row *f = spec_fields; f < spec_fields + FIELDS; f++) {
        if (in_defaults && of_layer_alone(f)) continue;
        printf("%s\n      \"%s\": {\"$ref\": \"#/definitions/%s\"}", joint, f->key, f->key);
        joint = ",";
    }
    if (!in_defaults) put_view_keys();
    putchar('}');
}

/* That the layer, or `defaults`, is of a kind that does without the key; said after others of an anyOf. */
static void put_exempt(const field_row *f) {
    if (f->of == OF_ALL) return;
    if (!field_is_of(f, LAYER_CONVOLUTION)) printf(", {\"not\": {\"required\": [\"kind\"]}}");
    printf(", {\"required\": [\"kind\"], \"properties\": {\"kind\": {\"enum\": [");
    const char *joint = "";
    for (int kind = 0; kind < LAYER_KINDS; kind++) {
        if (field_is_of(f, (layer_kind)kind)) continue;
        printf("%s\"%s\"", joint, kind_words.word[kind]);
        joint = ", ";
    }
    for (size_t i = 0; i < sizeof view_words / sizeof *view_words; i++, joint = ", ")
        printf("%s\"%s\"", joint, view_words[i]);
    printf("]}}}");
}

/* A required key stands in every layer, or in the one that it is of, or in `defaults`. */
static void put_required(void) {
    printf("  \"allOf\": [");
    const char *joint = "";
    for (const field_row *f = spec_fields; f < spec_fields + FIELDS; f++) {
        if (f->fallback || of_layer_alone(f)) continue;
        printf("%s\n    {\"anyOf\": [{\"properties\": {\"layers\": {\"items\": {\"anyOf\": [{\"required\": [\"%s\"]}, "
               "{\"required\": [\"of\"]}",
               joint, f->key);
        put_exempt(f);
        printf(
            "]}}}},\n      {\"required\": [\"defaults\"], \"properties\": {\"defaults\": {\"anyOf\": [{\"required\": "
            "[\"%s\"]}",
            f->key);
        put_exempt(f);
        printf("]}}}]}");
        joint = ",";
    }
    printf("],\n");
}

void print_schema(void) {
    printf("{\n"
           "  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
           "  \"title\": \"convoke spec\",\n"
           "  \"description\": \"Convolution and pooling layers, as convoke compiles them\",\n"
           "  \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"version\", \"layers\"],\n");
    put_required();
    put_definitions();
    printf("  \"properties\": {\n"
           "    \"version\": {\"description\": \"of the language\", \"const\": 1},\n"
           "    \"name\": {\"description\": \"of the network; C symbols begin with it\", " NAME_PATTERN "},\n"
           "    \"inputs\": {\"description\": \"of a network: names and shapes\", \"type\": \"object\", "
           "\"minProperties\": 1,\n      \"propertyNames\": {" NAME_PATTERN
           "}, \"additionalProperties\": {\"anyOf\": [");
    put_shape(&spec_fields[FIELD_input]);
    printf(",\n        {" CLOSED_OBJECT ", \"required\": [\"shape\"], \"properties\": {\"shape\": ");
    put_shape(&spec_fields[FIELD_input]);
    printf(", \"dtype\": {");
    put_list(&dtype_words);
    printf("}, \"layout\": {");
    put_list(&layout_words);
    printf("}}}]}},\n"
           "    \"outputs\": {\"description\": \"of a network\", \"anyOf\": [\n"
           "      {\"type\": \"array\", \"minItems\": 1, \"uniqueItems\": true, \"items\": {" NAME_PATTERN "}},\n"
           "      {\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": {" CLOSED_OBJECT
           ", \"required\": [\"layout\"], \"properties\": {\"layout\": {");
    put_list(&layout_words);
    printf("}}}}]},\n"
           "    \"defaults\": {\"description\": \"keys of layers that do not have them\", ");
    put_keys(true);
    printf(
        "},\n"
        "    \"layers\": {\"type\": \"array\", \"minItems\": 1, \"maxItems\": %d,\n"
        "      \"items\": {\"required\": [\"name\"], \"anyOf\": [{\"required\": [\"input\"]}, {\"required\": [\"of\"]}], ",
        LIMIT_LAYERS);
    put_keys(false);
    printf("}}\n  }\n}\n");
}
