/* Random residues in every tensor, the formula's outputs, and a nest's held against them. */
#include "judge/identity.h"

#include "judge/formula.h"
#include "judge/nest_eval.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 64 };

struct identity {
    cvk_spec spec;
    formula_tensors dense;
    residue *memory;                                                 /* all of the tensors above and below */
    residue *input, *weights, *bias, *scale, *shift, *addend, *gate; /* in the layouts of the nests */
    residue *before;   /* what is added to, in the order of what comes out; NULL: nothing is */
    residue *expected; /* N O D H W */
};

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }
static int64_t logical_outputs(const cvk_spec *s) { return s->batch * s->out_channels * volume(s->out_size); }
static bool is_gradient(const cvk_spec *s) { return s->direction == DIRECTION_BACKWARD_WEIGHTS; }

/* ---- drawing ---- */

static residue drawn(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % RESIDUE_PRIME;
}

/* Where the positions of one channel lie: in every layout the same distance apart. */
typedef struct channel_walk {
    int64_t first, step;
} channel_walk;

static channel_walk walk(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c) {
    const int64_t at[2][AXES] = {{0}, {[AXIS_W] = 1}};
    int64_t first = spec_offset(layout, channels, size, n, c, at[0]);
    return (channel_walk){first, spec_offset(layout, channels, size, n, c, at[1]) - first};
}

/* An image from N D H W C. */
static void lay_out_image(cvk_layout layout, int64_t batch, int64_t channels, int64_t pitch, const int64_t size[AXES],
                          const residue *from, residue *to) {
    int64_t pixels = volume(size);
    for (int64_t n = 0; n < batch; n++)
        for (int64_t c = 0; c < channels; c++) {
            channel_walk w = walk(layout, pitch, size, n, c);
            for (int64_t p = 0; p < pixels; p++) to[w.first + p * w.step] = from[(n * pixels + p) * channels + c];
        }
}

/* Where the filter from input channel ic of a group to output channel oc begins: O I D H W; transposed, I O D H W, with
 * the input channels of all groups and the output channels of one. */
static int64_t filter_at(const cvk_spec *s, int64_t oc, int64_t ic) {
    int64_t inner = s->in_channels / s->groups, outer = s->out_channels / s->groups;
    if (!s->transposed) return oc * inner + ic;
    return (oc / outer * inner + ic) * outer + oc % outer;
}

/* From O D H W I/groups. */
static void lay_out_filters(const cvk_spec *s, const residue *from, residue *to) {
    int64_t taps = volume(s->kernel), inner = s->in_channels / s->groups;
    for (int64_t oc = 0; oc < s->out_channels; oc++)
        for (int64_t ic = 0; ic < inner; ic++)
            for (int64_t k = 0; k < taps; k++) to[filter_at(s, oc, ic) * taps + k] = from[(oc * taps + k) * inner + ic];
}

/* Of a chain, those of its layers one after another. */
static void lay_out_weights(identity *i) {
    int64_t begin = 0;
    for (int k = 0; k < spec_link_count(&i->spec); k++) {
        const cvk_spec link = spec_link(&i->spec, k);
        if (spec_has_weights(&link)) lay_out_filters(&link, i->dense.weights + begin, i->weights + begin);
        begin += spec_weights_elements(&link);
    }
}

static residue known_at(const cvk_spec *s, const double *weights, int64_t at) {
    const int bytes = type_bytes(s->weights_type);
    if (!weights) return residue_of_double(type_read(s->weights_type, (const char *)s->known + at * bytes));
    residue sum = residue_of_double(weights[IDENTITY_PARTS * at]);
    for (int i = 1; i < IDENTITY_PARTS; i++)
        sum = residue_add(sum, residue_of_double(weights[IDENTITY_PARTS * at + i]));
    return sum;
}

