/* convoke/convoke.h: the compiler as a library. From a YAML spec to machine code in this process, or to objects.
 *
 *     cvk_network *net; cvk_kernel *kernel;
 *     cvk_network_parse(text, length, "net.yaml", NULL, &net);
 *     cvk_compile(cvk_network_layer(net, 0), NULL, NULL, &kernel);
 *     cvk_pack_weights(cvk_kernel_get_info(kernel), …); cvk_run(cvk_kernel_get_info(kernel), …);
 *
 * Errors. Fallible functions return a cvk_status and give their result through the last parameter, which they set to
 * NULL on failure. Details go to `diagnostics`, which may be NULL.
 *
 * Threads. All functions may be called from any thread, at the same time. Handles are immutable once made; only a
 * cvk_diagnostics belongs to one thread at a time. There is no global state but the cache of compiled kernels.
 *
 * Ownership. What a function makes is the caller's to free; every _free(NULL) is legal. Strings and structs handed in
 * are copied as needed and may go as soon as the function returns; the one exception says so.
 *
 * Structs the caller fills in begin with struct_size: set it to the sizeof, and all that is not of interest to zero,
 * which means the default. A program compiled against an older header, with fewer fields, is honoured; one compiled
 * against a newer header is, as long as it leaves the fields unknown here at zero.
 *
 * Manners. The library never exits, aborts, installs signal handlers or changes the locale or the floating-point
 * environment. It prints nothing, but for one exception, which the user of a program asks for through the environment.
 *
 *     CONVOKE_VERBOSE=1    a line of CSV on stderr for each compile and each run (docs/cache.md names the columns)
 *     CONVOKE_CACHE=off    nothing is read from or written to disk; else the directory to use
 *     CONVOKE_PERF_MAP=1   kernels are listed in /tmp/perf-PID.map, where Linux's perf looks for their names
 *     CONVOKE_GDB=1        kernels are shown to GDB through its JIT interface */
#ifndef CONVOKE_CONVOKE_H
#define CONVOKE_CONVOKE_H

#include <convoke/runtime.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Messages, in the order they arose. Owned by the caller; filled by one thread at a time. */
typedef struct cvk_diagnostics cvk_diagnostics;
typedef enum cvk_severity { CVK_SEVERITY_ERROR, CVK_SEVERITY_WARNING, CVK_SEVERITY_NOTE } cvk_severity;
typedef struct cvk_diagnostic {
    cvk_severity severity;
    unsigned code;              /* printed as E0123; stable */
    const char *file;           /* never NULL; "" where there is none */
    unsigned line, column;      /* from 1; 0 where there is none */
    const char *message, *hint; /* hint is "" where there is none */
} cvk_diagnostic;

CVK_API cvk_diagnostics *cvk_diagnostics_new(void); /* NULL when out of memory */
CVK_API void cvk_diagnostics_free(cvk_diagnostics *diagnostics);
CVK_API size_t cvk_diagnostics_count(const cvk_diagnostics *diagnostics);
CVK_API const cvk_diagnostic *cvk_diagnostics_get(const cvk_diagnostics *diagnostics, size_t index);
/* Writes `file:line:col: error[E0123]: message` and, after "\n  hint: ", the hint, as snprintf does; of NULL, nothing.
 */
CVK_API size_t cvk_diagnostic_format(const cvk_diagnostic *diagnostic, char *buffer, size_t size);

/* A spec file: layers in the order they were written. */
typedef struct cvk_network cvk_network;
typedef struct cvk_spec cvk_spec;
/* `file_name` is for messages. Text is copied as needed. */
CVK_API cvk_status cvk_network_parse(const char *text, size_t length, const char *file_name,
                                     cvk_diagnostics *diagnostics, cvk_network **network);
CVK_API cvk_status cvk_network_read(const char *path, cvk_diagnostics *diagnostics, cvk_network **network);
CVK_API void cvk_network_free(cvk_network *network);
CVK_API const char *cvk_network_name(const cvk_network *network); /* "" where the file gives none */
CVK_API size_t cvk_network_count(const cvk_network *network);
/* A layer; NULL past the end. Owned by the network. */
CVK_API const cvk_spec *cvk_network_layer(const cvk_network *network, size_t index);
CVK_API const char *cvk_spec_name(const cvk_spec *spec);

/* A layer built field by field instead of written in YAML. Arrays per axis hold spatial_rank numbers, in the order
 * D, H, W, of which the last spatial_rank are there. Every rule and limit of a file holds here too. */
typedef enum cvk_padding {
    CVK_PADDING_NUMBERS, /* padding_before and padding_after */
    CVK_PADDING_VALID,
    CVK_PADDING_SAME,
    CVK_PADDING_SAME_LOWER,
    CVK_PADDING_FULL,
    CVK_PADDING_CAUSAL
} cvk_padding;

