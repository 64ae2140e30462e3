/* Is every kind of ill-formed nest refused, with a message that says what is wrong? */
#include "by_hand.h"

#include <criterion/criterion.h>
#include <string.h>

/* A nest with one of everything, and where its parts stand. The mistakes below are made by hand, after building. */
typedef struct sample {
    nest *nest;
    nest_op *load, *keep, *fma, *shuffle, *transpose, *call, *store;
    nest_statement *task, *loop, *condition, *unrolled, *sibling;
    int task_variable, loop_variable, unrolled_variable, sibling_variable, quotient_variable;
    int x, tile, narrow;
} sample;

static register_ref at(int array, int64_t index) { return reg(array, affine_constant(index)); }

/* task t in 0..6 { for i in 0..5 { …; if … ; unrolled u in 0..3 { … } } for j … } over 6 * 5 * 8 elements. */
static void build_ops(nest_builder *b, sample *s, affine offset, affine u) {
    nest_range lanes = range_of(b, 0, 4);
    range_clip_low(b, &lanes, u, 1);
    build_load(b, at(s->x, 0), access_at(0, offset, 1), &lanes);
    s->load = last_op(b);
    build_keep(b, at(s->x, 1), at(s->x, 0), &lanes);
    s->keep = last_op(b);
    build_fma(b, reg(s->tile, u), at(s->x, 0), at(s->x, 1), NULL);
    s->fma = last_op(b);
    build_op(b, OP_SHUFFLE, at(s->x, 1), at(s->x, 0), at(s->x, 1));
    s->shuffle = last_op(b);
    static const int PATTERN[] = {0, 4, -1, 7};
    s->shuffle->pattern = arena_copy(b->nest->arena, PATTERN, sizeof PATTERN);
    build_transpose(b, at(s->tile, 0), at(s->tile, 0));
    s->transpose = last_op(b);
    build_call(b, MATH_TANH, at(s->x, 0), at(s->x, 0));
    s->call = last_op(b);
    build_store(b, access_at(1, affine_offset(offset, 4), 1), at(s->x, 0), NULL);
    s->store = last_op(b);
}

static sample good_sample(arena *a) {
    nest_builder b = nest_begin(a, "sample", ENTRY_TASKS, 16);
    sample s = {.nest = b.nest};
    nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, 236, 4, false);
    nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, 240, 4, true);
    s.x = nest_add_register(&b, "x", TYPE_F32, 4, 2);
    s.tile = nest_add_register(&b, "tile", TYPE_F32, 4, 4);
    s.narrow = nest_add_register(&b, "narrow", TYPE_F32, 2, 1);
    affine t = build_task(&b, "t", 6), i = build_loop(&b, "i", 5);
    affine half = build_quotient(&b, affine_add_scaled(i, t, 3), 2);
    build_if(&b, half, NULL); /* always true: leaves no trace */
    build_end(&b);
    build_if(&b, affine_offset(half, -1), "past the first");
    affine u = build_unrolled(&b, "u", 3);
    build_ops(&b, &s, affine_scale(affine_add_scaled(i, t, 5), 8), u);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    affine j = build_loop(&b, "j", 2);
    build_splat(&b, at(s.x, 0), access_at(0, j, 1));
    build_end(&b);
    build_end(&b);
    s.task = b.nest->body;
    s.loop = s.task->body;
    s.condition = s.loop->body;
    s.unrolled = s.condition->body;
    s.sibling = s.loop->next;
    s.task_variable = s.task->variable;
    s.loop_variable = s.loop->variable;
    s.unrolled_variable = s.unrolled->variable;
    s.sibling_variable = s.sibling->variable;
    s.quotient_variable = s.condition->condition.term[0].variable;
    return s;
}

static nest_range *range_at(sample *s, int variable) { return &s->nest->variables[variable].range; }

/* A lane range of the load's that may be changed. */
static nest_range *lanes_of(sample *s) {
    nest_range *copy = arena_copy(s->nest->arena, s->load->lanes, sizeof *copy);
    copy->high = arena_copy(s->nest->arena, copy->high, sizeof *copy->high * (size_t)copy->high_count);
    s->load->lanes = copy;
    return copy;
}