/* Weights that are known are what they are. */
static void take_known(identity *i, const double *weights, residue *dense) {
    const cvk_spec *s = &i->spec;
    const int64_t taps = volume(s->kernel), inner = s->in_channels / s->groups;
    for (int64_t oc = 0; oc < s->out_channels; oc++)
        for (int64_t ic = 0; ic < inner; ic++)
            for (int64_t k = 0; k < taps; k++)
                dense[(oc * taps + k) * inner + ic] = known_at(s, weights, filter_at(s, oc, ic) * taps + k);
}

/* One after another, of so many elements each where they are laid out. */
static void lay_out_operands(const cvk_spec *s, post_operand reads, const int64_t size[AXES], const residue *from,
                             residue *to) {
    const int64_t pitch = reads == OPERAND_TENSOR ? spec_pitch_of(s, PITCH_ADDEND) : s->out_channels;
    for (int64_t a = 0; a < spec_operands(s, reads); a++, to += spec_operand_elements(s, reads))
        for (int64_t channel = 0; channel < s->batch * s->out_channels; channel++) {
            channel_walk w = walk(s->output_layout, pitch, size, channel / s->out_channels, channel % s->out_channels);
            for (int64_t p = 0; p < volume(size); p++) to[w.first + p * w.step] = *from++;
        }
}

static void lay_out_addends(identity *i) {
    static const int64_t ONE[AXES] = {1, 1, 1};
    lay_out_operands(&i->spec, OPERAND_TENSOR, i->spec.out_size, i->dense.addend, i->addend);
    lay_out_operands(&i->spec, OPERAND_IMAGE_CHANNEL, ONE, i->dense.gate, i->gate);
}

/* The formula takes numbers as far from what stands for 0 as they are. */
static void count_from(residue *of, int64_t count, int zero) {
    for (int64_t i = 0; i < count && zero; i++) of[i] = residue_add(of[i], residue_of_integer(-zero));
}

/* One allocation: the dense tensors, drawn; those that are laid out, in which what belongs to no channel is 0. */
static bool draw(identity *i, const double *known, uint64_t seed) {
    const cvk_spec *s = &i->spec;
    int64_t inputs = s->batch * s->in_channels * volume(s->in_size);
    int64_t weights = is_gradient(s) ? logical_outputs(s) : spec_weights_elements(s);
    int64_t laid_weights = is_gradient(s) ? spec_output_elements(s) : weights;
    int64_t bias = spec_bias_elements(s), scale = spec_scale_elements(s), shift = spec_shift_elements(s);
    int64_t adds = spec_operands(s, OPERAND_TENSOR), addend = adds * logical_outputs(s);
    int64_t gates = spec_operands(s, OPERAND_IMAGE_CHANNEL), gate = gates * s->batch * s->out_channels;
    int64_t before = s->accumulate ? formula_outputs(s) : 0;
    int64_t random = inputs + weights + bias + scale + shift + addend + gate + before;
    int64_t laid_addends = adds * spec_operand_elements(s, OPERAND_TENSOR);
    int64_t laid_gates = gates * spec_operand_elements(s, OPERAND_IMAGE_CHANNEL);
    int64_t laid_out = spec_input_elements(s) + laid_weights + laid_addends + laid_gates;
    residue *at = i->memory = calloc((size_t)(random + laid_out + formula_outputs(s) + 1), sizeof *at);
    if (!at) return false;
    for (int64_t k = 0; k < random; k++) at[k] = drawn(&seed);
    if (s->known) take_known(i, known, at + inputs);
    i->bias = at + inputs + weights, i->scale = i->bias + bias, i->shift = i->scale + scale;
    residue *addends = i->shift + shift;
    i->dense = (formula_tensors){at, at + inputs, i->bias, i->scale, addends, addends + addend, i->shift};
    i->before = before ? at + random - before : NULL;
    i->input = at + random;
    i->weights = i->input + spec_input_elements(s);
    i->addend = i->weights + laid_weights;
    i->gate = i->addend + laid_addends;
    i->expected = i->gate + laid_gates;
    lay_out_image(s->input_layout, s->batch, s->in_channels, spec_pitch_of(s, PITCH_INPUT), s->in_size, i->dense.input,
                  i->input);
    if (is_gradient(s))
        lay_out_image(s->output_layout, s->batch, s->out_channels, s->out_channels, s->out_size, i->dense.weights,
                      i->weights);
    else if (spec_has_weights(s))
        lay_out_weights(i);
    lay_out_addends(i);
    count_from(at, inputs, s->input_zero);
    count_from(at + inputs, weights, s->weights_zero);
    count_from(addends, addend, s->addend_zero);
    return true;
}

