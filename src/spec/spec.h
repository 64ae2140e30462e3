/* A checked layer: what every later stage reads. Made by spec/read.c, or by spec_finish from filled-in fields, or by
 * spec_chain from other layers.
 *
 * Axes that a layer does not use are of size 1, kernel 1, stride 1, dilation 1, no padding. All sizes are in elements.
 */
#ifndef CVK_SPEC_SPEC_H
#define CVK_SPEC_SPEC_H

#include "base/terms.h"
#include "base/types.h"
#include "plan/layer_plan.h"

/* Tensors whose channels may be part of a wider tensor's. */
typedef enum spec_pitch { PITCH_INPUT, PITCH_OUTPUT, PITCH_ADDEND, PITCHES } spec_pitch;

struct cvk_spec {
    const char *name;
    layer_kind kind;
    int rank; /* spatial axes the user wrote: 1, 2, 3 */
    int64_t batch, in_channels, out_channels, groups;
    bool batch_any; /* as many images as each run says; `batch` is then 1, and every figure is one image's */
    int64_t in_size[AXES], kernel[AXES], stride[AXES], dilation[AXES];
    int64_t pad_before[AXES], pad_after[AXES]; /* cropped from a transposed layer's output */
    int64_t output_padding[AXES];              /* of a transposed layer: positions behind the last */
    int64_t out_size[AXES];                    /* derived */
    padding_mode padding;
    double
        padding_constant; /* with PAD_CONSTANT: what the border reads, a number of the input's type other than its 0 */
    cvk_layout input_layout, output_layout;
    int64_t pitch[PITCHES]; /* channels in memory of the tensor that they are part of; 0: there are no others */
    cvk_type input_type, weights_type, output_type;         /* bias is of what is summed in, addends of the output's */
    int input_zero, weights_zero, output_zero, addend_zero; /* of bytes: what stands for 0 */
    rounding_mode rounding;                                 /* of sums that come out as bytes */
    bool one_multiplier;                                    /* for all channels, of sums and of each addend of bytes */
    accuracy accuracy;
    direction direction; /* forward, or backward_weights: a layer of gradients of the data is the transpose */
    bool bias, flip_kernel, transposed;
    bool specialise; /* weights that are there when it is compiled are to become `known` */
    bool ignore_nan; /* taps on NaN are left out, and the others reweighed: floats, forward, without a bias */
    bool accumulate; /* gradients, which are added to what the output holds: no post-ops, and no bias going forward */
    bool ceil_mode, count_include_pad, indices; /* of pools, which have as many groups as channels and no weights */
    interpolation interpolation;                /* of a resize, whose out_size is not derived but said */
    coordinates coordinates;
    nearest_rounding nearest;
    double epsilon;    /* of norms; a number of what is summed in */
    const void *known; /* weights that are compiled in: dense, finite, of their type; NULL: the caller of a kernel
                          brings them */
    int post_count;
    post_op post[MOST_POST_OPS];
    const char *algorithm;      /* "auto" or an algorithm's name; whether there is one is for algo/ to say */
    const layer_plan *schedule; /* NULL, or the plans it pins */
    place schedule_at;          /* where that stands */
    place at;                   /* where the layer stands in its file */
    /* Of a chain: its layers, each of which takes what the one before gives and nothing else reads. What is said above
     * is then the input of the first, and the output and the post-ops of the last; it has no kernel of its own. */
    int links; /* 0: it is one layer */
    const cvk_spec *link;
};

struct cvk_network {
    arena arena; /* owns everything below */
    const char *name;
    size_t count;
    cvk_spec *layers;
    const struct spec_graph *graph; /* spec/graph.h: what feeds what; NULL: layers do not feed one another */
};

/* What is summed in; of bias, too. Bytes that have no weights in f32, which holds them all. */
cvk_type spec_sum_type(const cvk_spec *s);
/* What becomes of sums of integers; what post-ops are computed in then, and their parameters are of. */
scaling spec_scaling(const cvk_spec *s);
cvk_type spec_post_type(const cvk_spec *s);
/* What `scale` holds, of the type that post-ops are computed in, one vector after another: multipliers of the sums;
 * then, as post-ops come, those of each addend of bytes, and what each `scale` multiplies with. The numbers of vector
 * i: one a channel, or of multipliers just one. */
int spec_scales(const cvk_spec *s);
/* Post-ops, from the first on, that are computed: not a last relu of bytes the least of which stands for 0, which is in
 * the saturation. */
