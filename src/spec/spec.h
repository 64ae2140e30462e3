/* A checked layer: what every later stage reads. Made by spec/read.c, or by spec_finish from filled-in fields.
 *
 * Spatial axes are always three, D H W, right-aligned: a 1D layer uses W alone, a 2D one H and W; the others are
 * size 1, kernel 1, stride 1, dilation 1, no padding. All sizes are in elements. */
#ifndef CVK_SPEC_SPEC_H
#define CVK_SPEC_SPEC_H

#include "base/node.h"
#include "base/text.h"

enum { AXIS_D, AXIS_H, AXIS_W, AXES };
enum { SPEC_MOST_POST_OPS = 16 };

typedef enum padding_mode {
    PAD_ZEROS,     /* taps outside are absent */
    PAD_REFLECT,   /* d c b | a b c d | c b a: mirrored, the edge not repeated */
    PAD_SYMMETRIC, /* c b a | a b c d | d c b: mirrored, the edge repeated */
    PAD_REPLICATE, /* a a a | a b c d | d d d */
    PAD_CIRCULAR   /* b c d | a b c d | a b c */
} padding_mode;

typedef enum accuracy { ACCURACY_STRICT, ACCURACY_DEFAULT, ACCURACY_FAST } accuracy;

/* rows of spec/post_ops.def: POST_ADD, POST_RELU, … */
typedef enum post_kind {
#define POST_OP(name, word, parameters, formula) POST_##name,
#include "spec/post_ops.def"
#undef POST_OP
    POST_KINDS
} post_kind;

typedef struct post_op {
    post_kind kind;
    float a, b; /* leaky_relu: a slope; clamp: a <= b */
} post_op;

struct cvk_spec {
    const char *name;
    int rank; /* spatial axes the user wrote: 1, 2, 3 */
    int64_t batch, in_channels, out_channels, groups;
    int64_t in_size[AXES], kernel[AXES], stride[AXES], dilation[AXES];
    int64_t pad_before[AXES], pad_after[AXES];
    int64_t out_size[AXES]; /* derived */
    padding_mode padding;
    cvk_layout input_layout, output_layout;
    cvk_dtype dtype;
    accuracy accuracy;
    bool bias, flip_kernel;
    int post_count;
    post_op post[SPEC_MOST_POST_OPS];
    const char *algorithm; /* "auto" or an algorithm's name; whether there is one is for algo/ to say */
    const node *schedule;  /* NULL, or a mapping for plan/ to parse */
    place at;              /* where the layer stands in its file */
};

struct cvk_network {
    arena arena; /* owns everything below */
    const char *name;
    size_t count;
    cvk_spec *layers;
};

/* Derived figures; all shape arithmetic of a checked spec fits in int64_t. */
int64_t spec_group_in(const cvk_spec *s);  /* in_channels / groups */
int64_t spec_group_out(const cvk_spec *s); /* out_channels / groups */
int64_t spec_taps(const cvk_spec *s);      /* kernel D * H * W */
int64_t spec_macs(const cvk_spec *s);      /* multiply-adds, padding counted as present */
int spec_count_post(const cvk_spec *s, post_kind kind);
/* Elements a tensor takes in memory: blocked layouts count whole blocks. */
int64_t spec_input_elements(const cvk_spec *s);
int64_t spec_output_elements(const cvk_spec *s);
int64_t spec_weights_elements(const cvk_spec *s);
/* Offset in elements of a logical position in a tensor of `channels` and spatial `size`, in that layout. */
int64_t spec_offset(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c,
                    const int64_t at[AXES]);

/* Checks a spec whose fields C code filled in, by the rules a file is held to, and fills in out_size. `name` is
 * required; a NULL `algorithm` becomes "auto"; strings and `schedule` stay the caller's. */
cvk_status spec_finish(cvk_spec *s, cvk_diagnostics *d);

/* The layer as one line of YAML that reads back to the same spec. */
void spec_print(const cvk_spec *s, text *out);

const char *spec_layout_name(cvk_layout layout);
const char *spec_post_name(post_kind kind);

#endif
