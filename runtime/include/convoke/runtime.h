/* convoke/runtime.h: what a program needs to run compiled convolution kernels. C11 and libc alone.
 *
 * A kernel is a constant `cvk_kernel_info`, found in an object that `convoke compile` wrote or obtained from a
 * JIT-compiled `cvk_kernel`. Run it with `cvk_run`, which checks everything, or call `info->run` directly.
 *
 *     cvk_buffers b = {.struct_size = sizeof b, .input = {x, x_bytes}, .weights = {packed, packed_bytes}, …};
 *     cvk_status status = cvk_run(&resnet50_res3_3x3, &b, NULL);
 *
 * Layouts. Logical shape is N, C, D, H, W (missing spatial axes are 1). `channels_first` is that order in memory;
 * `channels_last` is N, D, H, W, C; `blocked` is N, ceil(C/16), D, H, W, 16 with the last block filled up with zeros,
 * which a kernel also writes. Dense weights are out_channels, in_channels/groups, kernel D, H, W; of a transposed
 * convolution in_channels, out_channels/groups, kernel.
 *
 * Nothing here allocates, prints, exits, or touches the floating-point environment. All functions are thread-safe. */
#ifndef CONVOKE_RUNTIME_H
#define CONVOKE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define CVK_API
#else
#define CVK_API __attribute__((visibility("default")))
#endif

/* Every status a convoke function can return; rows in convoke/status.def. */
typedef enum cvk_status {
#define CVK_STATUS(name, text) CVK_##name,
#include <convoke/status.def>
#undef CVK_STATUS
} cvk_status;

/* A short English sentence; static. */
CVK_API const char *cvk_status_text(cvk_status status);

#define CVK_ABI_VERSION 2u

/* The last of each is no value but makes it as wide as an int, also where compilers like enumerations short. */
typedef enum cvk_layout {
    CVK_CHANNELS_FIRST,
    CVK_CHANNELS_LAST,
    CVK_BLOCKED,
    CVK_LAYOUT_WIDTH = 0x7fffffff
} cvk_layout;
/* The type of a tensor's elements: C's float, double; IEEE's half precision, and the upper half of a float, of two
 * bytes each; int8_t, uint8_t, int32_t. */
typedef enum cvk_dtype {
    CVK_F32,
    CVK_F64,
    CVK_F16,
    CVK_BF16,
    CVK_S8,
    CVK_U8,
    CVK_S32,
    CVK_DTYPE_WIDTH = 0x7fffffff
} cvk_dtype;

/* What a kernel computes. */
typedef enum cvk_operation {
    CVK_CONVOLUTION,
    CVK_TRANSPOSED,
    CVK_WEIGHTS_GRADIENT, /* of a convolution, from its input and the gradients of its output; the bias' behind it */
    CVK_TRANSPOSED_WEIGHTS_GRADIENT,
    CVK_MAX_POOL, /* NaN is greater than all; padding is none */
    CVK_AVERAGE_POOL,
    CVK_DENSE,      /* of all channels and positions of an image; weights as those of a convolution that large */
    CVK_IDENTITY,   /* of the input as it is: post-ops alone */
    CVK_GROUP_NORM, /* less the mean, over the deviation: of a group of channels, all positions of an image; */
    CVK_LAYER_NORM, /* or of all channels of each position by itself */
    CVK_SOFTMAX,    /* over the channels of each position */
    CVK_RESIZE,     /* inputs at other places: the nearest, or linear between neighbours */
    CVK_OPERATION_WIDTH = 0x7fffffff
} cvk_operation;

/* CPU features a kernel may need, one bit each; rows in convoke/cpu.def. */
typedef enum cvk_cpu_feature {
#define CVK_CPU(name, bit, llvm_name) CVK_CPU_##name = 1 << (bit),
#include <convoke/cpu.def>
#undef CVK_CPU
} cvk_cpu_feature;
#define CVK_CPU_FP16FML (UINT64_C(1) << 32)

/* The features of the running CPU that its operating system has enabled (CPUID and XGETBV on x86, HWCAP on Linux
 * elsewhere). */
CVK_API uint64_t cvk_cpu_features(void);

