/* Compiles a layer a few times, with nothing else running, and measures it in turns with the FMA peak, with itself on
 * one thread, and with a peer's direct and Winograd convolutions. */
#include "lab/timing.h"
#include "base/clock.h"
#include "lab/cores.h"
#include "lab/ready.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPILES = 3 };

double timing_compile_seconds(const compile_times *t) {
    return t->plan + t->emit.lower + t->emit.optimise + t->emit.generate + t->load;
}

cvk_status timing_compile(const cvk_spec *spec, goal aim, cvk_diagnostics *d, compile_times *times) {
    *times = (compile_times){0};
    cvk_object object;
    cvk_status status = compile_layer(spec, aim, NULL, d, &object, times);
    if (status != CVK_OK) return status;
    jit_image image = {0};
    const void *info;
    double begin = clock_seconds();
    status = jit_load(object.bytes, object.size, spec->name, d, &image, &info);
    times->load = clock_seconds() - begin;
    jit_unload(&image);
    object_free(&object);
    return status;
}

static int by_seconds(const void *a, const void *b) {
    double x = timing_compile_seconds(a), y = timing_compile_seconds(b);
    return (x > y) - (x < y);
}

static cvk_status time_compiling(const lab *l, const cvk_spec *spec, compile_times *median) {
    compile_times all[COMPILES];
    lab_rest(l);
    for (int i = 0; i < COMPILES; i++) {
        cvk_status status = timing_compile(spec, lab_goal(l), l->diagnostics, &all[i]);
        if (status != CVK_OK) return status;
    }
    qsort(all, COMPILES, sizeof *all, by_seconds);
    *median = all[COMPILES / 2];
    return CVK_OK;
}

static double bytes_of(const ready *r, cvk_role role) {
    return (double)cvk_buffer_needs(r->info, role, (uint64_t)r->spec.batch, 1).bytes;
}

static void describe(const ready *r, arena *a, timing *t) {
    text brief = text_new(a);
    layer_plan_print_brief(&r->unit.plan, &brief);
    t->plan = brief.bytes;
    t->predicted = 1 / r->unit.predicted;
    t->object_bytes = (double)r->object_bytes;
    t->operations = 2 * (double)spec_macs(&r->spec);
    t->bytes = (double)r->info->weights.bytes;
    static const cvk_role others[] = {CVK_ROLE_INPUT, CVK_ROLE_BIAS, CVK_ROLE_SCALE, CVK_ROLE_ADDEND, CVK_ROLE_OUTPUT};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) t->bytes += bytes_of(r, others[i]);
}

static const cvk_post_op *post_ops(const cvk_spec *s, arena *a) {
    cvk_post_op *to = arena_array(a, cvk_post_op, s->post_count + 1);
    for (int i = 0; i < s->post_count; i++)
        to[i] = (cvk_post_op){(cvk_post_kind)s->post[i].kind, s->post[i].a, s->post[i].b};
    return to;
}

/* A layer as peers see it; NULL for padding other than zeros. */
static const peer_problem *pose(const cvk_spec *s, arena *a) {
    if (s->padding != PAD_ZEROS) return NULL;
    peer_problem *p = arena_new(a, peer_problem);
    *p = (peer_problem){.rank = s->rank,
                        .batch = s->batch,
                        .in_channels = s->in_channels,
                        .out_channels = s->out_channels,
                        .groups = s->groups,
                        .dtype = s->dtype,
                        .bias = s->bias,
                        .post_op_count = (size_t)s->post_count,
                        .post_ops = post_ops(s, a)};
    const struct {
        int64_t *to;
        const int64_t *from;
    } axes[] = {{p->in_size, s->in_size},    {p->out_size, s->out_size}, {p->kernel, s->kernel},
                {p->stride, s->stride},      {p->dilation, s->dilation}, {p->pad_before, s->pad_before},
                {p->pad_after, s->pad_after}};
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) memcpy(axes[i].to, axes[i].from, sizeof p->kernel);
    return p;
}

/* A peer's layer and how to run it, behind one pointer. */
typedef struct contender {
    const peer *peer;
    peer_layer *layer; /* NULL: it cannot do that */
} contender;

static void run_contender(const void *context) {
    const contender *c = context;
    c->peer->run(c->layer);
}

static void rest_contender(const void *context) { ((const contender *)context)->peer->rest(); }

static void open_contenders(const lab *l, const cvk_spec *spec, const timing_setup *setup, arena *a, timing *t,
                            contender to[PEER_WAYS]) {
    const peer *rival = setup->peer;
    const peer_problem *posed = rival ? pose(spec, a) : NULL;
    for (int way = 0; way < PEER_WAYS; way++) {
        const peer_request request = {posed, (peer_way)way, l->threads->workers, l->target->cpu_features, setup->plain};
        to[way] = (contender){rival, posed ? rival->open(&request) : NULL};
        if (to[way].layer) t->peer[way].variant = arena_format(a, "%s", rival->variant(to[way].layer));
    }
    if (rival) rival->rest();
}

/* What is measured always; then come one thread and the contenders, where there are any. */
enum { OURS, PEAK, ALWAYS, THINGS = ALWAYS + 1 + PEER_WAYS };

static void measure_all(const ready *r, const probe *peak, const timing_setup *setup, const contender c[PEER_WAYS],
                        timing *t) {
    const lab alone = lab_alone(r->lab);
    ready single = *r;
    single.lab = &alone;
    measured things[THINGS] = {[OURS] = ready_measured(r), [PEAK] = probe_measured(peak)};
    size_t count = ALWAYS;
    double *to[THINGS] = {[OURS] = &t->seconds, [PEAK] = &t->peak};
    if (r->lab->threads->workers > 1) {
        to[count] = &t->single_seconds;
        things[count++] = ready_measured(&single);
    }
    for (int way = 0; way < PEER_WAYS; way++)
        if (c[way].layer) {
            to[count] = &t->peer[way].seconds;
            things[count++] = (measured){.run = run_contender, .rest = rest_contender, .context = &c[way]};
        }
    measure(things, count, setup->evict ? evict_run : NULL, setup->evict);
    for (size_t i = 0; i < count; i++) *to[i] = things[i].seconds;
    t->peak = probe_rate(peak, &things[PEAK]);
}

cvk_status timing_run(const lab *l, const cvk_spec *spec, const timing_setup *setup, arena *a, timing *t) {
    *t = (timing){.spec = spec, .plan = "", .single_seconds = NAN};
    for (int way = 0; way < PEER_WAYS; way++) t->peer[way] = (peer_timing){NAN, ""};
    for (size_t i = 0; i < TIMING_MOST_CORES; i++) t->expected[i] = NAN;
    ready r = {0};
    cvk_status status = time_compiling(l, spec, &t->times);
    if (status == CVK_OK) status = ready_open(l, spec, NULL, a, &r);
    if (status == CVK_OK && r.info->tasks[0]) {
        contender contenders[PEER_WAYS];
        describe(&r, a, t);
        open_contenders(l, &r.spec, setup, a, t, contenders);
        measure_all(&r, &setup->peak[spec_type(spec)], setup, contenders, t);
        for (int way = 0; way < PEER_WAYS; way++)
            if (contenders[way].layer) setup->peer->close(contenders[way].layer);
    }
    ready_close(&r);
    if (status == CVK_OK && setup->core_count)
        status = cores_expect(l, spec, setup->pinned, setup->cores, setup->core_count, a, t->expected);
    return status;
}
