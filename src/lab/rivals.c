/* Poses a layer to peers, and compares what they answer with our own kernel's output. */
#include "lab/rivals.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the difference to our own output, as a whole: far above what any way to sum rounds to, far below what another
 * layer would give; where the output rounds coarser than that, two of its roundings. */
static double most_difference(cvk_type output) { return fmax(1e-3, 2 * type_rows[output].unit_roundoff); }
static const double HOPELESS = 10; /* times as long as another */

unsigned peer_list_ways(const peer_list *l) {
    unsigned ways = 0;
    for (size_t i = 0; i < l->count; i++) ways |= l->of[i]->ways;
    return ways;
}

static const cvk_post_op *post_ops(const cvk_spec *s, arena *a) {
    cvk_post_op *to = arena_array(a, cvk_post_op, s->post_count + 1);
    for (int i = 0; i < s->post_count; i++)
        to[i] = (cvk_post_op){(cvk_post_kind)s->post[i].kind, s->post[i].a, s->post[i].b};
    return to;
}

static const peer_problem *pose(const ready *r, arena *a) {
    const cvk_spec *s = &r->spec;
    peer_problem *p = arena_new(a, peer_problem);
    *p = (peer_problem){.operation = r->info->operation,
                        .counts_padding = s->count_include_pad,
                        .rank = s->rank,
                        .batch = s->batch,
                        .in_channels = s->in_channels,
                        .out_channels = s->out_channels,
                        .groups = s->groups,
                        .border = (cvk_padding_mode)s->padding,
                        .input_dtype = (cvk_dtype)s->input_type,
                        .weights_dtype = (cvk_dtype)s->weights_type,
                        .output_dtype = (cvk_dtype)s->output_type,
                        .input_zero = s->input_zero,
                        .weights_zero = s->weights_zero,
                        .output_zero = s->output_zero,
                        .addend_zero = s->addend_zero,
                        .rounding = (cvk_rounding)s->rounding,
                        .one_multiplier = s->one_multiplier,
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

/* Weights as who does not flip kernels wants them; the others as they are. */
static const void *unflipped(const cvk_spec *s, const void *weights, arena *a) {
    if (!s->flip_kernel) return weights;
    const int64_t taps = spec_taps(s), count = spec_weights_elements(s);
    const size_t bytes = (size_t)type_bytes(s->weights_type);
    char *to = arena_array(a, char, (size_t)count *bytes);
    const char *from = weights;
    for (int64_t i = 0; i < count; i++)
        memcpy(to + (size_t)i * bytes, from + (size_t)(i / taps * taps + taps - 1 - i % taps) * bytes, bytes);
    return to;
}

static peer_data data_of(const cvk_spec *s, const layer_data *d, arena *a) {
    const naive_tensors *t = &d->tensors;
    return (peer_data){t->input, unflipped(s, t->weights, a), s->bias ? t->bias : NULL,
                       spec_operands(s, OPERAND_TENSOR) ? t->addend : NULL, spec_scales(s) ? t->scale : NULL};
}

/* Our own output, N O D H W. */
static void *own_output(const ready *r) {
    const measured own = ready_measured(r);
    const int64_t channels = naive_channels(&r->spec), size = naive_channel_size(&r->spec);
    const int64_t bytes = size * type_bytes(r->spec.output_type);
    char *output = malloc((size_t)(channels * bytes));
    if (!output) return NULL;
    own.run(own.context);
    if (own.rest) own.rest(own.context);
    for (int64_t i = 0; i < channels; i++) tensors_read(&r->tensors, i, output + i * bytes);
    return output;
}

/* Of the second to the first: the root of the squares of the differences over those of the first. */
static double difference(cvk_type type, int64_t count, const char *own, const char *other) {
    double all = 0, off = 0;
    for (int64_t i = 0; i < count; i++) {
        const double x = type_read(type, own + i * type_bytes(type)), y = type_read(type, other + i * type_bytes(type));
        all += x * x;
        off += (x - y) * (x - y);
    }
    return all > 0 ? sqrt(off / all) : off;
}

/* How far off the peer is; INFINITY where it gives no answer. */
static double compare(const ready *r, const rival *one, const void *own, void *scratch) {
    if (one->way == PEER_SEPARABLE) return 0;
    const int64_t count = naive_channels(&r->spec) * naive_channel_size(&r->spec);
    if (!one->peer->answer(one->layer, scratch)) return INFINITY;
    const double d = difference(r->spec.output_type, count, own, scratch);
    return isnan(d) ? INFINITY : d;
}

static const char *say_wrong(const rivals *all, const rival *one, double off, arena *a) {
    return arena_format(a, "%s%s%s (off by %.2g)", all->wrong ? all->wrong : "", all->wrong ? ", " : "", one->variant,
                        off);
}

static void add_rival(const ready *r, const rival *one, const void *own, void *scratch, arena *a, rivals *to) {
    const double off = compare(r, one, own, scratch);
    if (off <= most_difference(r->spec.output_type)) {
        const double begin = clock_seconds();
        one->peer->run(one->layer);
        to->of[to->count] = *one;
        to->of[to->count++].once = clock_seconds() - begin;
        return;
    }
    to->wrong = say_wrong(to, one, off, a);
    one->peer->close(one->layer);
}

static bool is_hopeless(const rivals *all, const rival *one) {
    for (size_t i = 0; i < all->count; i++)
        if (all->of[i].way == one->way && one->once > HOPELESS * all->of[i].once) return true;
    return false;
}

/* The fastest of a way stays, so that what is hopeless does not depend on the order. */
static void leave_out_hopeless(rivals *all) {
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (is_hopeless(all, &all->of[i])) all->of[i].peer->close(all->of[i].layer), all->of[i].layer = NULL;
    for (size_t i = 0; i < all->count; i++)
        if (all->of[i].layer) all->of[count++] = all->of[i];
    all->count = count;
}

static void ask(const ready *r, const peer *who, peer_request *request, const void *own, void *scratch, arena *a,
                rivals *to) {
    for (int way = 0; way < PEER_WAYS; way++) {
        if (!(who->ways >> way & 1)) continue;
        request->way = (peer_way)way;
        rival one = {who, who->open(request), (peer_way)way, "", 0};
        if (!one.layer) continue;
        one.variant = arena_format(a, "%s %s", who->title(), who->variant(one.layer));
        add_rival(r, &one, own, scratch, a, to);
    }
    who->rest();
}

/* What is added to grows from run to run; gradients of a flipped kernel come out flipped; and one tensor is compared.
 */
static bool is_posed(const cvk_spec *s) {
    return !s->accumulate && !s->indices && !spec_is_chain(s) && (s->direction == DIRECTION_FORWARD || !s->flip_kernel);
}

cvk_status rivals_open(const ready *r, const peer_list *peers, arena *a, rivals *to) {
    *to = (rivals){.count = 0};
    if (!peers->count || !is_posed(&r->spec)) return CVK_OK;
    const cvk_target *t = r->lab->target;
    const size_t bytes =
        (size_t)(naive_channels(&r->spec) * naive_channel_size(&r->spec)) * (size_t)type_bytes(r->spec.output_type);
    void *own = own_output(r), *scratch = malloc(bytes);
    const bool good = own && scratch && ready_data(r->lab, &r->spec, &to->data);
    if (good) {
        peer_request request = {.problem = pose(r, a),
                                .data = data_of(&r->spec, &to->data, a),
                                .threads = r->lab->threads->workers,
                                .cpu_features = t->cpu_features,
                                .narrowed = (target_host()->cpu_features & ~t->cpu_features) != 0,
                                .plain = peers->plain};
        for (size_t i = 0; i < peers->count; i++) ask(r, peers->of[i], &request, own, scratch, a, to);
        leave_out_hopeless(to);
    }
    free(own);
    free(scratch);
    return good ? CVK_OK : CVK_ERROR_MEMORY;
}

void rivals_close(rivals *r) {
    for (size_t i = 0; i < r->count; i++) r->of[i].peer->close(r->of[i].layer);
    r->count = 0;
    data_free(&r->data);
}

static void run_rival(const void *context) {
    const rival *r = context;
    r->peer->run(r->layer);
}

static void rest_rival(const void *context) { ((const rival *)context)->peer->rest(); }

measured rival_measured(const rival *r) { return (measured){.run = run_rival, .rest = rest_rival, .context = r}; }