typedef enum cvk_padding_mode {
    CVK_PADDING_ZEROS,
    CVK_PADDING_REFLECT,
    CVK_PADDING_SYMMETRIC,
    CVK_PADDING_REPLICATE,
    CVK_PADDING_CIRCULAR,
    CVK_PADDING_CONSTANT /* padding_constant; where that is 0, or of integers the zero point, as CVK_PADDING_ZEROS */
} cvk_padding_mode;

typedef enum cvk_accuracy { CVK_ACCURACY_DEFAULT, CVK_ACCURACY_STRICT, CVK_ACCURACY_FAST } cvk_accuracy;

typedef enum cvk_post_kind {
    CVK_POST_ADD,
    CVK_POST_RELU,
    CVK_POST_RELU6,
    CVK_POST_LEAKY_RELU, /* a: the slope below 0 */
    CVK_POST_CLAMP,      /* a and b: the least and the greatest */
    CVK_POST_SIGMOID,
    CVK_POST_TANH,
    CVK_POST_SILU,
    CVK_POST_GELU,
    CVK_POST_GELU_TANH,
    CVK_POST_HARD_SWISH,
    CVK_POST_HARD_SIGMOID,
    CVK_POST_ELU,
    CVK_POST_SOFTPLUS,
    CVK_POST_SCALE,    /* per channel */
    CVK_POST_SHIFT,    /* per channel; its numbers stand in `scale`, too */
    CVK_POST_MULTIPLY, /* by a tensor, as `add` adds one */
    CVK_POST_GATE,     /* by one number for each channel of an image, in `gate` */
    CVK_POST_BLEND,    /* with a tensor; a: its share, from 0 to 1 */
    CVK_POST_TIMES,    /* a: a number */
    CVK_POST_PLUS      /* a: a number */
} cvk_post_kind;

/* Pools take each channel by itself: they have neither out_channels nor groups, bias or weights; what pads them is
 * absent. Of what has no windows, stride, dilation and padding are none. */
typedef enum cvk_layer_kind {
    CVK_LAYER_CONVOLUTION,
    CVK_LAYER_MAX_POOL, /* NaN is greater than all */
    CVK_LAYER_AVERAGE_POOL,
    CVK_LAYER_DENSE,      /* all of an image; kernel_size: 0 or the input's size */
    CVK_LAYER_IDENTITY,   /* the input as it is, for post_ops; kernel_size: 0 or 1, as of all that follow */
    CVK_LAYER_GROUP_NORM, /* with groups and epsilon; scale and shift are post-ops */
    CVK_LAYER_LAYER_NORM, /* over the channels of each position; with epsilon */
    CVK_LAYER_SOFTMAX,    /* over the channels of each position */
    CVK_LAYER_RESIZE      /* with output_size, interpolation, coordinates and nearest */
} cvk_layer_kind;

/* Of a resize: what an output is made of, where it lies among the inputs, which of two is the nearest. */
typedef enum cvk_interpolation { CVK_NEAREST, CVK_LINEAR } cvk_interpolation;
typedef enum cvk_coordinates { CVK_HALF_PIXEL, CVK_ASYMMETRIC, CVK_ALIGN_CORNERS } cvk_coordinates;
typedef enum cvk_nearest { CVK_ROUND_PREFER_FLOOR, CVK_ROUND_PREFER_CEIL, CVK_ROUND_FLOOR, CVK_ROUND_CEIL } cvk_nearest;

typedef enum cvk_direction {
    CVK_FORWARD,
    CVK_BACKWARD_DATA,   /* from gradients of the output to those of the input: what is built is the transpose */
    CVK_BACKWARD_WEIGHTS /* from input and gradients of the output to those of the weights, and of the bias */
} cvk_direction;

/* How an exact sum of integers becomes a byte; docs/language.md has the formulas. */
typedef enum cvk_rounding {
    CVK_ROUNDING_NEAREST_EVEN, /* of f32(sum) times a multiplier, an f32 */
    CVK_ROUNDING_HALF_UP,      /* of sum m / 2^s, with integers m and s: cvk_buffers.scale and shift */
    CVK_ROUNDING_DOUBLE        /* gemmlowp's doubling high multiplication and rounding shift, likewise */
} cvk_rounding;

typedef struct cvk_post_op {
    cvk_post_kind kind;
    double a, b; /* 0 where the kind has no such parameter; rounded to the layer's type, and within the range of f32 */
} cvk_post_op;

/* A batch that is not known yet: cvk_buffers.batch gives it to each run. */
enum { CVK_BATCH_ANY = -1 };