/* The buffers of a run: rows of convoke/buffers.def, CVK_ROLE_INPUT to CVK_ROLE_WORKSPACE. */
typedef enum cvk_role {
#define CVK_BUFFER(NAME, member, needs, access, share) CVK_ROLE_##NAME,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    CVK_ROLES
} cvk_role;

/* What the raw kernel takes: `batch`, then a pointer for each row of convoke/buffers.def, const where the kernel only
 * reads: input, weights (packed), bias, scale, addend, output, scratch (of the calling worker), workspace. Those of
 * buffers that the kernel does not have may be NULL. */
typedef struct cvk_args {
    uint64_t batch; /* images, where info->batch_any */
#define CVK_POINTER_READ const void *
#define CVK_POINTER_WRITE void *
#define CVK_BUFFER(NAME, member, needs, access, share) CVK_POINTER_##access member;
#include <convoke/buffers.def>
#undef CVK_BUFFER
} cvk_args;

/* A kernel is a program of phases. This runs tasks first_task <= t < last_task of one of them, of the
 * info->tasks[phase] that there are. Tasks of a phase are independent: any order, any split, any threads, the same
 * bits; but all of them end, and what they wrote is visible, before one of the next phase begins. Concurrent calls need
 * scratch of their own, and share the rest. */
typedef void cvk_kernel_fn(const cvk_args *args, uint32_t phase, uint32_t first_task, uint32_t last_task);

/* Packs dense weights, in C order, of the shape that the info says, into `packed`, info->packed_weights.bytes long:
 * first CVK_PACKED_HEADER bytes, which are info->packed_tag and zeros, then what the kernel reads. */
typedef void cvk_pack_fn(const void *weights, void *packed);
enum { CVK_PACKED_HEADER = 64 };

/* Bytes and alignment of one buffer; bytes is 0 where the kernel has no such buffer. */
typedef struct cvk_buffer_info {
    uint64_t bytes;
    uint32_t alignment; /* a power of two */
    uint32_t held;      /* 1: what it holds when a run begins is added to: the output of a layer that accumulates */
} cvk_buffer_info;

/* What a description has room for. An array in it, not a pointer from it: so it is copied as one value, and who loads
 * one that cannot be trusted has nothing to follow. */
enum { CVK_MOST_PHASES = 8 };

/* One compiled layer. Constant; lives as long as the object or cvk_kernel it came from. Its fields leave no gaps,
 * whether pointers have 32 bits or 64.
 *
 * Gradients of weights are made of two images: `input`, and `gradient`, that of the output, whose shape and layout
 * stand as weights_shape, weights_dtype and output_layout. What comes out, in `output`, is dense: as the weights are,
 * of output_shape, then one number an output channel where the layer has a bias. There are no weights to pack.
 *
 * Pools have no weights to pack: weights_shape is 0, 0 and the size of their windows. One that puts out `indices`, too,
 * gives for each maximum where it stands in its channel, (d H + h) W + w, the first where several are as great.
 *
 * Where `batch_any` is 1, the kernel takes any number of images, which each run says (cvk_buffers.batch). `tasks`,
 * `kilocycles` and the bytes of input, addend, output, indices and workspace are then those of one image,
 * input_shape[0] and output_shape[0] are 0, and task t of a phase is task t % tasks of image t / tasks. Gradients of
 * weights sum over images: of those weights_shape[0] is 0, not output_shape[0], the output is that of all images, and
 * of the phases after the first each task goes through all of them. cvk_phase_tasks says how many tasks there are. */
