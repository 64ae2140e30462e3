/* The plan a database gives: where layer, target, threads, CPU and versions are its own, and nowhere else. */
#include "folder.h"

#include "records/known.h"

#include <string.h>

typedef struct fixture {
    arena arena;
    cvk_network *network;
    const cvk_spec *spec;
    goal aim;
    cvk_plan second; /* another plan than the model's */
    known_plans known;
} fixture;

static void set_up(fixture *x) {
    *x = (fixture){.aim = {.target = target_host()}};
    arena_init(&x->arena);
    x->network = parse_layer(one_layer);
    x->spec = cvk_network_layer(x->network, 0);
    x->second = model_plan(&x->arena, x->spec, x->aim, 1);
    x->known.folder = "db";
}

static void tear_down(fixture *x) {
    cvk_network_free(x->network);
    arena_free(&x->arena);
}

static record *add_match(fixture *x, bool crowned, int64_t time) {
    record r = record_of(&x->arena, x->spec, x->aim);
    text plan = text_new(&x->arena);
    plan_print(&x->second, &plan);
    r.kind = RECORD_MATCH;
    r.plan = plan.bytes;
    r.crowned = crowned;
    r.ratio = 0.9;
    r.time = time;
    record_list_add(&x->arena, &x->known.list, &r);
    return &x->known.list.record[x->known.list.count - 1];
}

/* The plan that is given, or NULL for the layer as it is. */
static const layer_plan *given(fixture *x, const char *because) {
    known_origin from;
    const cvk_spec *layer = known_layer(&x->known, &x->arena, x->spec, x->aim, &from);
    cr_expect(strstr(from.words, because), "\"%s\" does not say \"%s\"", from.words, because);
    cr_expect_eq(from.missing, strstr(from.words, "the model's: ") != NULL);
    return layer->schedule;
}

Test(known, the_plan_that_was_crowned_is_the_schedule_of_the_layer) {
    fixture x;
    set_up(&x);
    add_match(&x, true, 5);
    const layer_plan *plan = given(&x, "0.900 of the time");
    cr_assert(plan && plan_equal(layer_plan_part(plan, 0), &x.second));
    tear_down(&x);
}

Test(known, without_a_match_the_model_chooses) {
    fixture x;
    set_up(&x);
    cr_assert(!given(&x, "no match of this layer"));
    tear_down(&x);
}

Test(known, a_later_match_counts) {
    fixture x;
    set_up(&x);
    add_match(&x, false, 9);
    add_match(&x, true, 5);
    cr_assert(!given(&x, "stayed in a match"));
    add_match(&x, true, 10);
    cr_assert(given(&x, "of the time of the model's"));
    tear_down(&x);
}

Test(known, another_machine_version_target_or_number_of_threads_is_named_and_not_used) {
    fixture x;
    set_up(&x);
    record *r = add_match(&x, true, 1);
    const record own = *r;
    r->cpu = "Another CPU";
    cr_expect(!given(&x, "of another CPU: Another CPU"));
    *r = own;
    r->llvm = "1.2.3";
    cr_expect(!given(&x, "LLVM 1.2.3"));
    *r = own;
    r->target = "other";
    cr_expect(!given(&x, "for the target other"));
    *r = own;
    r->threads = 7;
    cr_expect(!given(&x, "7 threads"));
    *r = own;
    r->build = "another build of the same version";
    cr_expect(given(&x, "of the time"));
    tear_down(&x);
}

Test(known, a_plan_for_any_number_of_threads_holds_for_one) {
    fixture x;
    set_up(&x);
    add_match(&x, true, 9);
    x.aim.threads = 1;
    cr_expect(given(&x, "of the time"));
    add_match(&x, false, 1);
    cr_expect(!given(&x, "stayed in a match"), "but one for one comes first");
    x.aim.threads = 2;
    cr_expect(!given(&x, "threads"));
    tear_down(&x);
}

Test(known, a_plan_that_does_not_fit_its_layer_is_not_used) {
    fixture x;
    set_up(&x);
    record *r = add_match(&x, true, 1);
    x.second.tile_oc = 1 << 19;
    text plan = text_new(&x.arena);
    plan_print(&x.second, &plan);
    r->plan = plan.bytes;
    cr_expect(!given(&x, "does not fit the layer"));
    r->plan = "{algorithm: of another version}";
    cr_expect(!given(&x, "does not fit the layer"));
    tear_down(&x);
}

Test(known, a_layer_with_a_schedule_of_its_own_keeps_it) {
    fixture x;
    set_up(&x);
    add_match(&x, true, 1);
    cvk_spec pinned = *x.spec;
    const cvk_plan own = model_plan(&x.arena, x.spec, x.aim, 0);
    const layer_plan whole = layer_plan_of(&own);
    pinned.schedule = &whole;
    x.spec = &pinned;
    cr_assert_eq(given(&x, "its own schedule"), &whole);
    tear_down(&x);
}