typedef struct cvk_layer {
    size_t struct_size;    /* sizeof(cvk_layer) */
    const char *name;      /* [A-Za-z_][A-Za-z0-9_]*, at most 256 bytes */
    uint32_t spatial_rank; /* 1, 2 or 3 */
    int64_t batch;         /* 0 is a layer that does nothing; CVK_BATCH_ANY: as many images as each run says */
    int64_t in_channels, out_channels;     /* out_channels: of a pool 0, or as many as come in */
    int64_t groups;                        /* 0 is 1 */
    int64_t input_size[3], kernel_size[3]; /* kernel_size: of a pool 0 is the input's size */
    int64_t stride[3], dilation[3];        /* 0 is 1 */
    cvk_padding padding;
    int64_t padding_before[3], padding_after[3]; /* with CVK_PADDING_NUMBERS */
    cvk_padding_mode padding_mode;
    bool bias, flip_kernel;
    cvk_layout input_layout, output_layout;
    cvk_dtype dtype; /* of every tensor, unless `dtypes` says otherwise; halves are summed in f32, their bias and scales
                        f32 */
    cvk_accuracy accuracy;
    size_t post_op_count;
    const cvk_post_op *post_ops;
    const char *algorithm; /* NULL is "auto" */
    const char *schedule;  /* NULL, or a plan as cvk_kernel_info.plan has it */
    bool transposed;       /* the transpose of the convolution: padding crops the output; dense weights are in_channels,
                              out_channels / groups, kernel */
    int64_t output_padding[3]; /* of a transposed layer: output behind the last position */
    cvk_direction direction;   /* of gradients: there are no post-ops */
    bool accumulate;           /* gradients alone: they are added to what the output holds */
    const cvk_dtype *dtypes;   /* NULL, or those of input, weights and output */
    cvk_layer_kind kind;
    bool ceil_mode;                               /* of pools: also a last window that runs beyond the padded input */
    bool count_include_pad;                       /* of averages: over padding, too */
    bool indices;                                 /* of maxima: puts out where each stands, in cvk_buffers.indices */
    int32_t input_zero_point, weights_zero_point; /* of integers: the number that stands for 0 */
    double epsilon;                               /* of norms: added to variances; 0 is 1e-5 */
    int64_t output_size[3];                       /* of a resize */
    cvk_interpolation interpolation;
    cvk_coordinates coordinates;
    cvk_nearest nearest;
    cvk_const_buffer weights; /* with data, weights that are compiled into the code: dense, finite, of their dtype, as
                                 cvk_pack_weights takes them; where each channel is filtered by itself, one kernel may
                                 stand for all. The kernel's info then has no weights to pack */
    double padding_constant; /* what the border reads, with CVK_PADDING_CONSTANT: a number of the input's type, to which
                                it is rounded if that is a float; not of a transposed layer */
    bool ignore_nan; /* taps on NaN are left out, and the others' sum is multiplied by the sum of all weights over
                        that of theirs */
    int64_t input_pitch, output_pitch, addend_pitch; /* channels of the tensor that its are part of; 0: there are no
                                                        others */
    int32_t output_zero_point, addend_zero_point;    /* of bytes that come out, and of those that are added */
    cvk_rounding rounding;                           /* of sums that come out as bytes */
    bool one_multiplier;                             /* for all channels, of sums and of each addend of bytes */
} cvk_layer;

CVK_API cvk_status cvk_spec_create(const cvk_layer *layer, cvk_diagnostics *diagnostics, cvk_spec **spec);
CVK_API void cvk_spec_free(cvk_spec *spec); /* of cvk_spec_create alone */

/* How a plan is chosen. */
typedef enum cvk_effort {
    CVK_EFFORT_ESTIMATE, /* by the cost model */
    CVK_EFFORT_MEASURE   /* the plans the model ranks highest are timed on one thread of this machine, one layer after
                            another; let nothing else run */
} cvk_effort;

/* Where kernels are looked for before they are compiled, and kept afterwards. In memory a kernel is compiled once
 * however many threads ask at once; the most recently used 1,024 are kept. On disk they are kept for other processes,
 * in $XDG_CACHE_HOME/convoke or else ~/.cache/convoke. See docs/cache.md. */
typedef enum cvk_cache {
    CVK_CACHE_DISK,   /* in memory, and on disk if there is a directory to write to */
    CVK_CACHE_MEMORY, /* in memory alone */
    CVK_CACHE_OFF     /* compiled anew each time */
} cvk_cache;

