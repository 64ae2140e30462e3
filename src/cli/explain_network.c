/* A line a step: the kernel's plan in brief, and the places of its tensors. */
#include "cli/explain_network.h"

#include "chain.h"
#include "cli/session_main.h"
#include "cli/tuned.h"
#include "plan/brief.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_place(text *out, const char *what, const cvk_network_info *info, const cvk_place *p) {
    static const char *const SPACES[] = {"", "input", "output", "weights", "workspace"};
    if (p->space == CVK_SPACE_NONE) return;
    text_add(out, "  %s %s", what, SPACES[p->space]);
    if (p->space == CVK_SPACE_INPUT) text_add(out, " %s", info->input[p->index].name);
    if (p->space == CVK_SPACE_OUTPUT) text_add(out, " %s", info->output[p->index].name);
    if (p->bytes) text_add(out, " + %" PRIu64, p->bytes);
    if (p->image_bytes) text_add(out, " + %" PRIu64 " an image", p->image_bytes);
}

/* The layers that are run with the one that has given the step its name. */
static void add_parts(text *out, const network_parts *parts) {
    for (int k = 1; k < parts->count; k++) text_add(out, k == 1 ? "\n     with %s" : ", %s", parts->layer[k]->name);
}

/* ---- chains ---- */

enum { WAYS = 3 };
static const char *const WAY_WORDS[WAYS] = {"in bands", "a layer after the other", "as steps of their own"};

static void take_cheaper(double *least, double cycles) {
    if (isnan(*least) || cycles < *least) *least = cycles;
}

/* What the cost model thinks of each way; NAN: there is no plan for it. */
static void find_ways(arena *a, const cvk_spec *chain, goal aim, double ways[WAYS]) {
    ranked_layer *plans;
    int count = 0;
    for (int i = 0; i < WAYS; i++) ways[i] = NAN;
    if (compile_rank(a, chain, aim, 0, NULL, &plans, &count) != CVK_OK) return;
    for (int i = 0; i < count; i++) take_cheaper(&ways[!layer_plan_is_fused(&plans[i].plan)], plans[i].cycles);
    double sum = 0;
    for (int i = 0; i < chain->links; i++) {
        const cvk_spec link = spec_link(chain, i);
        if (compile_rank(a, &link, aim, 1, NULL, &plans, &count) != CVK_OK || !count) return;
        sum += plans[0].cycles;
    }
    ways[2] = sum;
}

/* What a chain is predicted to take, and what it would. */
static void add_ways(arena *a, const cvk_spec *chain, goal aim, text *out) {
    double ways[WAYS];
    find_ways(a, chain, aim, ways);
    text_add(out, "\n     predicted");
    for (int i = 0; i < WAYS; i++)
        if (!isnan(ways[i])) text_add(out, "%s %.3g million cycles %s", i ? "," : "", 1e-6 * ways[i], WAY_WORDS[i]);
}

/* Bytes between the layers of a chain. */
static int64_t bytes_between(const cvk_spec *chain) {
    int64_t bytes = 0;
    for (int i = 0; i + 1 < chain->links; i++) {
        const cvk_spec link = spec_link(chain, i);
        bytes += spec_output_elements(&link) * type_bytes(link.output_type);
    }
    return bytes;
}

/* Whether what is a step of `all` is one of what is run, too: a chain as long, which ends with the same layer. */
static bool is_run(const network_steps *run, const network_step *of) {
    for (int i = 0; i < run->step_count; i++)
        if (strcmp(run->step[i].spec->name, of->spec->name) == 0) return run->step[i].parts.count == of->parts.count;
    return false;
}

static void print_apart(arena *a, const network_step *of, goal aim) {
    text line = text_new(a);
    for (int i = 0; i < of->parts.count; i++) text_add(&line, "%s%s", i ? ", " : "     ", of->parts.layer[i]->name);
    text_add(&line, ": %.1f KiB between them", (double)bytes_between(of->spec) / 1024);
    add_ways(a, of->spec, aim, &line);
    printf("%s\n", line.bytes);
}

/* The chains that there would be if nothing were near: those that are not run, each kind once. */
static void print_not_chained(arena *a, const session_file *file, const network_steps *run, goal aim) {
    const network_steps *all = network_of(a, file->network, 0);
    const network_kernels kinds = network_kernels_of(a, all);
    bool *told = arena_array(a, bool, kinds.count + 1);
    int count = 0;
    for (int i = 0; i < all->step_count; i++) {
        const network_step *of = &all->step[i];
        if (!spec_is_chain(of->spec) || told[kinds.of[i]] || is_run(run, of)) continue;
        if (!count++)
            printf(
                "\nnot chained, for what lies between is near, twice as much being less than %.0f KiB; alike ones once:\n",
                (double)chain_near_bytes(aim.target) / 1024);
        told[kinds.of[i]] = true;
        print_apart(a, of, aim);
    }
}

/* Places that are of interest: weights lie one after another. */
static void print_step(arena *a, const ready_network *r, goal aim, int i) {
    static const struct {
        cvk_role role;
        const char *word;
    } SHOWN[] = {{CVK_ROLE_INPUT, "from"}, {CVK_ROLE_ADDEND, "with"},          {CVK_ROLE_GATE, "gated by"},
                 {CVK_ROLE_OUTPUT, "to"},  {CVK_ROLE_WORKSPACE, "working in"}, {CVK_ROLE_SCRATCH, "scratch from"}};
    text line = text_new(a);
    text_add(&line, "%4d %-20s ", i, r->info.step[i].name);
    layer_plan_print_brief(&ready_network_unit(r, i)->plan, &line);
    add_parts(&line, &r->steps->step[i].parts);
    if (spec_is_chain(r->steps->step[i].spec)) add_ways(a, r->steps->step[i].spec, aim, &line);
    text_add(&line, "\n     ");
    for (size_t k = 0; k < sizeof SHOWN / sizeof *SHOWN; k++)
        add_place(&line, SHOWN[k].word, &r->info, &r->info.step[i].place[SHOWN[k].role]);
    printf("%s\n", line.bytes);
}

static void print_memory(const ready_network *r) {
    const network_memory *m = &r->memory;
    const double kib = 1024;
    printf(
        "\n%d steps, %d kernels; workspace of one worker%s %.1f KiB: %.3f of what lives at once, %.1f KiB; side by side "
        "it would be %.1f KiB\n",
        r->steps->step_count, r->kernels.count, r->steps->batch_any ? ", an image," : "", (double)m->peak / kib,
        m->bound ? (double)m->peak / (double)m->bound : 1, (double)m->bound / kib, (double)m->sum / kib);
}

static cli_exit explain(session *s, arena *a, void *context) {
    const session_file *file = context;
    ready_network r;
    const cli_exit tuned = tuned_network(s, a, file, &r);
    if (tuned != CLI_DONE) return tuned;
    goal aim = session_goal(s, s->target);
    aim.step = true;
    const cvk_status status = ready_network_plan(aim, s->diagnostics, a, &r);
    if (status != CVK_OK) return session_fail(s, status);
    printf("%s: a network for %s\n", file->path, s->target->name);
    for (int i = 0; i < r.steps->step_count; i++) print_step(a, &r, aim, i);
    print_not_chained(a, file, r.steps, aim);
    print_memory(&r);
    return CLI_DONE;
}

cli_exit explain_network(session *s, const session_file *file) {
    return session_guarded(s, explain, (session_file *)(uintptr_t)file);
}
