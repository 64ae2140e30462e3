/* The numbers of tests/textbook/arrays.txt come out exactly: of the interpreter, of every plan as compiled code, and of
 * a flipped kernel that is read backwards. */
#include "compile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MOST_CASES = 32, ALIGNMENT = 64 };

typedef struct array {
    double value[MOST];
    int count;
} array;

typedef struct textbook_case {
    char title[128], layer[64];
    array input, kernel, output;
} textbook_case;

static textbook_case cases[MOST_CASES];
static int case_count;
static cvk_network *network;
static arena memory;

static void read_array(FILE *file, array *to) {
    while (to->count < MOST && fscanf(file, "%lf", &to->value[to->count]) == 1) to->count++;
}

static void read_cases(void) {
    FILE *file = fopen(ARRAYS, "r");
    cr_assert(file, "cannot read %s", ARRAYS);
    char word[64];
    fscanf(file, "%*[^\n]"); /* the line that says what the file is */
    textbook_case *c = NULL;
    while (fscanf(file, "%63s", word) == 1) {
        if (strcmp(word, "case") == 0) c = &cases[case_count++];
        if (strcmp(word, "case") == 0) cr_assert_eq(fscanf(file, " %127[^\n]", c->title), 1);
        if (strcmp(word, "layer") == 0) cr_assert_eq(fscanf(file, "%63s", c->layer), 1);
        if (strcmp(word, "input") == 0) read_array(file, &c->input);
        if (strcmp(word, "kernel") == 0) read_array(file, &c->kernel);
        if (strcmp(word, "output") == 0) read_array(file, &c->output);
    }
    fclose(file);
    cr_assert_eq(case_count, 23, "%d cases read", case_count);
}

static void begin(void) {
    arena_init(&memory);
    cr_assert_eq(cvk_network_read(TUTORIAL, NULL, &network), CVK_OK);
    read_cases();
}

static void end(void) {
    cvk_network_free(network);
    arena_free(&memory);
}

TestSuite(textbook, .init = begin, .fini = end);

static void store(cvk_type type, const array *from, void *to) {
    for (int i = 0; i < from->count; i++) type_write(type, (char *)to + i * type_bytes(type), from->value[i]);
}

static const cvk_spec *layer(const char *name) {
    const cvk_spec *s = NULL;
    for (size_t i = 0; (s = cvk_network_layer(network, i)) && strcmp(s->name, name) != 0;) i++;
    cr_assert(s, "the tutorial has no layer %s", name);
    return s;
}

/* Sums that pass through other numbers come back as these nearly. */
static bool is_rounded(const char *name) { return strcmp(name, "winograd") == 0 || strcmp(name, "fft") == 0; }

static void compare(const textbook_case *c, const char *how, bool rounded, cvk_type type, const void *output) {
    for (int i = 0; i < c->output.count; i++) {
        const double got = type_read(type, (const char *)output + i * type_bytes(type));
        cr_assert((rounded ? rint(got) : got) == c->output.value[i], "%s, %s, %s: output %d is %g, not %g", c->title,
                  how, type_name(type), i, got, c->output.value[i]);
    }
}

static void interpret(const textbook_case *c, const cvk_spec *s) {
    double input[MOST], kernel[MOST], got[MOST]; /* room for any type */
    store(s->input_type, &c->input, input);
    store(s->weights_type, &c->kernel, kernel);
    cr_assert_eq(spec_output_elements(s), c->output.count, "%s: the layer has %d outputs", c->title,
                 (int)spec_output_elements(s));
    cr_assert_eq(cvk_reference(s, input, kernel, NULL, NULL, NULL, got), CVK_OK);
    compare(c, "interpreted", false, s->output_type, got);
}

static void *aligned(uint64_t bytes) {
    void *p = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
    cr_assert(p);
    return p;
}

static void run_plan(const textbook_case *c, const cvk_spec *s, const layer_plan *plan) {
    cvk_kernel *kernel;
    cr_assert_eq(compile_kernel(s, (goal){.target = target_host()}, plan, NULL, &kernel, NULL), CVK_OK, "%s", c->title);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    void *input = aligned(info->input.bytes), *weights = aligned(info->weights.bytes);
    void *packed = aligned(info->packed_weights.bytes), *output = aligned(info->output.bytes);
    void *scratch = aligned(info->scratch.bytes), *workspace = aligned(info->workspace.bytes);
    store(s->input_type, &c->input, input);
    store(s->weights_type, &c->kernel, weights);
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {input, info->input.bytes},
                                 .weights = {packed, info->packed_weights.bytes},
                                 .output = {output, info->output.bytes},
                                 .scratch = {scratch, info->scratch.bytes},
                                 .workspace = {workspace, info->workspace.bytes}};
    const cvk_const_buffer dense = {weights, info->weights.bytes};
    if (info->pack)
        cr_assert_eq(cvk_pack_weights(info, dense, (cvk_buffer){packed, info->packed_weights.bytes}), CVK_OK);
    cr_assert_eq(cvk_run(info, &buffers, NULL), CVK_OK);
    compare(c, info->plan, is_rounded(plan->part[0].algorithm), s->output_type, output);
    free(input);
    free(weights);
    free(packed);
    free(output);
    free(scratch);
    free(workspace);
    cvk_kernel_free(kernel);
}

static void in_each_type(const textbook_case *c, const cvk_spec *s,
                         void (*expect)(const textbook_case *, const cvk_spec *)) {
    cvk_spec typed = *s;
    for (cvk_type type = TYPE_F32; type <= TYPE_BF16; type++) {
        typed.input_type = typed.weights_type = typed.output_type = type;
        expect(c, &typed);
    }
}

static void run_all_plans(const textbook_case *c, const cvk_spec *s) {
    ranked_layer *plans;
    int count;
    cr_assert_eq(compile_rank(&memory, s, (goal){.target = target_host()}, 0, NULL, &plans, &count), CVK_OK);
    cr_assert_gt(count, 0);
    for (int i = 0; i < count; i++) run_plan(c, s, &plans[i].plan);
}

Test(textbook, the_interpreter_gives_these_numbers) {
    for (int i = 0; i < case_count; i++) in_each_type(&cases[i], layer(cases[i].layer), interpret);
}

Test(textbook, every_plan_compiled_gives_these_numbers) {
    for (int i = 0; i < case_count; i++) in_each_type(&cases[i], layer(cases[i].layer), run_all_plans);
}

Test(textbook, a_rotated_kernel_flipped_gives_the_same) {
    const cvk_spec *flipped = layer("flipped_6x6");
    int tried = 0;
    for (int i = 0; i < case_count; i++) {
        textbook_case c = cases[i];
        if (c.input.count != 36) continue;
        for (int k = 0; k < c.kernel.count; k++) c.kernel.value[k] = cases[i].kernel.value[c.kernel.count - 1 - k];
        in_each_type(&c, flipped, interpret);
        in_each_type(&c, flipped, run_all_plans);
        tried++;
    }
    cr_assert_eq(tried, 5);
}