static void load_past_the_end(sample *s) { s->nest->tensors[0].elements--; }
static void load_before_the_start(sample *s) { s->load->at.offset.constant = -1; }
static void store_past_the_end(sample *s) { s->nest->tensors[1].elements--; }
static void store_read_only(sample *s) { s->nest->tensors[1].writable = false; }
static void no_tensor(sample *s) { s->load->at.tensor = -1; }
static void unknown_tensor(sample *s) { s->load->at.tensor = s->nest->tensor_count; }
static void no_destination(sample *s) { s->fma->to.array = -1; }
static void no_source(sample *s) { s->store->a.array = -1; }
static void unknown_register(sample *s) { s->fma->b.array = s->nest->register_count; }
static void register_past_the_array(sample *s) { s->fma->to.index.constant = 2; }
static void register_before_the_array(sample *s) { s->fma->a.index.constant = -1; }
static void register_by_loop(sample *s) { s->fma->c.index = affine_variable(s->loop_variable); }
static void offset_out_of_scope(sample *s) { s->load->at.offset = affine_variable(s->sibling_variable); }
static void offset_of_no_variable(sample *s) { s->load->at.offset = affine_variable(s->nest->variable_count); }
static void offset_of_negative_variable(sample *s) { s->load->at.offset = affine_variable(-1); }
static void unknown_operation(sample *s) { s->fma->kind = OP_KINDS; }
static void unknown_function(sample *s) { s->call->math = MATH_KINDS; }
static void keep_without_lanes(sample *s) { s->keep->lanes = NULL; }
static void shuffle_without_pattern(sample *s) { s->shuffle->pattern = NULL; }
static void shuffle_past_both(sample *s) {
    static const int PATTERN[] = {0, 1, 2, 8};
    s->shuffle->pattern = PATTERN;
}
static void shuffle_before_both(sample *s) {
    static const int PATTERN[] = {0, 1, 2, -2};
    s->shuffle->pattern = PATTERN;
}
static void transpose_past_the_destination(sample *s) { s->transpose->to.index.constant = 1; }
static void transpose_past_the_source(sample *s) { s->transpose->a.array = s->x; }
static void sources_of_two_widths(sample *s) { s->fma->b = at(s->narrow, 0); }
static void destination_of_other_width(sample *s) { s->call->to = at(s->narrow, 0); }
static void lanes_by_loop(sample *s) { lanes_of(s)->high->numerator = affine_variable(s->loop_variable); }
static void lanes_divided_by_zero(sample *s) { lanes_of(s)->high->divisor = 0; }
static void lanes_without_end(sample *s) { lanes_of(s)->high_count = 0; }
static void lanes_without_start(sample *s) { lanes_of(s)->low_count = 0; }
static void lanes_backwards(sample *s) { s->load->at.stride = -1; }
static void loop_divided_by_zero(sample *s) { range_at(s, s->loop_variable)->high->divisor = 0; }
static void loop_divided_by_less(sample *s) { range_at(s, s->loop_variable)->low->divisor = -2; }
static void loop_without_end(sample *s) { range_at(s, s->loop_variable)->high_count = 0; }
static void loop_by_itself(sample *s) {
    range_at(s, s->loop_variable)->high->numerator = affine_variable(s->loop_variable);
}
static void loop_by_inner(sample *s) {
    range_at(s, s->loop_variable)->low->numerator = affine_variable(s->unrolled_variable);
}
static void loop_over_quotient(sample *s) { s->loop->variable = s->quotient_variable; }
static void loop_over_outer(sample *s) { s->unrolled->variable = s->loop_variable; }
static void loop_over_none(sample *s) { s->loop->variable = -1; }
static void loop_over_unknown(sample *s) { s->loop->variable = s->nest->variable_count; }
static void unrolled_by_loop(sample *s) {
    range_at(s, s->unrolled_variable)->high->numerator = affine_variable(s->loop_variable);
}
static void task_inside_a_loop(sample *s) { s->nest->variables[s->sibling_variable].kind = VARIABLE_TASK; }
static void task_beside_a_loop(sample *s) {
    s->sibling->next = NULL;
    s->task->next = s->sibling;
}
static void task_from_one(sample *s) { range_at(s, s->task_variable)->low->numerator.constant = 1; }
static void task_in_parts(sample *s) {
    range_at(s, s->task_variable)->high->numerator = affine_variable(s->task_variable);
}
static void condition_out_of_scope(sample *s) { s->condition->condition = affine_variable(s->unrolled_variable); }
static void quotient_by_zero(sample *s) { s->nest->variables[s->quotient_variable].quotient.divisor = 0; }
static void quotient_out_of_scope(sample *s) {
    s->nest->variables[s->quotient_variable].quotient.numerator = affine_variable(s->sibling_variable);
}
static void quotient_of_no_variable(sample *s) {
    s->nest->variables[s->quotient_variable].quotient.numerator = affine_variable(s->nest->variable_count + 7);
}
static void quotient_of_itself(sample *s) {
    s->nest->variables[s->quotient_variable].quotient.numerator = affine_variable(s->quotient_variable);
}
static void tensor_of_negative_size(sample *s) { s->nest->tensors[0].elements = -1; }
static void tensor_of_no_role(sample *s) { s->nest->tensors[0].role = ROLE_COUNT; }
static void register_without_lanes(sample *s) { s->nest->registers[0].lanes = 0; }
static void register_too_wide(sample *s) { s->nest->registers[0].lanes = NEST_MOST_LANES + 1; }
static void tensors_of_one_role(sample *s) { s->nest->tensors[1].role = ROLE_INPUT; }
static void more_tasks_than_loops(sample *s) { s->nest->tasks = 7; }
static void lanes_of_a_call(sample *s) { s->call->lanes = s->keep->lanes; }
static void transpose_of_odd_lanes(sample *s) {
    s->nest->registers[s->narrow] = (nest_register){"odd", TYPE_F32, 3, 3};
    s->transpose->to = s->transpose->a = at(s->narrow, 0);
}
static void registers_of_no_count(sample *s) { s->nest->registers[2].count = 0; }

