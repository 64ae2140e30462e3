/* Does the checked call refuse every wrong argument, and run every task once on any number of workers?
 * The kernel is a fake in C: task t adds input, weight, bias, scale and addend number t into output number t. */
#include <convoke/pthreadpool.h>
#include <convoke/runtime.h>
#ifdef _OPENMP
#include <convoke/openmp.h>
#endif

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

enum { TASKS = 100, MOST_WORKERS = 5, SCRATCH = 72, SCRATCH_STRIDE = 128, BYTES = TASKS * (int)sizeof(float) };

static atomic_int calls, collisions;

/* The scratch is marked as taken for as long as the task runs. */
static void fake_run(const cvk_args *args, uint32_t first, uint32_t last) {
    const float *x = args->input, *w = args->weights, *b = args->bias, *s = args->scale, *a = args->addend;
    float *y = args->output;
    unsigned char *scratch = args->scratch;
    if (atomic_exchange((atomic_int *)args->scratch, 1)) collisions++;
    for (uint32_t t = first; t < last; t++) {
        memset(scratch + sizeof(int), (int)t, SCRATCH - sizeof(int));
        y[t] += x[t] + w[t] + b[t] + s[t] + a[t];
        for (int i = (int)sizeof(int); i < SCRATCH; i++) collisions += scratch[i] != (unsigned char)t;
    }
    atomic_store((atomic_int *)args->scratch, 0);
    calls++;
}

static void fake_pack(const void *weights, void *packed) { memcpy(packed, weights, BYTES); }

#define FLOATS {.bytes = BYTES, .alignment = 4}
static const cvk_kernel_info fake = {
    .struct_size = sizeof fake,
    .abi_version = CVK_ABI_VERSION,
    .name = "fake",
    .tasks = TASKS,
    .input = FLOATS,
    .weights = FLOATS,
    .packed_weights = {.bytes = BYTES, .alignment = 64},
    .bias = FLOATS,
    .scale = FLOATS,
    .addend = FLOATS,
    .output = FLOATS,
    .scratch = {.bytes = SCRATCH, .alignment = SCRATCH_STRIDE},
    .run = fake_run,
    .pack = fake_pack,
};

/* All memory of a run, each buffer with room for another of its size behind it. */
enum { SPACE = 1024 };
typedef struct memory {
    alignas(SCRATCH_STRIDE) unsigned char input[SPACE], weights[SPACE], bias[SPACE], scale[SPACE], addend[SPACE],
        output[SPACE], scratch[MOST_WORKERS * SCRATCH_STRIDE];
} memory;

static cvk_buffers buffers_of(memory *m) {
    memset(m, 0, sizeof *m);
    for (int t = 0; t < TASKS; t++) {
        const float value = (float)t;
        unsigned char *inputs[] = {m->input, m->weights, m->bias, m->scale, m->addend};
        for (size_t i = 0; i < 5; i++) memcpy(inputs[i] + (size_t)t * sizeof value, &value, sizeof value);
    }
    return (cvk_buffers){.struct_size = sizeof(cvk_buffers),
                         .input = {m->input, BYTES},
                         .weights = {m->weights, BYTES},
                         .bias = {m->bias, BYTES},
                         .scale = {m->scale, BYTES},
                         .addend = {m->addend, BYTES},
                         .output = {m->output, BYTES},
                         .scratch = {m->scratch, sizeof m->scratch}};
}

static void expect_run(const char *name, const memory *m) {
    for (int t = 0; t < TASKS; t++) {
        float y;
        memcpy(&y, m->output + (size_t)t * sizeof y, sizeof y);
        cr_assert(y == 5.0f * (float)t, "%s: task %d did not run exactly once", name, t);
    }
    cr_assert_eq(collisions, 0, "%s: two workers used the same scratch", name);
}

static const char *const buffer_names[] = {"input", "weights", "bias", "scale", "addend", "output", "scratch"};
enum { BUFFERS = 7, OUTPUT = 5 };

/* The buffers of a run as the array they are: both kinds have a pointer and a size. */
static cvk_buffer *nth_buffer(cvk_buffers *b, int i) { return (cvk_buffer *)(void *)&b->input + i; }

static cvk_buffer_info *nth_info(cvk_kernel_info *info, int i) {
    cvk_buffer_info *const infos[] = {&info->input,  &info->packed_weights, &info->bias,   &info->scale,
                                      &info->addend, &info->output,         &info->scratch};
    return infos[i];
}

#define expect_status(got, wanted, name)                                                                               \
    do {                                                                                                               \
        cvk_status got_once = (got);                                                                                   \
        cr_assert_eq(got_once, (wanted), "%s: %s", (name), cvk_status_text(got_once));                                 \
    } while (0)

Test(runtime, a_right_call_runs_every_task_once) {
    memory m;
    cvk_buffers b = buffers_of(&m);
    expect_status(cvk_run(&fake, &b, NULL), CVK_OK, "one thread");
    expect_run("one thread", &m);
    cr_assert_eq(calls, 1, "one thread needs one call");
}