/* ---- the formula ---- */

/* Where the formula has what comes out: of gradients channels are inside of taps, not outside. */
static int64_t formula_place(const cvk_spec *s, int64_t e) {
    int64_t taps = volume(s->kernel), inner = (s->transposed ? s->out_channels : s->in_channels) / s->groups;
    int64_t filter = e / taps;
    if (!is_gradient(s) || e >= spec_weights_elements(s)) return e;
    return (filter / inner * taps + e % taps) * inner + filter % inner;
}

static void add_before(identity *i) {
    for (int64_t e = 0; i->before && e < formula_outputs(&i->spec); e++) {
        residue *expected = &i->expected[formula_place(&i->spec, e)];
        *expected = residue_add(*expected, i->before[e]);
    }
}

typedef struct formula_job {
    const cvk_spec *spec;
    const formula *formula;
    residue *output;
} formula_job;

static void run_formula(void *argument, size_t piece) {
    formula_job *j = argument;
    const cvk_spec *s = j->spec;
    int64_t channels = formula_channels(s), p = (int64_t)piece;
    int64_t first = channels * p / PIECES, last = channels * (p + 1) / PIECES;
    int64_t each = channels ? formula_outputs(s) / channels : 0;
    formula_range(j->formula, first, last, j->output + first * each);
}

static void in_pieces(const cvk_parallel_for *threads, size_t pieces, cvk_parallel_body *body, void *argument) {
    if (threads)
        threads->loop(threads->context, pieces, body, argument);
    else
        for (size_t i = 0; i < pieces; i++) body(argument, i);
}

/* From N O D H W to N D H W C, a layer's output to the next one's input. */
static void hand_on(const cvk_spec *s, const residue *from, residue *to) {
    const int64_t positions = volume(s->out_size), channels = s->out_channels;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t p = 0; p < positions; p++)
                to[(n * positions + p) * channels + c] = from[(n * channels + c) * positions + p];
}

/* One layer by its formula. */
static bool run_layer(const cvk_spec *s, const formula_tensors *t, residue *output, const cvk_parallel_for *threads) {
    formula *f = formula_new(s, t);
    if (f) in_pieces(threads, PIECES, run_formula, &(formula_job){s, f, output});
    formula_free(f);
    return f != NULL;
}

/* All layers; each but the first takes what the one before gives. `memory`: room for what two of them give. */
static bool run_links(identity *i, residue *memory[2], const cvk_parallel_for *threads) {
    const int links = spec_link_count(&i->spec);
    formula_tensors t = i->dense;
    bool good = true;
    for (int k = 0; k < links && good; k++) {
        const cvk_spec link = spec_link(&i->spec, k);
        good = run_layer(&link, &t, k + 1 < links ? memory[0] : i->expected, threads);
        if (k + 1 == links) break;
        hand_on(&link, memory[0], memory[1]);
        t.input = memory[1];
        t.weights += spec_weights_elements(&link);
        t.bias += spec_bias_elements(&link);
        t.scale += spec_scale_elements(&link);
    }
    return good;
}

static bool run_formulas(identity *i, const cvk_parallel_for *threads) {
    int64_t most = 1;
    for (int k = 0; k + 1 < spec_link_count(&i->spec); k++) {
        const cvk_spec link = spec_link(&i->spec, k);
        if (logical_outputs(&link) > most) most = logical_outputs(&link);
    }
    residue *memory = malloc(2 * (size_t)most * sizeof *memory);
    const bool good = memory && run_links(i, (residue *[]){memory, memory + most}, threads);
    free(memory);
    return good;
}

