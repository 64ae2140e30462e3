/* The mathematics between the language and the ways to compute it. A problem is a plain value; who needs another takes
 * one made from it.
 *
 *     y(n, g, oc, o) = post(bias + sum over ic, k of w(g, oc, ic, k) x(n, g, ic, o step + k tap_step + origin))
 *
 * on three axes at once, where a tap outside the input is absent or reads what the border says. Of pools, whose groups
 * are their channels, the taps that are there are not weighed and summed up but combined in another way. Where NaN is
 * left out the sum, without the bias, is of the other taps, times the sum of all weights over that of theirs. */
#ifndef CVK_PROBLEM_PROBLEM_H
#define CVK_PROBLEM_PROBLEM_H

#include "problem/axis.h"
#include "problem/view.h"
#include "base/text.h"

/* What is made of the inputs that an output's taps find. */
typedef enum combination {
    COMBINE_SUM,     /* of products with weights, which begins with the bias */
    COMBINE_MAXIMUM, /* which begins with minus infinity; NaN wins */
    COMBINE_MEAN,    /* their sum over how many are counted */
    COMBINE_NONE,    /* the only one, as it is */
    COMBINE_NUMBERS, /* of products with weights, of those that are no NaN, reweighed; every tap is present */
    /* An output and all input channels of its group at its position: */
    COMBINE_NORMALISED, /* less their mean, over the square root of their variance + epsilon */
    COMBINE_SOFTMAX,    /* its exponential, over the sum of theirs */
    COMBINE_RESIZED     /* what an axis_sample of each axis makes of the inputs */
} combination;

/* What becomes of a finished sum, in this order: scaling, post-ops, the store. The sum begins with the bias. */
typedef struct problem_epilogue {
    bool bias, accumulate; /* added to what the output holds, which is stored */
    scaling scaling;       /* before post-ops */
    bool one_multiplier;   /* for all channels */
    int addend_zero;       /* of bytes */
    int count;
    post_op op[MOST_POST_OPS];
} problem_epilogue;

typedef struct problem {
    const char *name;                             /* of the layer, for the reader */
    int64_t n, groups, out_channels, in_channels; /* channels of one group */
    combination combine;
    bool indices; /* of a maximum: also where the first of the greatest is, counted through its channel's map */
    problem_axis axis[AXES];
    view x, w, y;      /* w has no elements where nothing is weighed */
    view addend;       /* of a tensor that post-ops read: of the output's shape and layout */
    const void *known; /* the weights that w is a view of, where they are to be compiled in; else NULL */
    view moments; /* elements: a mean is taken away before post-ops, and an inverse multiplied with, which the workspace
                     holds (algo/moments.h) */
    view gate;    /* of what post-ops have for an image's channel: laid out as the output, of one position */
    cvk_type sum; /* what is accumulated in; of the bias, too */
    padding_mode border; /* what a tap outside the input reads; PAD_ZEROS: it is absent */
    double constant;     /* with PAD_CONSTANT: what it reads, counted from what stands for 0 */
    accuracy accuracy;
    double epsilon;           /* of what is normalised */
    axis_sample sample[AXES]; /* of what is resized */
    problem_epilogue post;
} problem;

struct cvk_spec;
/* A layer is a list of problems, which are independent of one another, but for those of a chain, one for each of its
 * layers (problem/band.h): forward, one. Transposed, one for each phase of
 * the strides that there is output of: the outputs congruent to it, by the taps that hit whole inputs, so that no zero
 * is ever multiplied. Gradients of weights: problem/backward_weights.h. */
int problem_count(const struct cvk_spec *spec);
/* Number `index` of them; of phases, that of the last axis counts fastest. */
problem problem_of(const struct cvk_spec *spec, int index);
/* Whether a transposed layer folds a border back: its problems put out all that there is, seen by problem_unfolded. */
bool problem_folds(const struct cvk_spec *spec);
view problem_unfolded(const struct cvk_spec *spec);
/* The output, or what post-ops read that lies as it does, by its own spec_pitch. */
view problem_output(const struct cvk_spec *spec, int pitch);
/* What follows a layer's sums. */
problem_epilogue problem_epilogue_of(const struct cvk_spec *spec);
/* Whether two of one layer differ in nothing but where their tensors begin: then what suits one suits the other. Not
 * where weights are known, which may suit each its own way. */
bool problem_alike(const problem *a, const problem *b);
/* In a few words, which outputs of the layer it is; nothing for all of them. */
void problem_print(const struct cvk_spec *spec, int index, text *out);

/* Neighbouring axes that no tap, stride or padding touches as one, which is then long: a 1x1 layer of 7 x 7 pixels is
 * one of 1 x 49, and its tiles span rows. */
problem problem_merged(const problem *p);
/* A depthwise problem with a channel multiplier as one without: the input is seen as if each of its channels were there
 * as often as it is used. */
problem problem_repeated(const problem *p);
/* Whether what is combined is weighed. */
bool problem_weighs(const problem *p);
/* Whether taps read positions outside the input. */
bool problem_is_padded(const problem *p);
/* Whether they read a border that is not there. */
bool problem_has_border(const problem *p);
/* The problem with its input, border and all, in a copy: every tap is present. Positions count from the border's first.
 * The view of the copy is for who makes it to fill in. */
problem problem_with_border_packed(const problem *p);

/* Whether an output is of what its own window finds in its input channels: the walk over tiles knows no other. */
bool problem_is_of_windows(const problem *p);
int64_t problem_multiplier(const problem *p); /* output channels to an input channel */
int64_t problem_taps(const problem *p);
int64_t problem_pixels(const problem *p);                     /* of the output */
double problem_multiply_adds(const problem *p);               /* padding counted as present */
int problem_operands(const problem *p, post_operand operand); /* post-ops that read such an operand */
cvk_type problem_post_type(const problem *p);                 /* what post-ops are computed in; of scales, too */

#endif
