/* cvk_network_build: steps that are one kernel are compiled once; then there are sizes, and memory can be planned. */
#include "api/all.h"

#include "chain.h"

#include "network/plan.h"

#include <stdlib.h>

struct cvk_compiled_network {
    arena arena; /* of the table, and what it points at but kernels */
    cvk_network_info info;
    size_t kernel_count;
    cvk_kernel **kernels;
};

static void make_table(cvk_compiled_network *c, const network_steps *n, const network_kernels *d) {
    const cvk_kernel_info **infos = arena_array(&c->arena, const cvk_kernel_info *, n->step_count + 1);
    for (int i = 0; i < n->step_count; i++) infos[i] = cvk_kernel_get_info(c->kernels[d->of[i]]);
    const network_memory memory = network_place(&c->arena, n, infos);
    c->info = network_table(&c->arena, n, &memory, infos);
}

/* The arena is its own. What the table points at is copied from the file, so that it may go. */
static cvk_status fill(cvk_compiled_network *c, const cvk_network *network_file, const settings *s,
                       cvk_diagnostics *diagnostics) {
    if (arena_guard(&c->arena)) return CVK_ERROR_MEMORY;
    const network_steps *n = network_of(&c->arena, network_file, chain_near_bytes(s->goal.target));
    const network_kernels d = network_kernels_of(&c->arena, n);
    c->kernels = calloc((size_t)d.count + 1, sizeof *c->kernels);
    if (!c->kernels) return CVK_ERROR_MEMORY;
    cvk_status status = request_all(d.layer, (size_t)d.count, s, diagnostics, c->kernels);
    if (status) return status;
    c->kernel_count = (size_t)d.count;
    make_table(c, n, &d);
    return CVK_OK;
}

cvk_status cvk_network_build(const cvk_network *network, const cvk_options *options, cvk_diagnostics *diagnostics,
                             cvk_compiled_network **compiled) {
    if (!compiled) return CVK_ERROR_ARGUMENT;
    *compiled = NULL;
    if (!network || !network->graph) return CVK_ERROR_ARGUMENT;
    cvk_compiled_network *made = calloc(1, sizeof *made);
    if (!made) return CVK_ERROR_MEMORY;
    arena_init(&made->arena);
    settings s;
    cvk_status status = settings_read(options, diagnostics, &s);
    s.goal.step = true;
    if (!status) status = fill(made, network, &s, diagnostics);
    settings_free(&s);
    if (!status)
        *compiled = made;
    else
        cvk_compiled_network_free(made);
    return status;
}

const cvk_network_info *cvk_compiled_network_get_info(const cvk_compiled_network *compiled) {
    return compiled ? &compiled->info : NULL;
}

void cvk_compiled_network_free(cvk_compiled_network *compiled) {
    if (!compiled) return;
    for (size_t i = 0; i < compiled->kernel_count; i++) cvk_kernel_free(compiled->kernels[i]);
    free(compiled->kernels);
    arena_free(&compiled->arena);
    free(compiled);
}