typedef struct cvk_kernel_info {
    uint32_t struct_size;  /* sizeof(cvk_kernel_info) when the kernel was compiled */
    uint32_t abi_version;  /* CVK_ABI_VERSION when the kernel was compiled */
    uint64_t cpu_features; /* CVK_CPU_* bits, all of them required */
    uint64_t packed_tag;   /* of layer, plan and target: begins packed weights. 0: there are none */
    int64_t input_shape[5], weights_shape[5], output_shape[5]; /* N C D H W; weights as they are dense */
    cvk_layout input_layout, output_layout;
    cvk_dtype input_dtype, weights_dtype, output_dtype; /* of bias: double with CVK_F64, of integers int32_t, else
                                                           float; of scale: double with CVK_F64, int32_t where there is
                                                           `shift`, else float; addends are of the output's */
    uint32_t spatial_rank;                              /* 1, 2 or 3 */
    uint32_t addends;    /* tensors of the output's shape and layout, one after another in `addend` */
    uint32_t scales;     /* vectors of out_channels, one after another in `scale`: of integers first the multipliers of
                            sums, which may be one for all channels, and so may those that each addend of bytes has */
    uint32_t batch_any;  /* 0 or 1 */
    uint32_t kilocycles; /* predicted, of one core, all phases, in thousands; 0: unknown */
    uint32_t phases;     /* 1 to CVK_MOST_PHASES */
    cvk_operation operation;
    uint32_t tasks[CVK_MOST_PHASES]; /* of each phase; all 0: an empty batch, nothing to do */
    const char *name;                /* the layer's name */
    const char *target;              /* the target's name, such as "x86-64-v4" */
    const char *plan;                /* the plan as text, readable back as `schedule:` */
    cvk_kernel_fn *run;
    cvk_pack_fn *pack; /* NULL: the weights are in the code, and weights.bytes and packed_weights.bytes are 0 */
    const void *reserved_pointer;
    cvk_buffer_info weights; /* dense, which `pack` takes */
    /* And one for each row of convoke/buffers.def: input, packed_weights, bias, scale, addend, output; scratch, which
     * is that of one worker; workspace. */
#define CVK_BUFFER(NAME, member, needs, access, share) cvk_buffer_info needs;
#include <convoke/buffers.def>
#undef CVK_BUFFER
} cvk_kernel_info;

/* One layer compiled for several targets: what an object holds instead of a cvk_kernel_info then. Constant. */
typedef struct cvk_kernel_set {
    uint32_t abi_version; /* CVK_ABI_VERSION when the kernels were compiled */
    uint32_t count;
    const cvk_kernel_info *const *variants; /* best first */
} cvk_kernel_set;

/* The best variant that this CPU can run; always the same one. NULL where it can run none, which is CVK_ERROR_CPU in
 * `status`, which may be NULL. Variants differ in their packed weights, scratch and tasks: pack for the one selected.
 */
CVK_API const cvk_kernel_info *cvk_select(const cvk_kernel_set *set, cvk_status *status);

/* Features by name, for a message: cvk_cpu_names(info->cpu_features & ~cvk_cpu_features(), …) says what is missing, as
 * in "avx2 fma". Writes at most `size` bytes with the terminating zero; gives the length of the whole, as snprintf
 * does. */
CVK_API size_t cvk_cpu_names(uint64_t features, char *text, size_t size);

/* A buffer and how many bytes of it may be touched. */
typedef struct cvk_const_buffer {
    const void *data;
    uint64_t bytes;
} cvk_const_buffer;
typedef struct cvk_buffer {
    void *data;
    uint64_t bytes;
} cvk_buffer;

/* Tasks of a phase, of so many images, which count where info->batch_any. */
CVK_API uint64_t cvk_phase_tasks(const cvk_kernel_info *info, uint32_t phase, uint64_t batch);

/* Everything a run reads and writes: a cvk_const_buffer or cvk_buffer for each row of convoke/buffers.def: input,
 * weights (packed), bias, scale, addend; output, scratch, workspace. `scratch` holds that of all workers, each rounded
 * up to its alignment. What the kernel does not have is not looked at. */
typedef struct cvk_buffers {
    size_t struct_size; /* sizeof(cvk_buffers) */
    uint64_t batch;     /* images of this run, where info->batch_any; else 0 will do */
#define CVK_SPAN_READ cvk_const_buffer
#define CVK_SPAN_WRITE cvk_buffer
#define CVK_BUFFER(NAME, member, needs, access, share) CVK_SPAN_##access member;
#include <convoke/buffers.def>
#undef CVK_BUFFER
} cvk_buffers;

/* What a run of that many images (which count where info->batch_any) on that many workers (1 without a parallel_for)
 * asks of one buffer. UINT64_MAX bytes: more than there can be. */
CVK_API cvk_buffer_info cvk_buffer_needs(const cvk_kernel_info *info, cvk_role role, uint64_t batch, uint32_t workers);
/* The same of scratch, in bytes, which images do not change. */
CVK_API uint64_t cvk_scratch_bytes(const cvk_kernel_info *info, uint32_t workers);