Test(runtime, a_missing_short_or_misaligned_buffer_is_refused) {
    memory m;
    for (int i = 0; i < BUFFERS; i++) {
        cvk_kernel_info info = fake;
        cvk_buffers b = buffers_of(&m);
        nth_buffer(&b, i)->data = NULL;
        expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_NULL, buffer_names[i]);

        b = buffers_of(&m);
        nth_buffer(&b, i)->bytes = nth_info(&info, i)->bytes - 1;
        expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_SIZE, buffer_names[i]);

        b = buffers_of(&m);
        nth_buffer(&b, i)->data = (char *)nth_buffer(&b, i)->data + 2;
        expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_ALIGNMENT, buffer_names[i]);
    }
    cr_assert_eq(calls, 0, "the kernel ran");
}

Test(runtime, a_buffer_the_kernel_does_not_have_is_not_looked_at) {
    memory m;
    for (int i = 0; i < BUFFERS; i++) {
        cvk_kernel_info info = fake;
        info.tasks = 0; /* the fake reads them all */
        nth_info(&info, i)->bytes = 0;
        cvk_buffers b = buffers_of(&m);
        *nth_buffer(&b, i) = (cvk_buffer){NULL, 0};
        expect_status(cvk_run(&info, &b, NULL), CVK_OK, buffer_names[i]);
        *nth_buffer(&b, i) = (cvk_buffer){m.output + 1, BYTES};
        expect_status(cvk_run(&info, &b, NULL), CVK_OK, buffer_names[i]);
    }
}

/* The fake without tasks and without demands on alignment: what is left to refuse is overlap. */
static cvk_kernel_info lenient_fake(void) {
    cvk_kernel_info info = fake;
    for (int i = 0; i < BUFFERS; i++) nth_info(&info, i)->alignment = 1;
    info.tasks = 0;
    return info;
}

Test(runtime, output_and_scratch_may_overlap_nothing) {
    memory m;
    cvk_kernel_info info = lenient_fake();
    for (int i = 0; i < BUFFERS; i++)
        for (int j = 0; j < BUFFERS; j++) {
            if (i == j) continue;
            cvk_buffers b = buffers_of(&m);
            char *end = (char *)nth_buffer(&b, j)->data + nth_info(&info, j)->bytes;
            cvk_status if_shared = i >= OUTPUT || j >= OUTPUT ? CVK_ERROR_OVERLAP : CVK_OK;
            nth_buffer(&b, i)->data = end - 1;
            expect_status(cvk_run(&info, &b, NULL), if_shared, buffer_names[i]);
            nth_buffer(&b, i)->data = end;
            expect_status(cvk_run(&info, &b, NULL), CVK_OK, buffer_names[i]);
        }
}

Test(runtime, sizes_near_the_end_of_the_address_space_do_not_wrap) {
    memory m;
    cvk_buffers b = buffers_of(&m);
    cvk_kernel_info info = fake;
    info.tasks = 0;
    info.input.bytes = UINT64_MAX;
    b.input.bytes = UINT64_MAX;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_OVERLAP, "an input of all memory");
    info = fake;
    info.scratch.bytes = UINT64_MAX - 5;
    cr_assert_eq(cvk_scratch_bytes(&info, 1), UINT64_MAX);
    info.scratch.bytes = UINT64_C(1) << 62;
    cr_assert_eq(cvk_scratch_bytes(&info, 4), UINT64_MAX);
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_SIZE, "scratch of half the memory");
}

Test(runtime, wrong_arguments_have_their_status) {
    memory m;
    const cvk_buffers right = buffers_of(&m);
    cvk_buffers b = right;
    cvk_kernel_info info = fake;
    expect_status(cvk_run(NULL, &b, NULL), CVK_ERROR_ARGUMENT, "no kernel");
    expect_status(cvk_run(&fake, NULL, NULL), CVK_ERROR_ARGUMENT, "no buffers");
    b.struct_size = 0;
    expect_status(cvk_run(&fake, &b, NULL), CVK_ERROR_ARGUMENT, "struct_size forgotten");
    b = right;
    info.abi_version++;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_ABI, "another ABI");
    info = fake;
    info.struct_size = sizeof info - 8;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_ABI, "an info that is too short");
    info.struct_size = sizeof info + 8;
    expect_status(cvk_run(&info, &b, NULL), CVK_OK, "an info of a later version");
    info = fake;
    info.cpu_features = UINT64_C(1) << 62;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_CPU, "a feature of no CPU");
    info.cpu_features = cvk_cpu_features();
    expect_status(cvk_run(&info, &b, NULL), CVK_OK, "the features of this CPU");
    info = fake;
    info.run = NULL;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_ARGUMENT, "no code");
    cr_assert_str_eq(cvk_status_text((cvk_status)1000), "no such status");
    cr_assert_str_eq(cvk_status_text(CVK_OK), "done");
}

/* The caller's threads, all of them this one: indices in falling order. */
static void backwards(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    *(size_t *)context = n;
    for (size_t i = n; i > 0; i--) body(argument, i - 1);
}