typedef struct mistake {
    const char *name;
    void (*make)(sample *);
    const char *says; /* part of the message */
} mistake;

#define MISTAKE(function, says) {#function, function, says}
static const mistake MISTAKES[] = {
    MISTAKE(load_past_the_end, "load reaches bytes 0..943 of input, which has 0..939"),
    MISTAKE(load_before_the_start, "load reaches bytes -4..939 of input"),
    MISTAKE(store_past_the_end, "store reaches bytes 16..959 of output, which has 0..955"),
    MISTAKE(store_read_only, "store to output, which is read-only"),
    MISTAKE(no_tensor, "load: no tensor"),
    MISTAKE(unknown_tensor, "load: no tensor"),
    MISTAKE(no_destination, "fma: an operand is no register"),
    MISTAKE(no_source, "store: an operand is no register"),
    MISTAKE(unknown_register, "fma: an operand is no register"),
    MISTAKE(register_past_the_array, "fma: tile[2..4] of 4 registers"),
    MISTAKE(register_before_the_array, "fma: x[-1..-1] of 2 registers"),
    MISTAKE(register_by_loop, "tile depends on i, which is not unrolled"),
    MISTAKE(offset_out_of_scope, "input uses a variable that no loop around it defines"),
    MISTAKE(offset_of_no_variable, "input uses a variable that no loop around it defines"),
    MISTAKE(offset_of_negative_variable, "input uses a variable that no loop around it defines"),
    MISTAKE(unknown_operation, "an operation of no kind"),
    MISTAKE(unknown_function, "call of no function"),
    MISTAKE(keep_without_lanes, "keep has no lane range"),
    MISTAKE(shuffle_without_pattern, "shuffle has no pattern"),
    MISTAKE(shuffle_past_both, "shuffle: lane 8 of 8"),
    MISTAKE(shuffle_before_both, "shuffle: lane -2 of 8"),
    MISTAKE(transpose_past_the_destination, "transpose: tile[4..4] of 4 registers"),
    MISTAKE(transpose_past_the_source, "transpose: x[3..3] of 2 registers"),
    MISTAKE(sources_of_two_widths, "fma: operands of 4 and 2 lanes"),
    MISTAKE(destination_of_other_width, "call: 4 lanes into 2"),
    MISTAKE(lanes_by_loop, "a lane range depends on i, which is not unrolled"),
    MISTAKE(lanes_divided_by_zero, "a lane range divides by 0"),
    MISTAKE(lanes_without_end, "a lane range has an open end"),
    MISTAKE(lanes_without_start, "a lane range has an open end"),
    MISTAKE(lanes_backwards, "load: a lane range on a negative stride"),
    MISTAKE(loop_divided_by_zero, "i divides by 0"),
    MISTAKE(loop_divided_by_less, "i divides by -2"),
    MISTAKE(loop_without_end, "i has an open end"),
    MISTAKE(loop_by_itself, "i uses a variable that no loop around it defines"),
    MISTAKE(loop_by_inner, "i uses a variable that no loop around it defines"),
    MISTAKE(loop_over_quotient, "loop over q, which is taken"),
    MISTAKE(loop_over_outer, "loop over i, which is taken"),
    MISTAKE(loop_over_none, "a loop has no variable"),
    MISTAKE(loop_over_unknown, "a loop has no variable"),
    MISTAKE(unrolled_by_loop, "u depends on i, which is not unrolled"),
    MISTAKE(task_inside_a_loop, "task"),
    MISTAKE(task_beside_a_loop, "a task loop has neighbours"),
    MISTAKE(task_from_one, "task loop t is not a constant range from 0"),
    MISTAKE(task_in_parts, "t uses a variable that no loop around it defines"),
    MISTAKE(condition_out_of_scope, "a condition uses a variable that no loop around it defines"),
    MISTAKE(quotient_by_zero, "a condition uses a variable that no loop around it defines"),
    MISTAKE(quotient_out_of_scope, "a condition uses a variable that no loop around it defines"),
    MISTAKE(quotient_of_no_variable, "a condition uses a variable that no loop around it defines"),
    MISTAKE(quotient_of_itself, "a condition uses a variable that no loop around it defines"),
    MISTAKE(tensor_of_negative_size, "tensor input is ill-formed"),
    MISTAKE(tensor_of_no_role, "tensor input is ill-formed"),
    MISTAKE(tensors_of_one_role, "tensors input and output have one role"),
    MISTAKE(more_tasks_than_loops, "the task loops make 6 tasks, not 7"),
    MISTAKE(lanes_of_a_call, "call takes no lane range"),
    MISTAKE(transpose_of_odd_lanes, "transpose of 3 lanes, which is no power of two"),
    MISTAKE(register_without_lanes, "register array x is ill-formed"),
    MISTAKE(register_too_wide, "register array x is ill-formed"),
    MISTAKE(registers_of_no_count, "register array narrow is ill-formed"),
};
enum { MISTAKE_COUNT = sizeof MISTAKES / sizeof *MISTAKES };

