/* What a plan promises: its text reads back to an equal plan, and a schedule that is wrong says where and what. */
#include "plan/fields.h"
#include "spec/yaml.h"

#include <criterion/criterion.h>
#include <string.h>

static arena memory;
static void begin(void) { arena_init(&memory); }
static void end(void) { arena_free(&memory); }
TestSuite(plan, .init = begin, .fini = end);

static const node *parse_yaml(const char *yaml) {
    report r = {0};
    const node *root = yaml_read(&memory, yaml, strlen(yaml), "test.yaml", &r);
    cr_assert(root, "not YAML: %s", yaml);
    return root;
}

static const char *print(const cvk_plan *p) {
    text t = text_new(&memory);
    plan_print(p, &t);
    return t.bytes;
}

static const cvk_plan example = {
    .algorithm = "direct",
    .lanes = LANES_OUT_CHANNELS,
    .tile_oc = 32,
    .tile_od = 1,
    .tile_oh = 1,
    .tile_ow = 14,
    .block_oh = 1,
    .block_ow = 1,
    .unroll_ic = 1,
    .unroll_kw = true,
    .order = {7, {{LOOP_N, 0}, {LOOP_G, 0}, {LOOP_OW, 448}, {LOOP_OC, 0}, {LOOP_OD, 0}, {LOOP_OH, 0}, {LOOP_OW, 0}}},
    .tasks = 5};

Test(plan, prints_every_field_in_one_line) {
    cr_assert_str_eq(
        print(&example),
        "{algorithm: direct, lanes: out_channels, tile: {oc: 32, od: 1, oh: 1, ow: 14}, block: {oh: 1, ow: 1}, "
        "unroll: {ic: 1, kw: true, kh: false}, dot: 0, order: [n, g, {ow: 448}, oc, od, oh, ow], tasks: 5, "
        "pack: {input_rows: 0, border: false, transposed: false}, prefetch: false, stream: false}");
}

/* The loops over tiles, turned, and before them blocks of some loops. */
static void vary_order(plan_order *order, int index) {
    order->count = 0;
    for (int i = 0; i < PLAN_LOOPS; i++)
        if (index >> i & 1) order->level[order->count++] = (plan_level){(plan_loop)i, 1 + (index * 7 + i) % 1000};
    for (int i = 0; i < PLAN_TILE_LOOPS; i++)
        order->level[order->count++] = (plan_level){(plan_loop)((i + index) % PLAN_TILE_LOOPS), 0};
}

/* Gives one field a value that the index decides. */
static void vary_field(cvk_plan *p, const plan_field *f, int index) {
    void *to = (char *)p + f->offset;
    switch (f->kind) {
    case PLAN_NAME: *(const char **)to = index % 2 ? "direct" : "depthwise"; break;
    case PLAN_LANES: *(plan_lanes *)to = (plan_lanes)(index % LANES_KINDS); break;
    case PLAN_INTEGER: *(int *)to = f->least + index % (f->most - f->least + 1); break;
    case PLAN_SWITCH: *(bool *)to = index % 2 == 0; break;
    case PLAN_ORDER: vary_order(&p->order, index); break;
    }
}

static cvk_plan vary(int index) {
    cvk_plan p = example;
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++) vary_field(&p, f, index * (i + 1));
    return p;
}

Test(plan, a_printed_plan_reads_back_equal) {
    for (int i = 0; i < 500; i++) {
        cvk_plan p = vary(i), back;
        const char *yaml = print(&p);
        cr_assert_eq(plan_parse(parse_yaml(yaml), &memory, NULL, &back), CVK_OK, "%s", yaml);
        cr_assert(plan_equal(&p, &back), "%s came back as %s", yaml, print(&back));
    }
}

Test(plan, plans_that_differ_in_one_field_are_not_equal) {
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++) {
        cvk_plan other = example;
        for (int index = 1; index <= 2 && plan_equal(&example, &other); index++) vary_field(&other, f, index);
        cr_assert_not(plan_equal(&example, &other), "%s: %s", f->key, print(&other));
    }
    cr_assert(plan_equal(&example, &example));
}

/* The example's text with one piece of it replaced. */
static const char *edit(const char *from, const char *to) {
    const char *yaml = print(&example), *at = strstr(yaml, from);
    cr_assert(at, "the example has no \"%s\"", from);
    return arena_format(&memory, "%.*s%s%s", (int)(at - yaml), yaml, to, at + strlen(from));
}

typedef struct mistake {
    const char *from, *to, *message, *hint;
} mistake;

