/* Terms that every room speaks: axes, padding modes, accuracy, post-ops. */
#ifndef CVK_BASE_TERMS_H
#define CVK_BASE_TERMS_H

/* Spatial axes are always three, right-aligned: a 1D layer uses W alone, a 2D one H and W. */
enum { AXIS_D, AXIS_H, AXIS_W, AXES };

/* What a tap outside the input reads. */
typedef enum padding_mode {
    PAD_ZEROS,     /* taps outside are absent */
    PAD_REFLECT,   /* d c b | a b c d | c b a: mirrored, the edge not repeated */
    PAD_SYMMETRIC, /* c b a | a b c d | d c b: mirrored, the edge repeated */
    PAD_REPLICATE, /* a a a | a b c d | d d d */
    PAD_CIRCULAR   /* b c d | a b c d | a b c */
} padding_mode;

/* What a layer makes of the inputs that its kernel spans. */
typedef enum layer_kind { LAYER_CONVOLUTION, LAYER_MAX_POOL, LAYER_AVERAGE_POOL, LAYER_KINDS } layer_kind;

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
#define POST_OP(name, word, parameters, formula) POST_##name,
#include "base/post_ops.def"
#undef POST_OP
    POST_KINDS
} post_kind;

typedef struct post_op {
    post_kind kind;
    double a, b; /* leaky_relu: a slope; clamp: a <= b; numbers of the layer's type */
} post_op;

enum { MOST_POST_OPS = 16 };

#endif
