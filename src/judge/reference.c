/* The interpreter and the comparison, in pieces of neighbouring channels that threads take in any order. */
#include "judge/reference.h"
#include "judge/rounding.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MOST_PIECES = 64 };

typedef struct job {
    const reference *reference;
    const naive_last *last;
    const tensors *tensors;
    int64_t pieces;
    int64_t zeros[MOST_PIECES];
    verdict verdict[MOST_PIECES];
    atomic_bool starved; /* of memory */
} job;

static int64_t piece_begin(const job *j, size_t piece) {
    int64_t channels = naive_channels(j->reference->spec), larger = channels % j->pieces, i = (int64_t)piece;
    return i * (channels / j->pieces) + (i < larger ? i : larger);
}

static job job_for(const reference *r) {
    int64_t channels = naive_channels(r->spec);
    return (job){.reference = r, .pieces = channels < MOST_PIECES ? channels : MOST_PIECES};
}

static void run_piece(void *argument, size_t piece) {
    job *j = argument;
    const reference *r = j->reference;
    int64_t size = naive_channel_size(r->spec), first = piece_begin(j, piece), last = piece_begin(j, piece + 1);
    const naive_last *of = j->last;
    naive_range(&of->spec, &of->tensors, first, last, r->output + first * size, r->bound + first * size);
    if (r->places) naive_places(&of->spec, &of->tensors, first, last, r->places + first * size);
    for (int64_t i = first * size; i < last * size; i++) j->zeros[piece] += r->output[i] == 0;
}

bool reference_run(const cvk_spec *s, const layer_plan *plan, const naive_tensors *data,
                   const cvk_parallel_for *threads, reference *r) {
    int64_t count = naive_channels(s) * naive_channel_size(s), zeros = 0;
    *r = (reference){.spec = s};
    r->output = malloc((size_t)(count + 1) * sizeof *r->output);
    r->bound = malloc((size_t)(count + 1) * sizeof *r->bound);
    if (s->indices) r->places = malloc((size_t)(count + 1) * sizeof *r->places);
    if (!r->output || !r->bound || (s->indices && !r->places)) return false;
    naive_tensors bounded = *data;
    double *rounding;
    if (!rounding_of_plan(s, plan, data, threads, &rounding)) return false;
    bounded.rounding = rounding;
    naive_last last;
    const bool good = naive_begin(s, &bounded, true, threads, &last);
    job j = job_for(r);
    j.last = &last;
    if (good) threads->loop(threads->context, (size_t)j.pieces, run_piece, &j);
    naive_end(&last);
    free(rounding);
    if (!good) return false;
    for (int64_t i = 0; i < j.pieces; i++) zeros += j.zeros[i];
    r->zeros = count ? (double)zeros / (double)count : 0;
    return true;
}

void reference_free(reference *r) {
    free(r->output);
    free(r->bound);
    free(r->places);
    *r = (reference){0};
}

/* An index is right or it is not. `got` has room for them. */
static void judge_places(job *j, size_t piece, int64_t channel, int64_t size, int32_t *got) {
    const int32_t *expected = j->reference->places + channel * size;
    tensors_read_places(j->tensors, channel, got);
    for (int64_t at = 0; at < size; at++)
        if (got[at] != expected[at]) verdict_worsen(&j->verdict[piece], &(verdict){INFINITY, INFINITY});
}

static void judge_piece(void *argument, size_t piece) {
    job *j = argument;
    const cvk_spec *s = j->reference->spec;
    const int64_t size = naive_channel_size(s);
    const size_t bytes = (size_t)type_bytes(spec_result_type(s));
    char *got = malloc((size_t)size * (bytes > sizeof(int32_t) ? bytes : sizeof(int32_t)) + 1); /* indices, too */
    if (!got) {
        atomic_store(&j->starved, true);
        return;
    }
    for (int64_t i = piece_begin(j, piece); i < piece_begin(j, piece + 1); i++) {
        tensors_read(j->tensors, i, got);
        bound_judge(spec_result_type(s), size, j->reference->output + i * size, j->reference->bound + i * size, got,
                    &j->verdict[piece]);
        if (j->reference->places) judge_places(j, piece, i, size, (int32_t *)(void *)got);
    }
    free(got);
}

bool reference_judge(const reference *r, const tensors *t, const cvk_parallel_for *threads, verdict *v) {
    job j = job_for(r);
    j.tensors = t;
    threads->loop(threads->context, (size_t)j.pieces, judge_piece, &j);
    for (int64_t i = 0; i < j.pieces; i++) verdict_worsen(v, &j.verdict[i]);
    return !atomic_load(&j.starved);
}