static const mistake mistakes[] = {
    {"algorithm: direct, ", "", "schedule.algorithm is missing", ""},
    {"algorithm: direct", "algorithm: \"direct\"",
     "schedule.algorithm: expected direct, im2col, depthwise, grouped, winograd, constants, separable, positions, resize or fft, got \"direct\"",
     ""},
    {"algorithm: direct", "algorithm: dirct",
     "schedule.algorithm: expected direct, im2col, depthwise, grouped, winograd, constants, separable, positions, resize or fft, got \"dirct\"",
     "did you mean `direct`?"},
    {"lanes: out_channels", "lanes: out_channel",
     "schedule.lanes: expected out_channels, columns, channels or in_channels, got \"out_channel\"",
     "did you mean `out_channels`?"},
    {"tile: {oc: 32, od: 1, oh: 1, ow: 14}", "tile: 32", "schedule.tile.oc: expected a mapping around it, got \"32\"",
     ""},
    {"oc: 32", "oc: 0", "schedule.tile.oc: expected an integer 1..1048576, got \"0\"", ""},
    {"oc: 32", "oc: 032", "schedule.tile.oc: expected an integer 1..1048576, got \"032\"", ""},
    {"oc: 32", "oc: \"32\"", "schedule.tile.oc: expected an integer 1..1048576, got \"32\"", ""},
    {"oc: 32", "oc: 1048577", "schedule.tile.oc: expected an integer 1..1048576, got \"1048577\"", ""},
    {"oc: 32", "oc: 99999999999999999999",
     "schedule.tile.oc: expected an integer 1..1048576, got \"99999999999999999999\"", ""},
    {"oc: 32", "oc: [32]", "schedule.tile.oc: expected an integer 1..1048576, got a list", ""},
    {", ow: 14", "", "schedule.tile.ow is missing", ""},
    {"ow: 14", "ow: 14, oe: 1", "schedule.tile: unknown key \"oe\"", "did you mean `oc`?"},
    {"kw: true", "kw: yes", "schedule.unroll.kw: expected false or true, got \"yes\"", ""},
    {"od, oh, ow]", "oh, ow]", "schedule.order: expected every loop; od is missing, got a list", ""},
    {"od, oh, ow]", "od, oe, ow]", "schedule.order: expected n, g, oc, od, oh, ow or ic, got \"oe\"",
     "did you mean `oc`?"},
    {"od, oh, ow]", "od, oh, n, ow]", "schedule.order: expected every loop once, and once its blocks, got \"n\"", ""},
    {"od, oh, ow]", "od, {ow: 8}, oh, ow]",
     "schedule.order: expected every loop once, and once its blocks, got a mapping", ""},
    {"od, oh, ow]", "od, {oc: 8}, oh, ow]", "schedule.order: expected blocks of a loop outside of it, got a mapping",
     ""},
    {"{ow: 448}", "{ow: 0}", "schedule.order: expected an integer 1..1048576, got \"0\"", ""},
    {"{ow: 448}", "{ow: 8, oh: 8}",
     "schedule.order: expected one loop and the size of its blocks in a mapping, got a mapping", ""},
    {"{ow: 448}", "{}", "schedule.order: expected one loop and the size of its blocks in a mapping, got a mapping", ""},
    {"{ow: 448}", "[ow, 8]", "schedule.order: expected n, g, oc, od, oh, ow or ic, got a list", ""},
    {"{ow: 448}", "ic", "schedule.order: expected blocks of ic, whose own loop is innermost, got \"ic\"",
     "{ic: 64} is the loop over blocks of 64"},
    {"[n, g, {ow: 448}, oc, od, oh, ow]", "n", "schedule.order: expected a list of loops, got \"n\"", ""},
    {"tasks: 5", "tasks: 14", "schedule.tasks: expected an integer 0..13, got \"14\"", ""},
    {"tasks: 5", "task: 5, tasks: 5", "schedule: unknown key \"task\"", "did you mean `tasks`?"},
    {"pack: {input_rows: 0, border: false, transposed: false}", "pack: {}", "schedule.pack.input_rows is missing", ""},
};

Test(plan, every_mistake_is_named_with_its_place) {
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const mistake *m = &mistakes[i];
        cvk_diagnostics *d = cvk_diagnostics_new();
        cvk_plan plan;
        cvk_status status = plan_parse(parse_yaml(edit(m->from, m->to)), &memory, d, &plan);
        cr_assert_eq(status, CVK_ERROR_SPEC, "%s for %s was taken", m->to, m->from);
        const cvk_diagnostic *first = cvk_diagnostics_get(d, 0);
        cr_assert(first, "%s for %s: no message", m->to, m->from);
        cr_assert_str_eq(first->message, m->message);
        cr_assert_str_eq(first->hint, m->hint, "%s: hint \"%s\"", m->message, first->hint);
        cr_assert_str_eq(first->file, "test.yaml");
        cr_assert(first->line == 1 && first->column >= 1, "%s: no place", m->message);
        cvk_diagnostics_free(d);
    }
}

/* As schedules were before columns could be ordered, inputs prefetched and outputs streamed. */
Test(plan, columns_left_out_of_the_order_are_innermost_and_switches_left_out_are_off) {
    cvk_plan plan;
    const char *yaml =
        "{algorithm: direct, lanes: out_channels, tile: {oc: 32, od: 1, oh: 1, ow: 14}, block: {oh: 1, ow: 1}, "
        "unroll: {ic: 1, kw: true}, order: [n, g, oc, od, oh], tasks: 5, pack: {input_rows: 0}}";
    cr_assert_eq(plan_parse(parse_yaml(yaml), &memory, NULL, &plan), CVK_OK);
    cr_assert(
        strstr(print(&plan),
               "order: [n, g, oc, od, oh, ow], tasks: 5, pack: {input_rows: 0, border: false, transposed: false}, "
               "prefetch: false, stream: false"));
}

Test(plan, a_schedule_that_is_no_mapping_is_refused) {
    cvk_plan plan;
    cr_assert_eq(plan_parse(parse_yaml("[direct]"), &memory, NULL, &plan), CVK_ERROR_SPEC);
}
