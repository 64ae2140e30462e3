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
 * which a kernel also writes. Dense weights are out_channels, in_channels/groups, kernel D, H, W.
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

#define CVK_ABI_VERSION 1u

/* The last of each is no value but makes it as wide as an int, also where compilers like enumerations short. */
typedef enum cvk_layout {
    CVK_CHANNELS_FIRST,
    CVK_CHANNELS_LAST,
    CVK_BLOCKED,
    CVK_LAYOUT_WIDTH = 0x7fffffff
} cvk_layout;
typedef enum cvk_dtype { CVK_F32, CVK_DTYPE_WIDTH = 0x7fffffff } cvk_dtype;

/* CPU features a kernel may need, one bit each; rows in convoke/cpu.def. */
typedef enum cvk_cpu_feature {
#define CVK_CPU(name, bit, llvm_name) CVK_CPU_##name = (int)(1u << (bit)),
#include <convoke/cpu.def>
#undef CVK_CPU
} cvk_cpu_feature;

/* The features of the running CPU that its operating system has enabled (CPUID and XGETBV on x86, HWCAP on Linux
 * elsewhere). */
CVK_API uint64_t cvk_cpu_features(void);

/* What the raw kernel takes. `weights` are packed; unused pointers may be NULL. */
typedef struct cvk_args {
    const void *input, *weights, *bias, *scale, *addend;
    void *output, *scratch;
} cvk_args;

/* Runs tasks first_task <= t < last_task. Tasks are independent: any order, any split, any threads, the same bits.
 * Concurrent calls need scratch of their own. */
typedef void cvk_kernel_fn(const cvk_args *args, uint32_t first_task, uint32_t last_task);

/* Packs dense weights (out_channels, in_channels/groups, kernel…) into `packed`, info->packed_weights.bytes long. */
typedef void cvk_pack_fn(const void *weights, void *packed);

/* Bytes and alignment of one buffer; bytes is 0 where the kernel has no such buffer. */
typedef struct cvk_buffer_info {
    uint64_t bytes;
    uint32_t alignment;
    uint32_t reserved;
} cvk_buffer_info;

/* One compiled layer. Constant; lives as long as the object or cvk_kernel it came from. */
typedef struct cvk_kernel_info {
    uint32_t struct_size;  /* sizeof(cvk_kernel_info) when the kernel was compiled */
    uint32_t abi_version;  /* CVK_ABI_VERSION when the kernel was compiled */
    const char *name;      /* the layer's name */
    const char *target;    /* the target's name, such as "x86-64-v4" */
    const char *plan;      /* the plan as text, readable back as `schedule:` */
    uint64_t cpu_features; /* CVK_CPU_* bits, all of them required */
    int64_t input_shape[5], weights_shape[5], output_shape[5]; /* N C D H W; weights O I D H W */
    cvk_layout input_layout, output_layout;
    cvk_dtype dtype;
    uint32_t spatial_rank; /* 1, 2 or 3 */
    uint32_t addends;      /* tensors of the output's shape and layout, one after another in `addend` */
    uint32_t scales;       /* vectors of out_channels, one after another in `scale` */
    uint32_t tasks;        /* 0: an empty batch, nothing to do */
    uint32_t kilocycles;   /* predicted, of one core, in thousands; 0: unknown */
    cvk_buffer_info input, weights, packed_weights, bias, scale, addend, output;
    cvk_buffer_info scratch; /* per worker */
    cvk_kernel_fn *run;
    cvk_pack_fn *pack; /* NULL: the weights are in the code, and weights.bytes and packed_weights.bytes are 0 */
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

/* Everything a run reads and writes. `scratch` holds `scratch_workers` workers' scratch, each rounded up to its
 * alignment: cvk_scratch_bytes() says how much that is. */
typedef struct cvk_buffers {
    size_t struct_size; /* sizeof(cvk_buffers) */
    cvk_const_buffer input, weights /* packed */, bias, scale, addend;
    cvk_buffer output, scratch;
} cvk_buffers;

/* The caller's threads. `loop(context, n, body, argument)` calls body(argument, i) once for every 0 <= i < n, on any
 * threads, and returns when all are done. n is `workers` or fewer; each i uses a slice of scratch of its own. */
typedef void cvk_parallel_body(void *argument, size_t index);
typedef void cvk_parallel_loop(void *context, size_t n, cvk_parallel_body *body, void *argument);
typedef struct cvk_parallel_for {
    cvk_parallel_loop *loop;
    void *context;
    uint32_t workers;
} cvk_parallel_for;

/* Scratch bytes for a run with that many workers (1 without a parallel_for). */
CVK_API uint64_t cvk_scratch_bytes(const cvk_kernel_info *info, uint32_t workers);

/* Checks sizes, alignment, NULL, overlap of the output with anything read, ABI version and CPU features, then runs all
 * tasks; `parallel` may be NULL for the calling thread alone. Allocates nothing; re-entrant.
 * `output` may not overlap any other buffer. */
CVK_API cvk_status cvk_run(const cvk_kernel_info *info, const cvk_buffers *buffers, const cvk_parallel_for *parallel);

/* The same checks for packing: dense weights in, packed weights out. */
CVK_API cvk_status cvk_pack_weights(const cvk_kernel_info *info, cvk_const_buffer weights, cvk_buffer packed);

#ifdef __cplusplus
}
#endif
#endif