identity *identity_new(const cvk_spec *s, const double *known, uint64_t seed, const cvk_parallel_for *threads) {
    identity *i = calloc(1, sizeof *i);
    if (!i) return NULL;
    i->spec = *s;
    const bool good = draw(i, known, seed) && run_formulas(i, threads);
    if (good)
        add_before(i);
    else
        identity_free(i);
    return good ? i : NULL;
}

void identity_free(identity *i) {
    if (!i) return;
    free(i->memory);
    free(i);
}

/* ---- the nests ---- */

typedef struct nest_job {
    const identity *identity;
    const nest *nest;
    int64_t pieces, scratch;
    residue *packed, *output, *indices, *workspace;
    atomic_int status;
} nest_job;

static void *nothing_in(size_t elements) {
    residue *memory = malloc((elements + 1) * sizeof *memory);
    if (memory) memset(memory, 0xFF, elements * sizeof *memory); /* RESIDUE_NONE */
    return memory;
}

/* Of all its parts. */
static int64_t elements_of(const nest *n, nest_role role) {
    int64_t elements = 0;
    for (int i = 0; i < n->tensor_count; i++) {
        const nest_tensor *t = &n->tensors[i];
        if (t->role == role && t->begin + t->elements > elements) elements = t->begin + t->elements;
    }
    return elements;
}

static void run_piece(void *argument, size_t piece) {
    nest_job *j = argument;
    const identity *i = j->identity;
    residue *scratch = nothing_in((size_t)j->scratch);
    void *const tensors[ROLE_COUNT] = {
        [ROLE_INPUT] = i->input,     [ROLE_WEIGHTS] = j->packed,      [ROLE_BIAS] = i->bias,
        [ROLE_SCALE] = i->scale,     [ROLE_ADDEND] = i->addend,       [ROLE_OUTPUT] = j->output,
        [ROLE_SCRATCH] = scratch,    [ROLE_WORKSPACE] = j->workspace, [ROLE_GRADIENT] = i->weights,
        [ROLE_INDICES] = j->indices, [ROLE_GATE] = i->gate,           [ROLE_SHIFT] = i->shift,
    };
    int64_t tasks = j->nest->tasks, p = (int64_t)piece;
    cvk_status status =
        scratch ? nest_eval(j->nest, tensors, tasks * p / j->pieces, tasks * (p + 1) / j->pieces, EVAL_RESIDUES)
                : CVK_ERROR_MEMORY;
    if (status != CVK_OK) atomic_store(&j->status, (int)status);
    free(scratch);
}

/* The outputs of a channel against the formula's; those looked at become 0. */
static int64_t first_wrong(const residue *expected, residue *got, int64_t step, int64_t count) {
    for (int64_t p = 0; p < count; p++) {
        if (got[p * step] != expected[p]) return p;
        got[p * step] = 0;
    }
    return -1;
}

static void compare_gradients(const identity *i, const residue *output, char *words) {
    const cvk_spec *s = &i->spec;
    for (int64_t e = 0; e < formula_outputs(s); e++) {
        bool of_bias = e >= spec_weights_elements(s);
        if (output[e] == i->expected[formula_place(s, e)]) continue;
        snprintf(words, IDENTITY_WORDS, "gradient %lld of %s is %s", (long long)e, of_bias ? "all" : "the weights",
                 output[e] == RESIDUE_NONE ? "not computed" : "not the formula's");
        return;
    }
}