static void expect_refused(const mistake *m) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    sample s = good_sample(&a);
    m->make(&s);
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_expect_eq(nest_check(s.nest, d, NULL), CVK_ERROR_INTERNAL, "%s: accepted", m->name);
    const cvk_diagnostic *first = cvk_diagnostics_get(d, 0);
    cr_expect(first && first->code == E_NEST, "%s: no message", m->name);
    if (first) cr_expect(strstr(first->message, m->says), "%s: it says \"%s\"", m->name, first->message);
    cvk_diagnostics_free(d);
    arena_free(&a);
}

Test(refuse, the_sample_is_accepted_and_its_reach_is_known) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    nest_extent extent;
    cr_expect_eq(nest_check(good_sample(&a).nest, NULL, &extent), CVK_OK);
    cr_expect_eq(extent.low[ROLE_INPUT], 0);
    cr_expect_eq(extent.high[ROLE_INPUT], 943);
    cr_expect_eq(extent.low[ROLE_OUTPUT], 16);
    cr_expect_eq(extent.high[ROLE_OUTPUT], 959);
    cr_expect_eq(extent.high[ROLE_WEIGHTS], -1, "a tensor that is not there is not reached");
    arena_free(&a);
}

Test(refuse, every_kind_of_ill_formed_nest_is_refused_with_its_reason) {
    for (int i = 0; i < MISTAKE_COUNT; i++) expect_refused(&MISTAKES[i]);
}