Test(runtime, any_number_of_workers_gives_the_same_output) {
    memory m;
    for (uint32_t workers = 1; workers <= MOST_WORKERS; workers++) {
        pthreadpool_t pool = pthreadpool_create(workers);
        cvk_parallel_for threads = cvk_pthreadpool(pool);
        cr_assert_eq(threads.workers, workers);
        for (int repeat = 0; repeat < 20; repeat++) {
            cvk_buffers b = buffers_of(&m);
            b.scratch.bytes = cvk_scratch_bytes(&fake, workers);
            cr_assert_eq(b.scratch.bytes, workers * SCRATCH_STRIDE);
            expect_status(cvk_run(&fake, &b, &threads), CVK_OK, "pthreadpool");
            expect_run("pthreadpool", &m);
        }
        pthreadpool_destroy(pool);
    }
}

Test(runtime, a_parallel_for_of_ones_own_will_do) {
    memory m;
    size_t n = 0;
    cvk_parallel_for mine = {backwards, &n, 3};
    cvk_buffers b = buffers_of(&m);
    expect_status(cvk_run(&fake, &b, &mine), CVK_OK, "falling order");
    expect_run("falling order", &m);
    cr_assert_eq(n, 3);

    b = buffers_of(&m);
    b.scratch.bytes = cvk_scratch_bytes(&fake, 3) - 1;
    expect_status(cvk_run(&fake, &b, &mine), CVK_ERROR_SIZE, "scratch for fewer workers");

    cvk_kernel_info info = fake;
    info.tasks = 2;
    b = buffers_of(&m);
    expect_status(cvk_run(&info, &b, &mine), CVK_OK, "more workers than tasks");
    cr_assert_eq(n, 2, "a worker without a task was asked for");

    mine.workers = 0;
    expect_status(cvk_run(&fake, &b, &mine), CVK_ERROR_ARGUMENT, "no workers");
    mine = (cvk_parallel_for){NULL, NULL, 2};
    expect_status(cvk_run(&fake, &b, &mine), CVK_ERROR_ARGUMENT, "no loop");
}

#ifdef _OPENMP
Test(runtime, openmp_runs_every_task_once) {
    memory m;
    omp_set_num_threads(3);
    cvk_parallel_for threads = cvk_openmp();
    cvk_buffers b = buffers_of(&m);
    expect_status(cvk_run(&fake, &b, &threads), CVK_OK, "OpenMP");
    expect_run("OpenMP", &m);
}
#endif

Test(runtime, an_empty_batch_does_nothing) {
    memory m;
    cvk_kernel_info info = fake;
    cvk_buffers b = buffers_of(&m);
    info.tasks = 0;
    expect_status(cvk_run(&info, &b, NULL), CVK_OK, "empty");
    cr_assert_eq(calls, 0);
    b.weights.data = NULL;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_NULL, "empty, but without weights");
}

Test(runtime, packing_is_checked_alike) {
    memory m;
    buffers_of(&m);
    const cvk_const_buffer in = {m.input, BYTES};
    const cvk_buffer out = {m.weights, BYTES};
    memset(m.weights, 0, BYTES);
    expect_status(cvk_pack_weights(&fake, in, out), CVK_OK, "right");
    cr_assert_eq(memcmp(m.input, m.weights, BYTES), 0);

    expect_status(cvk_pack_weights(NULL, in, out), CVK_ERROR_ARGUMENT, "no kernel");
    expect_status(cvk_pack_weights(&fake, (cvk_const_buffer){NULL, BYTES}, out), CVK_ERROR_NULL, "no weights");
    expect_status(cvk_pack_weights(&fake, in, (cvk_buffer){m.weights, BYTES - 1}), CVK_ERROR_SIZE, "short");
    expect_status(cvk_pack_weights(&fake, in, (cvk_buffer){m.weights + 4, BYTES}), CVK_ERROR_ALIGNMENT, "misaligned");
    expect_status(cvk_pack_weights(&fake, in, (cvk_buffer){m.input, BYTES}), CVK_ERROR_OVERLAP, "in place");
}

Test(runtime, the_cpu_is_the_one_the_compiler_sees) {
    uint64_t features = cvk_cpu_features();
#if defined(__x86_64__)
    cr_assert(features & CVK_CPU_SSE2);
#define same(name, word) cr_assert_eq(!!(features & CVK_CPU_##name), !!__builtin_cpu_supports(word), word)
    same(SSE3, "sse3");
    same(SSSE3, "ssse3");
    same(SSE41, "sse4.1");
    same(SSE42, "sse4.2");
    same(POPCNT, "popcnt");
    same(AVX, "avx");
    same(AVX2, "avx2");
    same(FMA, "fma");
    same(BMI, "bmi");
    same(BMI2, "bmi2");
    same(AVX512F, "avx512f");
    same(AVX512BW, "avx512bw");
    same(AVX512CD, "avx512cd");
    same(AVX512DQ, "avx512dq");
    same(AVX512VL, "avx512vl");
#elif defined(__aarch64__)
    cr_assert_eq(features, (uint64_t)CVK_CPU_NEON);
#endif
}