/* The caller's threads. `loop(context, n, body, argument)` calls body(argument, i) once for every 0 <= i < n, on any
 * threads, and returns when all are done and the caller sees what they wrote. n is `workers` or fewer; each i uses a
 * slice of scratch of its own. A run calls the loop once a phase, or not at all where threads would not pay. Index i
 * begins with tasks of its own, the same in every run, and then takes what others have not begun (convoke/split.h). */
typedef void cvk_parallel_body(void *argument, size_t index);
typedef void cvk_parallel_loop(void *context, size_t n, cvk_parallel_body *body, void *argument);
typedef struct cvk_parallel_for {
    cvk_parallel_loop *loop;
    void *context;
    uint32_t workers;
} cvk_parallel_for;

/* Checks ABI version and CPU features, the batch, NULL, size and alignment of every buffer, overlap of what is written
 * with anything else, and that the weights were packed for this kernel; then runs all tasks, phase after phase.
 * `parallel` may be NULL for the calling thread alone. Allocates nothing; re-entrant. */
CVK_API cvk_status cvk_run(const cvk_kernel_info *info, const cvk_buffers *buffers, const cvk_parallel_for *parallel);

/* The same checks for packing: dense weights in, packed weights out. */
CVK_API cvk_status cvk_pack_weights(const cvk_kernel_info *info, cvk_const_buffer weights, cvk_buffer packed);

/* Why a call is refused: what is the matter with which argument. Strings are static. */
typedef struct cvk_refusal {
    cvk_status status;
    const char *what;  /* "scratch", or whichever member of cvk_buffers or argument it is; NULL with CVK_OK */
    const char *other; /* with CVK_ERROR_OVERLAP: the one that `what` overlaps */
    uint64_t
        needed; /* bytes, alignment, tag of the weights, ABI version, CPU features, most images: as `status` has it */
    uint64_t given;
} cvk_refusal;

/* The checks of cvk_run and cvk_pack_weights alone. They return what those would, and fill `why`, which may be NULL. */
CVK_API cvk_status cvk_check_run(const cvk_kernel_info *info, const cvk_buffers *buffers,
                                 const cvk_parallel_for *parallel, cvk_refusal *why);
CVK_API cvk_status cvk_check_pack(const cvk_kernel_info *info, cvk_const_buffer weights, cvk_buffer packed,
                                  cvk_refusal *why);

/* A refusal as a sentence, as in "scratch has 64 bytes, not 4096". Writes at most `size` bytes with the terminating
 * zero; gives the length of the whole, as snprintf does. */
CVK_API size_t cvk_refusal_text(const cvk_refusal *why, char *text, size_t size);

/* ---- networks: kernels that feed one another, in one call ----
 *
 * A network is a constant `cvk_network_info`: a table of steps, each a kernel and the places of its buffers. Found in
 * an object of `convoke compile`, or obtained from a cvk_compiled_network.
 *
 *     cvk_network_pack(&net, dense, packed);                         once
 *     cvk_network_run(&net, &(cvk_network_buffers){.struct_size = …, .inputs = &x, .outputs = &y, …}, NULL);
 */

/* What a buffer of a step is part of. */
typedef enum cvk_space {
    CVK_SPACE_NONE, /* the step has no such buffer */
    CVK_SPACE_INPUT,
    CVK_SPACE_OUTPUT,
    CVK_SPACE_WEIGHTS,   /* packed, of all steps */
    CVK_SPACE_WORKSPACE, /* what one step leaves to others, and what kernels work in */
    CVK_SPACE_WIDTH = 0x7fffffff
} cvk_space;

/* Where it begins: in bytes, and so many more for each image where any batch will do. */
typedef struct cvk_place {
    cvk_space space;
    uint32_t index; /* of the input or output */
    uint64_t bytes, image_bytes;
} cvk_place;

typedef struct cvk_step {
    const char *name; /* of the layer, or of what was made for it */
    const cvk_kernel_info *kernel;
    const cvk_place *place; /* cvk_network_info.roles of them, by cvk_role */
} cvk_step;

