/* What a plan promises: its text reads back to an equal plan, and a schedule that is wrong says where and what. */
#include "plan/plan.h"
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

static const cvk_plan example = {.algorithm = "direct",
                                 .lanes = LANES_OUT_CHANNELS,
                                 .tile_oc = 32,
                                 .tile_oh = 1,
                                 .tile_ow = 14,
                                 .unroll_ic = 1,
                                 .unroll_kw = true,
                                 .order = {LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH},
                                 .tasks = 5};

Test(plan, prints_every_field_in_one_line) {
    cr_assert_str_eq(
        print(&example),
        "{algorithm: direct, lanes: out_channels, tile: {oc: 32, oh: 1, ow: 14}, unroll: {ic: 1, kw: true}, "
        "order: [n, g, oc, od, oh], tasks: 5, pack: {input_rows: 0}}");
}

/* A plan whose every field differs from the example's by something the index decides. */
static cvk_plan vary(int index) {
    cvk_plan p = example;
    p.algorithm = index % 2 ? "direct" : "depthwise";
    p.lanes = (plan_lanes)(index % LANES_KINDS);
    p.tile_oc = 1 + index * 7 % 64;
    p.tile_oh = 1 + index % 5;
    p.tile_ow = 1 + index % 29;
    p.unroll_ic = 1 + index % 4;
    p.unroll_kw = index % 3 == 0;
    p.tasks = index % (PLAN_LOOPS + 1);
    p.pack_rows = index % 11;
    for (int i = 0; i < PLAN_LOOPS; i++) p.order[(i + index) % PLAN_LOOPS] = (plan_loop)i;
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
    cvk_plan other[] = {example, example, example, example, example, example, example, example, example, example};
    other[0].algorithm = "depthwise";
    other[1].lanes = LANES_COLUMNS;
    other[2].tile_oc++;
    other[3].tile_oh++;
    other[4].tile_ow++;
    other[5].unroll_ic++;
    other[6].unroll_kw = false;
    other[7].order[0] = LOOP_G, other[7].order[1] = LOOP_N;
    other[8].tasks = 0;
    other[9].pack_rows = 4;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        cr_assert_not(plan_equal(&example, &other[i]), "change %zu: %s", i, print(&other[i]));
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
     "schedule.algorithm: expected the name of an algorithm, got \"direct\"", ""},
    {"lanes: out_channels", "lanes: out_channel",
     "schedule.lanes: expected out_channels, columns or channels, got \"out_channel\"", "did you mean `out_channels`?"},
    {"tile: {oc: 32, oh: 1, ow: 14}", "tile: 32", "schedule.tile.oc: expected a mapping around it, got \"32\"", ""},
    {"oc: 32", "oc: 0", "schedule.tile.oc: expected an integer 1..1048576, got \"0\"", ""},
    {"oc: 32", "oc: 032", "schedule.tile.oc: expected an integer 1..1048576, got \"032\"", ""},
    {"oc: 32", "oc: \"32\"", "schedule.tile.oc: expected an integer 1..1048576, got \"32\"", ""},
    {"oc: 32", "oc: 1048577", "schedule.tile.oc: expected an integer 1..1048576, got \"1048577\"", ""},
    {"oc: 32", "oc: 99999999999999999999",
     "schedule.tile.oc: expected an integer 1..1048576, got \"99999999999999999999\"", ""},
    {"oc: 32", "oc: [32]", "schedule.tile.oc: expected an integer 1..1048576, got a list", ""},
    {", ow: 14", "", "schedule.tile.ow is missing", ""},
    {"ow: 14", "ow: 14, od: 1", "schedule.tile: unknown key \"od\"", "did you mean `oc`?"},
    {"kw: true", "kw: yes", "schedule.unroll.kw: expected false or true, got \"yes\"", ""},
    {"[n, g, oc, od, oh]", "[n, g, oc, od]", "schedule.order: expected a list of 5 loops, got a list", ""},
    {"[n, g, oc, od, oh]", "[n, g, oc, od, ow]", "schedule.order: expected n, g, oc, od or oh, got \"ow\"",
     "did you mean `oc`?"},
    {"[n, g, oc, od, oh]", "[n, g, oc, od, n]", "schedule.order: expected every loop once, got \"n\"", ""},
    {"tasks: 5", "tasks: 6", "schedule.tasks: expected an integer 0..5, got \"6\"", ""},
    {"tasks: 5", "task: 5, tasks: 5", "schedule: unknown key \"task\"", "did you mean `tasks`?"},
    {"pack: {input_rows: 0}", "pack: {}", "schedule.pack.input_rows is missing", ""},
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

Test(plan, a_schedule_that_is_no_mapping_is_refused) {
    cvk_plan plan;
    cr_assert_eq(plan_parse(parse_yaml("[direct]"), &memory, NULL, &plan), CVK_ERROR_SPEC);
}
