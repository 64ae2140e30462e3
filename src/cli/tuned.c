/* Layers and what a database knows of them. */
#include "cli/tuned.h"

#include "chain.h"

cli_exit tuned_open(session *s, arena *a, const known_plans **to) {
    *to = NULL;
    if (!s->options->tuned) return CLI_DONE;
    known_plans *known = arena_new(a, known_plans);
    *to = known;
    return session_fail(s, known_open(a, s->options->tuned, s->diagnostics, known));
}

const cvk_spec *tuned_layer(session *s, arena *a, const known_plans *known, const cvk_spec *spec,
                            const cvk_target *target, const char **origin) {
    known_origin from;
    if (!known) return spec;
    const cvk_spec *layer = known_layer(known, a, spec, session_goal(s, target), &from);
    if (origin) *origin = from.words;
    s->tuned_layers++;
    if (!from.missing) return layer;
    if (!s->untuned_layers++) s->untuned = arena_format(a, "%s: the plan is %s", spec->name, from.words);
    return layer;
}

void tuned_report(const session *s) {
    if (s->untuned_layers)
        session_say("--tuned: nothing is known of %zu of %zu layers; of the first, %s", s->untuned_layers,
                    s->tuned_layers, s->untuned);
}

cli_exit tuned_apply(session *s, arena *a, bool networks) {
    const known_plans *known;
    cli_exit status = tuned_open(s, a, &known);
    if (status != CLI_DONE || !known) return status;
    for (size_t i = 0; i < s->layer_count; i++)
        if (networks || !session_in_network(s, &s->layers[i]))
            s->layers[i].spec = tuned_layer(s, a, known, s->layers[i].spec, s->target, &s->layers[i].origin);
    tuned_report(s);
    return CLI_DONE;
}

cli_exit tuned_network(session *s, arena *a, const session_file *file, ready_network *r) {
    const known_plans *known;
    cli_exit status = tuned_open(s, a, &known);
    if (status != CLI_DONE) return status;
    ready_network_begin(a, file->network, chain_near_bytes(s->target), r);
    for (int i = 0; i < r->kernels.count; i++)
        r->kernels.layer[i] = tuned_layer(s, a, known, r->kernels.layer[i], s->target, NULL);
    tuned_report(s);
    return CLI_DONE;
}
