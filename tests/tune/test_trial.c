/* The halves of a trial with the compiler and the clock that they are for. */
#include "fake.h"

#include <math.h>
#include <string.h>

static trial_layer layer_of(const cvk_network *network) {
    return (trial_layer){cvk_network_layer(network, 0), {.target = target_host()}, NULL, NULL};
}

/* What a worker answers. */
static const message *ask(worker *w, const message *request) {
    cr_assert(worker_ask(w, request, (const double[]){100, 100, 100}));
    worker_news news = {.event = WORKER_NOTHING};
    while (news.event == WORKER_NOTHING) news = workers_wait(&w, 1, 1);
    cr_assert_eq(news.event, WORKER_REPLIED);
    return news.reply;
}

static compile_reply compile_layer_plan(worker *w, const layer_plan *plan, message *object) {
    message request = {0};
    compile_reply r;
    trial_request(&request, plan);
    const message *reply = ask(w, &request);
    memcpy(&r, reply->bytes, sizeof r);
    if (object) message_add(object, reply->bytes + sizeof r, reply->size - sizeof r);
    message_free(&request);
    return r;
}

static compile_reply compile_one(worker *w, const cvk_plan *plan, message *object) {
    const layer_plan whole = layer_plan_of(plan);
    return compile_layer_plan(w, &whole, object);
}

static worker_work compiling(trial_layer *layer) {
    return (worker_work){.begin = trial_compile_begin, .answer = trial_compile, .context = layer, .cpu = -1};
}

Test(trial, a_plan_is_compiled_and_right) {
    arena a;
    arena_init(&a);
    cvk_network *network = parse_layer(one_layer);
    trial_layer layer = layer_of(network);
    const worker_work work = compiling(&layer);
    worker *w = worker_new(&work);
    message object = {0};
    for (int rank = 0; rank < 4; rank++) {
        const cvk_plan plan = model_plan(&a, layer.spec, layer.aim, rank);
        const compile_reply r = compile_one(w, &plan, &object);
        cr_assert_eq(r.outcome, OUTCOME_CORRECT, "%s", r.why);
        cr_assert(r.compile_seconds > 0 && r.check_seconds > 0);
    }
    cr_assert_gt(object.size, 0);
    worker_free(w);
    message_free(&object);
    cvk_network_free(network);
    arena_free(&a);
}

/* The model's plans of that rank; the last there is. */
static layer_plan plans_of_rank(arena *a, const trial_layer *layer, int rank) {
    ranked_layer *plans;
    int count;
    const char *why;
    layer_rank(a, layer->spec, layer->aim, rank + 1, &plans, &count, &why);
    cr_assert_gt(count, 0);
    return plans[count - 1].plan;
}

static void expect_right(const char *yaml) {
    arena a;
    arena_init(&a);
    cvk_network *network = parse_layer(yaml);
    trial_layer layer = layer_of(network);
    const worker_work work = compiling(&layer);
    worker *w = worker_new(&work);
    cr_assert_gt(problem_count(layer.spec), 1);
    for (int rank = 0; rank < 3; rank++) {
        const layer_plan plan = plans_of_rank(&a, &layer, rank);
        const compile_reply r = compile_layer_plan(w, &plan, NULL);
        cr_expect_eq(r.outcome, OUTCOME_CORRECT, "%s: %s", yaml, r.why);
    }
    worker_free(w);
    cvk_network_free(network);
    arena_free(&a);
}

Test(trial, plans_of_several_problems_are_compiled_as_one_and_right) {
    expect_right("version: 1\nlayers: [{name: up, input: [1, 8, 9, 9], out_channels: 8, kernel_size: 3, stride: 2, "
                 "padding: 1, transposed: true}]\n");
    expect_right("version: 1\nlayers: [{name: parts, input: [2, 16, 64, 64], out_channels: 16, kernel_size: 1, "
                 "direction: backward_weights}]\n");
    expect_right("version: 1\nlayers: [{name: pieces, input: [2, 6, 9, 9], out_channels: 6, kernel_size: 3, groups: 3, "
                 "direction: backward_weights}]\n");
}

Test(trial, a_plan_that_does_not_fit_is_a_matter_of_constraints) {
    arena a;
    arena_init(&a);
    cvk_network *network = parse_layer(one_layer);
    trial_layer layer = layer_of(network);
    const worker_work work = compiling(&layer);
    worker *w = worker_new(&work);
    cvk_plan plan = model_plan(&a, layer.spec, layer.aim, 0);
    plan.tile_ow = 1 << 16;
    plan.tile_oc = 1 << 16;
    const compile_reply r = compile_one(w, &plan, NULL);
    cr_assert(r.outcome == OUTCOME_CONSTRAINTS && *r.why);
    worker_free(w);
    cvk_network_free(network);
    arena_free(&a);
}

static measure_reply meet(worker *w, const message *challenger, const message *incumbent, double slow) {
    const measure_request wanted = {challenger->size, incumbent->size, slow, 0.5, {.least = 5, .most = 5}};
    message request = {0};
    measure_reply r;
    message_add(&request, &wanted, sizeof wanted);
    message_add(&request, challenger->bytes, challenger->size);
    message_add(&request, incumbent->bytes, incumbent->size);
    memcpy(&r, ask(w, &request)->bytes, sizeof r);
    message_free(&request);
    return r;
}

Test(trial, objects_are_timed_in_turns_or_found_too_slow) {
    arena a;
    arena_init(&a);
    cvk_network *network = parse_layer(one_layer);
    trial_layer layer = layer_of(network);
    const worker_work first_half = compiling(&layer),
                      second_half = {
                          .begin = trial_measure_begin, .answer = trial_measure, .context = &layer, .cpu = -1};
    worker *compiler = worker_new(&first_half), *meter = worker_new(&second_half);
    message first = {0}, second = {0};
    const cvk_plan plans[] = {model_plan(&a, layer.spec, layer.aim, 0), model_plan(&a, layer.spec, layer.aim, 1)};
    compile_one(compiler, &plans[0], &first);
    compile_one(compiler, &plans[1], &second);
    measure_reply r = meet(meter, &second, &first, 1000);
    cr_assert_eq(r.outcome, OUTCOME_CORRECT);
    cr_assert(r.verdict.turns == 5 && r.verdict.challenger > 0 && r.verdict.incumbent > 0 && r.verdict.ratio > 0);
    r = meet(meter, &first, &second, 1e-9);
    cr_assert(r.outcome == OUTCOME_TIMEOUT && strstr(r.why, "times the best") && r.verdict.ratio > 0);
    worker_free(compiler);
    worker_free(meter);
    message_free(&first);
    message_free(&second);
    cvk_network_free(network);
    arena_free(&a);
}