int spec_computed_post_ops(const cvk_spec *s);
int64_t spec_scale_size(const cvk_spec *s, int i);
int64_t spec_scale_elements(const cvk_spec *s);
/* Shifts beside multipliers that are integers. */
int64_t spec_shift_elements(const cvk_spec *s);
/* Of what comes out: the output, or gradients of weights, which are of their type. */
cvk_type spec_result_type(const cvk_spec *s);
/* Whether gradients of weights may wait in the output while one image after another is added, each as precise as sums.
 */
bool spec_sums_any(const cvk_spec *s);
/* A layer for any batch, of so many images; others stay as they are. */
cvk_spec spec_of_batch(const cvk_spec *s, int64_t batch);

/* Of a chain, its layers one after another; of any other layer, itself. Their batch is the whole's. */
int spec_link_count(const cvk_spec *s);
cvk_spec spec_link(const cvk_spec *s, int index);
/* The layers, each checked, as one: the intermediate layouts are chosen for them, its name, accuracy and algorithm are
 * the first's. `links` are copied. */
cvk_status spec_chain(arena *a, const cvk_spec *links, int count, cvk_diagnostics *d, cvk_spec *chain);

/* Derived figures; all shape arithmetic of a checked spec fits in int64_t. */
int64_t spec_group_in(const cvk_spec *s);  /* in_channels / groups */
int64_t spec_group_out(const cvk_spec *s); /* out_channels / groups */
bool spec_weighs(const cvk_spec *s);       /* kinds with weights */
bool spec_is_pool(const cvk_spec *s);      /* kinds with windows and without weights */
bool spec_is_chain(const cvk_spec *s);
/* Groups of channels where a layer of this kind does not say how many. */
int64_t spec_groups_of_kind(const cvk_spec *s);
/* Whether it has weights, which its caller brings to be packed, or which are known. */
bool spec_has_weights(const cvk_spec *s);
int64_t spec_taps(const cvk_spec *s); /* kernel D * H * W */
/* Multiply-adds, padding counted as present, and what a transposed layer crops too. */
int64_t spec_macs(const cvk_spec *s);
int64_t spec_macs_of_input(const cvk_spec *s); /* without those whose tap falls into zeros of padding */
/* Post-ops that read such an operand. */
int spec_operands(const cvk_spec *s, post_operand operand);
/* Channels in memory of a tensor that has so many. */
int64_t spec_stored(cvk_layout layout, int64_t channels);
/* Elements a tensor takes in memory: blocked layouts count whole blocks, and what has a pitch all between its first and
 * its last. */
int64_t spec_input_elements(const cvk_spec *s);
int64_t spec_output_elements(const cvk_spec *s);
int64_t spec_weights_elements(const cvk_spec *s);
/* Of one operand of a post-op; of none, 0. */
int64_t spec_operand_elements(const cvk_spec *s, post_operand operand);
/* Of the bias, those of a chain's layers one after another. */
int64_t spec_bias_elements(const cvk_spec *s);
/* Of what comes out: the output; of gradients of the weights, those, dense, and those of the bias behind them. */
int64_t spec_result_elements(const cvk_spec *s);
/* Whether an element of those that the output takes is its own: with a pitch, others' channels lie between. */
bool spec_output_owns(const cvk_spec *s, int64_t element);
/* Channels of the tensor in memory that a layer's are part of, which are its own where nothing is said. */
int64_t spec_pitch_of(const cvk_spec *s, spec_pitch of);
/* Offset in elements of a logical position in a tensor of `channels` and spatial `size`, in that layout. */
int64_t spec_offset(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c,
                    const int64_t at[AXES]);

/* Checks a spec whose fields C code filled in, by the rules a file is held to, and fills in out_size. `name` is
 * required; a NULL `algorithm` becomes "auto"; strings and `schedule` stay the caller's. */
cvk_status spec_finish(cvk_spec *s, cvk_diagnostics *d);

/* Weights that are to be compiled into the code of a finished layer: dense, of their type, or one kernel for all where
 * each channel is filtered by itself. Copied into the arena. */
cvk_status spec_take_constants(cvk_spec *s, arena *a, const void *dense, uint64_t bytes, cvk_diagnostics *d);

/* The layer as one line of YAML that reads back to the same spec. */
void spec_print(const cvk_spec *s, text *out);
/* The same, in a network: the names of the tensor that it reads, and of those that its post-ops take, in their order.
 */
void spec_print_in_network(const cvk_spec *s, const char *input, const char *const *operand, text *out);

const char *spec_layout_name(cvk_layout layout);
const char *spec_post_name(post_kind kind);

#endif