/* How to compile. */
typedef struct cvk_options {
    size_t struct_size; /* sizeof(cvk_options) */
    const char *target; /* a target's name; or "host", with what this machine was measured to do; NULL is "host" */
    cvk_effort effort;
    cvk_cache cache;
    const char *cache_directory; /* an absolute path; NULL: the environment's, or the usual one */
    uint64_t cache_bytes;        /* what the directory may hold; the least recently used goes first. 0: 256 MiB */
    uint32_t threads;            /* that cvk_network_compile uses; 0: one per CPU */
    uint64_t run_threads; /* that kernels will run on, at most 1024: plans are chosen for so many. 0: not known; they
                             are to lose nothing on one, and have work for many */
    const char *tuned; /* the absolute path of a database of `convoke tune`, whose plans are used for the layers that it
                          has for this CPU, target, number of threads and version; the others' are chosen as ever, with
                          a note. NULL: none */
} cvk_options;

/* A compiled layer, loaded and ready. Immutable; shared by reference count, so the same kernel may be given to all who
 * ask for it. `options` may be NULL. CVK_ERROR_CPU if this machine cannot run code for the target. */
typedef struct cvk_kernel cvk_kernel;
CVK_API cvk_status cvk_compile(const cvk_spec *spec, const cvk_options *options, cvk_diagnostics *diagnostics,
                               cvk_kernel **kernel);
CVK_API const cvk_kernel_info *cvk_kernel_get_info(const cvk_kernel *kernel);
CVK_API cvk_kernel *cvk_kernel_ref(cvk_kernel *kernel); /* returns its argument */
CVK_API void cvk_kernel_free(cvk_kernel *kernel);       /* drops one reference */

/* All layers of a network, on several threads: `kernels` has room for cvk_network_count of them, in their order. All
 * are compiled or none: on failure, that of the first layer to fail, every entry is NULL. */
CVK_API cvk_status cvk_network_compile(const cvk_network *network, const cvk_options *options,
                                       cvk_diagnostics *diagnostics, cvk_kernel **kernels);

/* The layers of a file that says what feeds what, `inputs` and `outputs`, as one call (cvk_network_run): each compiled
 * once, on several threads, and a plan for the memory between them. CVK_ERROR_ARGUMENT where the file does not say it.
 * What is made is immutable, and needs nothing of `network` any more. */
typedef struct cvk_compiled_network cvk_compiled_network;
CVK_API cvk_status cvk_network_build(const cvk_network *network, const cvk_options *options,
                                     cvk_diagnostics *diagnostics, cvk_compiled_network **compiled);
CVK_API const cvk_network_info *cvk_compiled_network_get_info(const cvk_compiled_network *compiled);
CVK_API void cvk_compiled_network_free(cvk_compiled_network *compiled);

/* A compile on a thread of its own. The spec must outlive the job. */
typedef struct cvk_job cvk_job;
CVK_API cvk_status cvk_compile_start(const cvk_spec *spec, const cvk_options *options, cvk_job **job);
CVK_API bool cvk_job_done(const cvk_job *job); /* whether cvk_job_wait would return at once */
/* Waits, and gives what cvk_compile would have; again each time it is called, with a reference of its own. */
CVK_API cvk_status cvk_job_wait(cvk_job *job, cvk_diagnostics *diagnostics, cvk_kernel **kernel);
/* Cancels the compile if it has not begun, else waits for its end, so that nothing of the spec is in use afterwards. No
 * other thread may be using the job. */
CVK_API void cvk_job_free(cvk_job *job);

/* Drops the cache's references to the kernels in memory; those in use stay. The disk is left alone. */
CVK_API void cvk_cache_clear(void);

/* The naive interpreter: dense weights, logical N C D H W arrays in C order whatever the spec's layouts, each of
 * its type; sums in a wider type. Of a layer for any batch, one image. `addend` holds one tensor for each post-op that
 * takes one, `scale` what a run takes (cvk_kernel_info.scales). Of gradients of weights, `weights` are the gradients of
 * the output; of pools there are none. Gradients that accumulate are added to what `output` holds. */
CVK_API cvk_status cvk_reference(const cvk_spec *spec, const void *input, const void *weights, const void *bias,
                                 const void *scale, const void *addend, void *output);
/* The same of a layer that takes more than that: `gate` has one N C array for each gate, `shift` those beside
 * multipliers that are integers. What the layer does not have is not looked at. */
typedef struct cvk_reference_tensors {
    size_t struct_size; /* sizeof(cvk_reference_tensors) */
    const void *input, *weights, *bias, *scale, *shift, *addend, *gate;
} cvk_reference_tensors;
CVK_API cvk_status cvk_reference_of(const cvk_spec *spec, const cvk_reference_tensors *tensors, void *output);
/* The same of a maximum with indices: where in the map of its channel each stands, as an N C D H W array. */
CVK_API cvk_status cvk_reference_indices(const cvk_spec *spec, const void *input, int32_t *indices);

#ifdef __cplusplus
}
#endif
#endif
