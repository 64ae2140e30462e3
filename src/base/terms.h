/* Terms that every room speaks: axes, padding modes, accuracy, post-ops. */
#ifndef CVK_BASE_TERMS_H
#define CVK_BASE_TERMS_H

#include <stdbool.h>

/* Spatial axes are always three, right-aligned: a 1D layer uses W alone, a 2D one H and W. */
enum { AXIS_D, AXIS_H, AXIS_W, AXES };

/* What a tap outside the input reads. */
typedef enum padding_mode {
    PAD_ZEROS,     /* taps outside are absent */
    PAD_REFLECT,   /* d c b | a b c d | c b a: mirrored, the edge not repeated */
    PAD_SYMMETRIC, /* c b a | a b c d | d c b: mirrored, the edge repeated */
    PAD_REPLICATE, /* a a a | a b c d | d d d */
    PAD_CIRCULAR,  /* b c d | a b c d | a b c */
    PAD_CONSTANT,  /* x x x | a b c d | x x x: a number that the layer says */
    PADDING_MODES
} padding_mode;

/* rows of base/layer_kinds.def: LAYER_CONVOLUTION, LAYER_MAX_POOL, … */
typedef enum layer_kind {
#define LAYER_KIND(NAME, word, weighs, windows) LAYER_##NAME,
#include "base/layer_kinds.def"
#undef LAYER_KIND
    LAYER_KINDS
} layer_kind;

typedef struct layer_kind_row {
    const char *word;
    bool weighs, windows;
} layer_kind_row;
extern const layer_kind_row layer_kind_rows[LAYER_KINDS];

/* Of a resize: what an output is made of; where it lies among inputs; to which one a place is nearest. */
typedef enum interpolation { INTERPOLATION_NEAREST, INTERPOLATION_LINEAR } interpolation;
typedef enum coordinates {
    COORDINATES_HALF_PIXEL,   /* (o + 1/2) in / out - 1/2 */
    COORDINATES_ASYMMETRIC,   /* o in / out */
    COORDINATES_ALIGN_CORNERS /* o (in - 1) / (out - 1); 0 where there is one output */
} coordinates;
typedef enum nearest_rounding {
    ROUNDING_PREFER_FLOOR,
    ROUNDING_PREFER_CEIL,
    ROUNDING_FLOOR,
    ROUNDING_CEIL
} nearest_rounding;

/* Which way a layer is gone through; what is backward takes gradients. */
typedef enum direction { DIRECTION_FORWARD, DIRECTION_BACKWARD_DATA, DIRECTION_BACKWARD_WEIGHTS, DIRECTIONS } direction;

/* How a sum of integers, times its multiplier, becomes a byte. */
typedef enum rounding_mode {
    ROUND_NEAREST_EVEN, /* of f32(sum) m, m an f32 */
    ROUND_HALF_UP,      /* of sum m / 2^s, m and s integers */
    ROUND_DOUBLE,       /* the upper half of 2 sum m, half up, then over 2^s, ties away from 0 */
    ROUNDINGS
} rounding_mode;

/* What that makes of a sum before post-ops. */
typedef enum scaling {
    SCALING_NONE,    /* it stays as it is */
    SCALING_FLOAT,   /* f32(sum) m, in f32 */
    SCALING_HALF_UP, /* rounded, in s32 */
    SCALING_DOUBLE
} scaling;

typedef enum accuracy { ACCURACY_STRICT, ACCURACY_DEFAULT, ACCURACY_FAST } accuracy;

/* rows of base/post_ops.def: POST_ADD, POST_RELU, … */
typedef enum post_kind {
#define POST_OP(name, word, parameters, operand, formula) POST_##name,
#include "base/post_ops.def"
#undef POST_OP
    POST_KINDS
} post_kind;

/* What a post-op reads beside the value so far; several that read the same sort read one after another of it. */
typedef enum post_operand {
    OPERAND_NONE,
    OPERAND_TENSOR,        /* an addend, of the output's shape, layout and type */
    OPERAND_IMAGE_CHANNEL, /* a gate: the same of one position */
    OPERAND_CHANNEL,       /* a scale: one number a channel, of what is summed in */
    POST_OPERANDS
} post_operand;

typedef struct post_row {
    const char *word;
    int parameters;
    post_operand operand;
    const char *formula;
} post_row;
extern const post_row post_rows[POST_KINDS];

typedef struct post_op {
    post_kind kind;
    double a, b; /* leaky_relu: a slope; clamp: a <= b; blend: a in 0 .. 1 and b = 1 - a; numbers of the layer's type */
} post_op;

enum { MOST_POST_OPS = 16, MOST_LINKS = 6 };

/* Whether it combines what a layer computes with what another may have computed. */
bool post_takes_tensor(post_kind kind);
/* Of a list, those that read such an operand. */
int post_count_reading(const post_op *list, int count, post_operand operand);

#endif
