#include "fake.h"

#include <limits.h>
#include <math.h>
#include <string.h>

double fake_seconds(const char *plan) {
    const uint64_t hash = candidates_hash(plan);
    return 1e-3 * (0.75 + 0.5 * (double)(hash % 100003) / 100003);
}

void fake_compile(void *kept, const message *request, message *reply, volatile worker_state *state) {
    (void)kept;
    const layer_plan plan = trial_requested((const void *)request->bytes);
    const compile_reply r = {.outcome = OUTCOME_CORRECT, .compile_seconds = 0.25};
    arena a;
    arena_init(&a);
    worker_enter(state, STAGE_COMPILING);
    text words = text_new(&a);
    layer_plan_print(&plan, &words);
    message_add(reply, &r, sizeof r);
    message_add(reply, words.bytes, words.length + 1);
    arena_free(&a);
}

void fake_measure(void *kept, const message *request, message *reply, volatile worker_state *state) {
    (void)kept;
    measure_request wanted;
    memcpy(&wanted, request->bytes, sizeof wanted);
    worker_enter(state, STAGE_RUNNING);
    const char *challenger = (const char *)request->bytes + sizeof wanted;
    const double ours = fake_seconds(challenger), best = fake_seconds(challenger + wanted.challenger_bytes);
    measure_reply r = {.outcome = OUTCOME_CORRECT,
                       .verdict = {.challenger = ours,
                                   .incumbent = best,
                                   .ratio = ours / best,
                                   .low = ours / best,
                                   .high = ours / best,
                                   .turns = wanted.turns.least,
                                   .wins = ours < best ? wanted.turns.least : 0}};
    r.verdict.chance = turns_chance(r.verdict.wins, r.verdict.turns);
    message_add(reply, &r, sizeof r);
}

static volatile sig_atomic_t never;

void fake_open(fake *f, const char *yaml, const char *how, int budget) {
    *f = (fake){.folder = folder_make(), .network = parse_layer(yaml), .limits = tune_usual_limits};
    arena_init(&f->arena);
    f->spec = cvk_network_layer(f->network, 0);
    f->setup = (tune_setup){.aim = {.target = target_find("x86-64-v3")},
                            .strategy = strategy_find(how),
                            .seed = 7,
                            .budget = budget,
                            .until = INFINITY,
                            .shard = {0, 1},
                            .known = &f->known,
                            .knowledge = &f->knowledge,
                            .stop = &never,
                            .compile = fake_compile,
                            .measure = fake_measure};
    cr_assert(f->setup.strategy);
}

void fake_close(fake *f) {
    folder_remove(&f->folder);
    cvk_network_free(f->network);
    arena_free(&f->arena);
}

static void read_known(fake *f) {
    f->known = (record_list){0};
    cr_assert_eq(database_read(&f->arena, f->folder.path, NULL, &f->known), CVK_OK);
}

void fake_tune(fake *f) {
    read_known(f);
    f->knowledge = (surrogate_knowledge){.lessons = 0};
    f->setup.writer = database_writer_new(f->folder.path);
    cr_assert_eq(tune_layer(&f->setup, &f->limits, &f->arena, f->spec, &f->result), CVK_OK);
    database_writer_free(f->setup.writer);
    read_known(f);
}

record_list fake_trials(fake *f) {
    record_list trials = {0};
    for (size_t i = 0; i < f->known.count; i++)
        if (f->known.record[i].kind == RECORD_TRIAL) record_list_add(&f->arena, &trials, &f->known.record[i]);
    return trials;
}
