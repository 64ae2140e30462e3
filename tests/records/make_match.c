/* make_match SPEC DIR: a database in the folder DIR in which, for every layer of the file SPEC, the plan that the cost
 * model ranks second has won a match on this machine, for any number of threads. Prints these plans. Its calibration is
 * the table's. */
#include "compile.h"
#include "records/database.h"

#include <stdio.h>

static bool add(arena *a, database_writer *w, const cvk_spec *spec) {
    const goal aim = {.target = target_host()};
    ranked_layer *plans;
    int count;
    if (compile_rank(a, spec, aim, 2, NULL, &plans, &count) != CVK_OK || count < 2) return false;
    record r = record_of(a, spec, aim);
    text plan = text_new(a);
    layer_plan_print(&plans[1].plan, &plan);
    r.kind = RECORD_MATCH;
    r.plan = plan.bytes;
    r.ratio = 0.75;
    r.turns = 41;
    r.crowned = true;
    r.time = 1;
    printf("%s\n", r.plan);
    return database_append(w, &r, NULL) == CVK_OK;
}

int main(int count, char **arguments) {
    cvk_network *network = NULL;
    arena a;
    bool good = count == 3 && cvk_network_read(arguments[1], NULL, &network) == CVK_OK;
    database_writer *w = good ? database_writer_new(arguments[2]) : NULL;
    arena_init(&a);
    if (arena_guard(&a)) return 1;
    for (size_t i = 0; i < cvk_network_count(network) && good; i++) good = add(&a, w, cvk_network_layer(network, i));
    database_writer_free(w);
    cvk_network_free(network);
    arena_free(&a);
    return good ? 0 : 1;
}