static void compare(const identity *i, residue *output, char *words) {
    const cvk_spec *s = &i->spec;
    if (is_gradient(s)) {
        compare_gradients(i, output, words);
        return;
    }
    int64_t positions = volume(s->out_size);
    for (int64_t channel = 0; channel < s->batch * s->out_channels; channel++) {
        int64_t n = channel / s->out_channels, c = channel % s->out_channels;
        channel_walk w = walk(s->output_layout, spec_pitch_of(s, PITCH_OUTPUT), s->out_size, n, c);
        int64_t p = first_wrong(i->expected + channel * positions, output + w.first, w.step, positions);
        if (p < 0) continue;
        bool none = output[w.first + p * w.step] == RESIDUE_NONE;
        snprintf(words, IDENTITY_WORDS, "output n %lld, channel %lld, position %lld is %s", (long long)n, (long long)c,
                 (long long)p, none ? "not computed" : "not the formula's");
        return;
    }
    for (int64_t e = 0; e < spec_output_elements(s); e++)
        if (spec_output_owns(s, e) ? output[e] != 0 : output[e] != RESIDUE_NONE) {
            snprintf(words, IDENTITY_WORDS, "element %lld, which is no channel's, is %s", (long long)e,
                     spec_output_owns(s, e) ? "not zero" : "stored to");
            return;
        }
}

/* What it holds is laid out as it comes out. */
static void fill_output(const identity *i, residue *output) {
    const cvk_spec *s = &i->spec;
    if (!i->before) return;
    if (is_gradient(s)) {
        memcpy(output, i->before, (size_t)formula_outputs(s) * sizeof *output);
        return;
    }
    int64_t positions = volume(s->out_size);
    for (int64_t channel = 0; channel < s->batch * s->out_channels; channel++) {
        channel_walk w = walk(s->output_layout, spec_pitch_of(s, PITCH_OUTPUT), s->out_size, channel / s->out_channels,
                              channel % s->out_channels);
        for (int64_t p = 0; p < positions; p++) output[w.first + p * w.step] = i->before[channel * positions + p];
    }
}

static cvk_status run_nest(nest_job *j, const nest *n, const cvk_parallel_for *threads) {
    int64_t most = threads ? threads->workers : 1;
    j->nest = n;
    j->scratch = elements_of(n, ROLE_SCRATCH);
    j->pieces = n->tasks < most ? n->tasks : most;
    in_pieces(threads, (size_t)j->pieces, run_piece, j);
    return (cvk_status)atomic_load(&j->status);
}

/* Packs, runs, compares. */
static cvk_status judge(nest_job *j, const nest_phase *pack, const nest_program *run, const cvk_parallel_for *threads,
                        char *words) {
    void *const packing[ROLE_COUNT] = {[ROLE_PACK_FROM] = j->identity->weights, [ROLE_PACK_TO] = j->packed};
    cvk_status status = nest_eval_phase(pack, packing, EVAL_RESIDUES);
    const nest *n;
    for (int i = 0; status == CVK_OK && (n = program_nest(run, i)); i++) status = run_nest(j, n, threads);
    if (status == CVK_OK) compare(j->identity, j->output, words);
    if (status != CVK_ERROR_INTERNAL) return status;
    snprintf(words, IDENTITY_WORDS, "it leaves a tensor, or stores what nobody computed"); /* the evaluator stopped */
    return CVK_OK;
}

static int64_t packed_elements(const nest_phase *pack) {
    int64_t most = 0;
    for (int i = 0; i < pack->count; i++) {
        int64_t elements = elements_of(pack->nest[i], ROLE_PACK_TO);
        if (elements > most) most = elements;
    }
    return most;
}

cvk_status identity_judge(const identity *i, const nest_phase *pack, const nest_program *run,
                          const cvk_parallel_for *threads, char words[IDENTITY_WORDS]) {
    nest_job j = {.identity = i};
    j.packed = nothing_in((size_t)packed_elements(pack));
    j.output = nothing_in((size_t)spec_result_elements(&i->spec));
    j.workspace = nothing_in((size_t)program_needs(run, ROLE_WORKSPACE).elements);
    j.indices = nothing_in((size_t)program_needs(run, ROLE_INDICES).elements);
    words[0] = '\0';
    bool ready = j.packed && j.output && j.indices && j.workspace;
    if (ready) fill_output(i, j.output);
    cvk_status status = ready ? judge(&j, pack, run, threads, words) : CVK_ERROR_MEMORY;
    free(j.packed);
    free(j.output);
    free(j.indices);
    free(j.workspace);
    return status;
}