/* An input or an output. Of any batch, `bytes` are those of an image, and shape[0] is 0. */
typedef struct cvk_tensor_info {
    int64_t shape[5]; /* N C D H W */
    uint64_t bytes;
    uint32_t alignment;
    uint32_t spatial_rank; /* 1, 2 or 3 */
    cvk_layout layout;
    cvk_dtype dtype;
    const char *name;
    const void *reserved_pointer;
} cvk_tensor_info;

/* An array that cvk_network_pack takes, dense. */
typedef struct cvk_weight_info {
    int64_t shape[5]; /* of weights as they are dense; of bias and scale how many, then ones */
    uint64_t bytes;
    uint64_t packed; /* where it goes, in bytes into the packed weights */
    uint32_t step;
    cvk_role role; /* CVK_ROLE_WEIGHTS, CVK_ROLE_BIAS, CVK_ROLE_SCALE or CVK_ROLE_SHIFT */
    cvk_dtype dtype;
    uint32_t alignment;
    const char *name; /* as in "res3_3x3.weights" */
    const void *reserved_pointer;
} cvk_weight_info;

/* Constant; lives as long as the object or the cvk_compiled_network that it came from. */
typedef struct cvk_network_info {
    uint32_t struct_size; /* sizeof(cvk_network_info) when it was compiled */
    uint32_t abi_version; /* CVK_ABI_VERSION when it was compiled */
    uint32_t inputs, outputs, weights, steps;
    uint32_t roles;                 /* places of a step */
    uint32_t batch_any;             /* 1: each run says how many images */
    cvk_buffer_info packed_weights; /* of all steps; 0 bytes: they are in the code, or there are none */
    cvk_buffer_info workspace;      /* of one worker, of an image where any batch will do; see cvk_network_workspace */
    const char *name, *target;
    const cvk_tensor_info *input, *output;
    const cvk_weight_info *weight;
    const cvk_step *step;
} cvk_network_info;

/* One network compiled for several targets. */
typedef struct cvk_network_set {
    uint32_t abi_version, count;
    const cvk_network_info *const *variants; /* best first */
} cvk_network_set;
CVK_API const cvk_network_info *cvk_network_select(const cvk_network_set *set, cvk_status *status);

/* Everything a run reads and writes. */
typedef struct cvk_network_buffers {
    size_t struct_size;             /* sizeof(cvk_network_buffers) */
    uint64_t batch;                 /* images of this run, where info->batch_any; else 0 will do */
    const cvk_const_buffer *inputs; /* info->inputs of them, in their order */
    const cvk_buffer *outputs;      /* info->outputs of them */
    cvk_const_buffer weights;       /* as cvk_network_pack left them */
    cvk_buffer workspace;           /* of no meaning between two runs */
} cvk_network_buffers;

/* The workspace of a run of that many images (which count where info->batch_any) on that many workers. */
CVK_API cvk_buffer_info cvk_network_workspace(const cvk_network_info *info, uint64_t batch, uint32_t workers);

/* Packs info->weights dense arrays, in the order of info->weight, into info->packed_weights.bytes. */
CVK_API cvk_status cvk_network_pack(const cvk_network_info *info, const cvk_const_buffer *weights, cvk_buffer packed);

/* Checks what cvk_run does, of all steps and of what the caller brings; then runs them, one after another, each on the
 * caller's threads. The same bits for any number of them. Allocates nothing; re-entrant. */
CVK_API cvk_status cvk_network_run(const cvk_network_info *info, const cvk_network_buffers *buffers,
                                   const cvk_parallel_for *parallel);
/* Steps first <= i < end alone, after those before them: to look at what they leave, or to time them. */
CVK_API cvk_status cvk_network_run_steps(const cvk_network_info *info, const cvk_network_buffers *buffers,
                                         uint32_t first, uint32_t end, const cvk_parallel_for *parallel);
/* The checks alone; `why`, which may be NULL, gets what is the matter with which input, output or argument. */
CVK_API cvk_status cvk_network_check_run(const cvk_network_info *info, const cvk_network_buffers *buffers,
                                         const cvk_parallel_for *parallel, cvk_refusal *why);
CVK_API cvk_status cvk_network_check_pack(const cvk_network_info *info, const cvk_const_buffer *weights,
                                          cvk_buffer packed, cvk_refusal *why);

#ifdef __cplusplus
}
#endif
#endif
