/* Does the checked call refuse every wrong argument, saying which, and run every task of every phase once on any number
 * of workers, phase after phase? The kernel is a fake in C: task t of the first phase adds input, weight, bias, scale
 * and addend number t in the workspace; task t of the second adds what the last task but t left there to output t. */
#include <convoke/pthreadpool.h>
#include <convoke/runtime.h>
#ifdef _OPENMP
#include <convoke/openmp.h>
#endif

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { TASKS = 100, PHASES = 2, MOST_WORKERS = 5, SCRATCH = 72, SCRATCH_STRIDE = 128 };
enum { BYTES = TASKS * (int)sizeof(float), PACKED = CVK_PACKED_HEADER + BYTES };
#define TAG UINT64_C(0x0123456789abcdef)

static atomic_int calls, collisions;

/* The phases of image i are TASKS tasks on floats from i * TASKS on. The scratch is marked as taken for as long as the
 * task runs. */
static void fake_run(const cvk_args *args, uint32_t phase, uint32_t first, uint32_t last) {
    const float *x = args->input, *b = args->bias, *s = args->scale, *a = args->addend;
    const float *w = (const float *)(const void *)((const char *)args->weights + CVK_PACKED_HEADER);
    float *y = args->output, *sums = args->workspace;
    unsigned char *scratch = args->scratch;
    if (atomic_exchange((atomic_int *)args->scratch, 1)) collisions++;
    for (uint32_t t = first; t < last; t++) {
        const uint32_t each = t % TASKS, opposite = t - each + TASKS - 1 - each;
        memset(scratch + sizeof(int), (int)t, SCRATCH - sizeof(int));
        if (phase == 0) sums[t] = x[t] + w[each] + b[each] + s[each] + a[t];
        if (phase == 1) y[t] += sums[opposite];
        for (int i = (int)sizeof(int); i < SCRATCH; i++) collisions += scratch[i] != (unsigned char)t;
    }
    atomic_store((atomic_int *)args->scratch, 0);
    calls++;
}

static void fake_pack(const void *weights, void *packed) {
    const uint64_t header[CVK_PACKED_HEADER / sizeof(uint64_t)] = {TAG};
    memcpy(packed, header, sizeof header);
    memcpy((char *)packed + sizeof header, weights, BYTES);
}

#define FLOATS {.bytes = BYTES, .alignment = 4}
static const cvk_kernel_info fake = {
    .struct_size = sizeof fake,
    .abi_version = CVK_ABI_VERSION,
    .name = "fake",
    .packed_tag = TAG,
    .phases = PHASES,
    .tasks = {TASKS, TASKS},
    .input = FLOATS,
    .weights = FLOATS,
    .packed_weights = {.bytes = PACKED, .alignment = 64},
    .bias = FLOATS,
    .scale = FLOATS,
    .addend = FLOATS,
    .output = FLOATS,
    .scratch = {.bytes = SCRATCH, .alignment = SCRATCH_STRIDE},
    .workspace = {.bytes = BYTES, .alignment = 64},
    .gradient = FLOATS,
    .indices = FLOATS,
    .gate = FLOATS,
    .shift = FLOATS,
    .run = fake_run,
    .pack = fake_pack,
};

/* All memory of a run, each buffer with room for another of its size behind it. */
enum { SPACE = 1024 };
typedef struct memory {
    alignas(SCRATCH_STRIDE) unsigned char input[SPACE], weights[SPACE], bias[SPACE], scale[SPACE], addend[SPACE],
        output[SPACE], scratch[MOST_WORKERS * SCRATCH_STRIDE], workspace[SPACE], gradient[SPACE], indices[SPACE],
        gate[SPACE], shift[SPACE];
    float dense[TASKS];
} memory;

static cvk_buffers buffers_of(memory *m) {
    memset(m, 0, sizeof *m);
    for (int t = 0; t < TASKS; t++) {
        const float value = m->dense[t] = (float)t;
        unsigned char *inputs[] = {m->input, m->bias, m->scale, m->addend};
        for (size_t i = 0; i < 4; i++) memcpy(inputs[i] + (size_t)t * sizeof value, &value, sizeof value);
    }
    fake_pack(m->dense, m->weights);
    return (cvk_buffers){.struct_size = sizeof(cvk_buffers),
                         .input = {m->input, BYTES},
                         .weights = {m->weights, PACKED},
                         .bias = {m->bias, BYTES},
                         .scale = {m->scale, BYTES},
                         .addend = {m->addend, BYTES},
                         .output = {m->output, BYTES},
                         .scratch = {m->scratch, sizeof m->scratch},
                         .workspace = {m->workspace, BYTES},
                         .gradient = {m->gradient, BYTES},
                         .indices = {m->indices, BYTES},
                         .gate = {m->gate, BYTES},
                         .shift = {m->shift, BYTES}};
}

static void expect_outputs(const char *name, const float *output, int images) {
    for (int t = 0; t < images * TASKS; t++) {
        const float expected = 5.0f * (float)(TASKS - 1 - t % TASKS);
        cr_assert_float_eq(output[t], expected, 0, "%s: output %d is %g, not %g", name, t, (double)output[t],
                           (double)expected);
    }
    cr_assert_eq(collisions, 0, "%s: two workers used the same scratch", name);
}

static void expect_run(const char *name, const memory *m) {
    float output[TASKS];
    memcpy(output, m->output, sizeof output);
    expect_outputs(name, output, 1);
}

/* A buffer of the table: its name, the member of cvk_buffers, that of the description, and whether it is written. */
typedef struct row {
    const char *name;
    size_t buffer, needs;
    bool written;
} row;
enum { READ, WRITE };
static const row rows[] = {
#define CVK_BUFFER(NAME, member, needs, access, share)                                                                 \
    {#member, offsetof(cvk_buffers, member), offsetof(cvk_kernel_info, needs), access == WRITE},
#include <convoke/buffers.def>
#undef CVK_BUFFER
};
enum { BUFFERS = sizeof rows / sizeof *rows };

/* Both kinds of buffer have a pointer and a size. */
static cvk_buffer *nth_buffer(cvk_buffers *b, int i) { return (cvk_buffer *)(void *)((char *)b + rows[i].buffer); }
static cvk_buffer_info *nth_info(cvk_kernel_info *info, int i) {
    return (cvk_buffer_info *)(void *)((char *)info + rows[i].needs);
}

#define expect_status(got, wanted, name)                                                                               \
    do {                                                                                                               \
        cvk_status got_once = (got);                                                                                   \
        cr_assert_eq(got_once, (wanted), "%s: %s", (name), cvk_status_text(got_once));                                 \
    } while (0)

static void expect_why(const cvk_refusal *why, cvk_status status, const char *what, uint64_t needed, uint64_t given) {
    cr_assert_eq(why->status, status, "%s: %s", what, cvk_status_text(why->status));
    cr_assert_str_eq(why->what, what);
    cr_assert(why->needed == needed && why->given == given, "%s: needed %lu, given %lu; not %lu, %lu", what,
              (unsigned long)why->needed, (unsigned long)why->given, (unsigned long)needed, (unsigned long)given);
}

Test(runtime, a_right_call_runs_every_task_once) {
    memory m;
    cvk_buffers b = buffers_of(&m);
    expect_status(cvk_run(&fake, &b, NULL), CVK_OK, "one thread");
    expect_run("one thread", &m);
    cr_assert_eq(calls, PHASES, "one thread needs one call a phase");
}

Test(runtime, a_missing_short_or_misaligned_buffer_is_refused) {
    memory m;
    for (int i = 0; i < BUFFERS; i++) {
        cvk_kernel_info info = fake;
        cvk_buffers b = buffers_of(&m);
        nth_buffer(&b, i)->data = NULL;
        expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_NULL, rows[i].name);

        b = buffers_of(&m);
        nth_buffer(&b, i)->bytes = nth_info(&info, i)->bytes - 1;
        expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_SIZE, rows[i].name);

        b = buffers_of(&m);
        nth_buffer(&b, i)->data = (char *)nth_buffer(&b, i)->data + 2;
        expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_ALIGNMENT, rows[i].name);
    }
    cr_assert_eq(calls, 0, "the kernel ran");
}

Test(runtime, a_buffer_the_kernel_does_not_have_is_not_looked_at) {
    memory m;
    for (int i = 0; i < BUFFERS; i++) {
        cvk_kernel_info info = fake;
        info.phases = 0; /* the fake reads them all */
        nth_info(&info, i)->bytes = 0;
        cvk_buffers b = buffers_of(&m);
        *nth_buffer(&b, i) = (cvk_buffer){NULL, 0};
        expect_status(cvk_run(&info, &b, NULL), CVK_OK, rows[i].name);
        *nth_buffer(&b, i) = (cvk_buffer){m.output + 1, BYTES};
        expect_status(cvk_run(&info, &b, NULL), CVK_OK, rows[i].name);
    }
}

/* The fake without tasks and without demands on alignment or weights: what is left to refuse is overlap. */
static cvk_kernel_info lenient_fake(void) {
    cvk_kernel_info info = fake;
    for (int i = 0; i < BUFFERS; i++) nth_info(&info, i)->alignment = 1;
    info.packed_tag = 0;
    info.phases = 0;
    return info;
}

Test(runtime, what_is_written_may_overlap_nothing) {
    memory m;
    cvk_kernel_info info = lenient_fake();
    for (int i = 0; i < BUFFERS; i++)
        for (int j = 0; j < BUFFERS; j++) {
            if (i == j) continue;
            cvk_buffers b = buffers_of(&m);
            char *end = (char *)nth_buffer(&b, j)->data + nth_info(&info, j)->bytes;
            cvk_status if_shared = rows[i].written || rows[j].written ? CVK_ERROR_OVERLAP : CVK_OK;
            nth_buffer(&b, i)->data = end - 1;
            expect_status(cvk_run(&info, &b, NULL), if_shared, rows[i].name);
            nth_buffer(&b, i)->data = end;
            expect_status(cvk_run(&info, &b, NULL), CVK_OK, rows[i].name);
        }
}

Test(runtime, sizes_near_the_end_of_the_address_space_do_not_wrap) {
    memory m;
    cvk_buffers b = buffers_of(&m);
    cvk_kernel_info info = fake;
    info.phases = 0;
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
static int loops;
static void backwards(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    loops++;
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
    cr_assert_eq(loops, PHASES, "the loop is called once a phase");

    b = buffers_of(&m);
    b.scratch.bytes = cvk_scratch_bytes(&fake, 3) - 1;
    expect_status(cvk_run(&fake, &b, &mine), CVK_ERROR_SIZE, "scratch for fewer workers");

    cvk_kernel_info info = fake;
    info.tasks[0] = info.tasks[1] = 2;
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
    info.tasks[0] = info.tasks[1] = 0;
    expect_status(cvk_run(&info, &b, NULL), CVK_OK, "empty");
    cr_assert_eq(calls, 0);
    b.weights.data = NULL;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_NULL, "empty, but without weights");
}

Test(runtime, a_phase_of_one_task_and_a_small_kernel_stay_on_the_calling_thread) {
    memory m;
    size_t n = 0;
    cvk_parallel_for mine = {backwards, &n, 3};
    cvk_kernel_info info = fake;
    cvk_buffers b = buffers_of(&m);
    info.tasks[1] = 1;
    expect_status(cvk_run(&info, &b, &mine), CVK_OK, "one task in the second phase");
    cr_assert_eq(loops, 1, "the loop was called for one task");
    info = fake;
    info.kilocycles = 1;
    b = buffers_of(&m);
    expect_status(cvk_run(&info, &b, &mine), CVK_OK, "a small kernel");
    cr_assert_eq(loops, 1, "the loop was called for a small kernel");
    expect_run("a small kernel", &m);
}

Test(runtime, packing_is_checked_alike) {
    memory m;
    buffers_of(&m);
    const cvk_const_buffer in = {m.input, BYTES};
    const cvk_buffer out = {m.weights, PACKED};
    memset(m.weights, 0, PACKED);
    expect_status(cvk_pack_weights(&fake, in, out), CVK_OK, "right");
    cr_assert_eq(memcmp(m.input, m.weights + CVK_PACKED_HEADER, BYTES), 0);

    const cvk_buffer small = {m.weights, PACKED - 1}, odd = {m.weights + 4, PACKED}, same = {m.input, PACKED};
    expect_status(cvk_pack_weights(NULL, in, out), CVK_ERROR_ARGUMENT, "no kernel");
    expect_status(cvk_pack_weights(&fake, (cvk_const_buffer){NULL, BYTES}, out), CVK_ERROR_NULL, "no weights");
    expect_status(cvk_pack_weights(&fake, in, small), CVK_ERROR_SIZE, "short");
    expect_status(cvk_pack_weights(&fake, in, odd), CVK_ERROR_ALIGNMENT, "misaligned");
    expect_status(cvk_pack_weights(&fake, in, same), CVK_ERROR_OVERLAP, "in place");
    cvk_refusal why;
    expect_status(cvk_check_pack(&fake, in, small, &why), CVK_ERROR_SIZE, "short");
    expect_why(&why, CVK_ERROR_SIZE, "packed", PACKED, PACKED - 1);
}

Test(runtime, weights_packed_for_another_kernel_are_refused) {
    memory m;
    cvk_refusal why;
    cvk_buffers b = buffers_of(&m);
    cvk_kernel_info other = fake;
    other.packed_tag = TAG + 1;
    expect_status(cvk_run(&other, &b, NULL), CVK_ERROR_WEIGHTS, "of another kernel");
    expect_status(cvk_check_run(&other, &b, NULL, &why), CVK_ERROR_WEIGHTS, "of another kernel");
    expect_why(&why, CVK_ERROR_WEIGHTS, "weights", TAG + 1, TAG);
    memcpy(m.weights, m.dense, BYTES);
    expect_status(cvk_run(&fake, &b, NULL), CVK_ERROR_WEIGHTS, "that were never packed");
    cr_assert_eq(calls, 0, "the kernel ran");
}

/* A kernel of one image, run on three. */
Test(runtime, a_kernel_of_any_batch_takes_so_much_an_image) {
    enum { IMAGES = 3 };
    memory m;
    static float x[IMAGES * TASKS], a[IMAGES * TASKS], y[IMAGES * TASKS], w[IMAGES * TASKS + 16], z[IMAGES * TASKS];
    cvk_kernel_info info = fake;
    info.batch_any = 1;
    for (int i = 0; i < IMAGES * TASKS; i++) x[i] = a[i] = (float)(i % TASKS);
    cvk_buffers b = buffers_of(&m);
    b.batch = IMAGES;
    b.input = (cvk_const_buffer){x, sizeof x};
    b.addend = b.gradient = b.gate = (cvk_const_buffer){a, sizeof a};
    b.output = (cvk_buffer){y, sizeof y};
    b.indices = (cvk_buffer){z, sizeof z};
    b.workspace = (cvk_buffer){(char *)w + (64 - (uintptr_t)w % 64) % 64, IMAGES * BYTES};
    for (uint32_t workers = 1; workers <= MOST_WORKERS; workers++) {
        size_t n;
        const cvk_parallel_for mine = {backwards, &n, workers};
        memset(y, 0, sizeof y);
        expect_status(cvk_run(&info, &b, workers > 1 ? &mine : NULL), CVK_OK, "three images");
        expect_outputs("three images", y, IMAGES);
    }
    static const cvk_role each[] = {CVK_ROLE_INPUT, CVK_ROLE_ADDEND, CVK_ROLE_OUTPUT, CVK_ROLE_WORKSPACE,
                                    CVK_ROLE_INDICES};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        cvk_buffers less = b;
        cvk_refusal why;
        nth_buffer(&less, (int)each[i])->bytes--;
        expect_status(cvk_check_run(&info, &less, NULL, &why), CVK_ERROR_SIZE, rows[each[i]].name);
        expect_why(&why, CVK_ERROR_SIZE, rows[each[i]].name, IMAGES * BYTES, IMAGES * BYTES - 1);
    }
    calls = 0;
    b.batch = 0;
    expect_status(cvk_run(&info, &b, NULL), CVK_OK, "no images");
    cr_assert_eq(calls, 0);
    cvk_refusal why;
    b.batch = UINT32_MAX;
    expect_status(cvk_check_run(&info, &b, NULL, &why), CVK_ERROR_ARGUMENT, "more tasks than there are numbers");
    expect_why(&why, CVK_ERROR_ARGUMENT, "batch", UINT32_MAX / TASKS, UINT32_MAX);
    info.batch_any = 0;
    info.input_shape[0] = 2;
    b.batch = 3;
    expect_status(cvk_check_run(&info, &b, NULL, &why), CVK_ERROR_ARGUMENT, "another batch than the layer's");
    expect_why(&why, CVK_ERROR_ARGUMENT, "batch", 2, 3);
    info.batch_any = 1;
    info.input.bytes = UINT64_MAX / 2;
    expect_status(cvk_run(&info, &b, NULL), CVK_ERROR_SIZE, "images of half the memory");
}

Test(runtime, a_refusal_says_which_buffer_and_how_much) {
    memory m;
    cvk_refusal why;
    for (int i = 0; i < BUFFERS; i++) {
        cvk_kernel_info info = fake;
        const cvk_buffer_info needs = *nth_info(&info, i);
        const uint64_t bytes = cvk_buffer_needs(&info, (cvk_role)i, 0, 1).bytes;
        cvk_buffers b = buffers_of(&m);
        nth_buffer(&b, i)->data = NULL;
        expect_status(cvk_check_run(&info, &b, NULL, &why), CVK_ERROR_NULL, rows[i].name);
        expect_why(&why, CVK_ERROR_NULL, rows[i].name, bytes, 0);
        b = buffers_of(&m);
        nth_buffer(&b, i)->bytes = needs.bytes - 1;
        expect_status(cvk_check_run(&info, &b, NULL, &why), CVK_ERROR_SIZE, rows[i].name);
        expect_why(&why, CVK_ERROR_SIZE, rows[i].name, bytes, needs.bytes - 1);
        b = buffers_of(&m);
        nth_buffer(&b, i)->data = (char *)nth_buffer(&b, i)->data + 2;
        expect_status(cvk_check_run(&info, &b, NULL, &why), CVK_ERROR_ALIGNMENT, rows[i].name);
        expect_why(&why, CVK_ERROR_ALIGNMENT, rows[i].name, needs.alignment, 2);
        info = lenient_fake();
        b = buffers_of(&m);
        int other = rows[i].written ? CVK_ROLE_INPUT : CVK_ROLE_OUTPUT;
        nth_buffer(&b, i)->data = nth_buffer(&b, other)->data;
        expect_status(cvk_check_run(&info, &b, NULL, &why), CVK_ERROR_OVERLAP, rows[i].name);
        cr_assert_str_eq(why.what, rows[rows[i].written ? i : other].name, "the one that is written comes first");
        cr_assert_str_eq(why.other, rows[rows[i].written ? other : i].name);
    }
}

Test(runtime, a_refusal_says_which_argument) {
    memory m;
    cvk_refusal why;
    const cvk_buffers right = buffers_of(&m);
    cvk_buffers b = right;
    cvk_kernel_info info = fake;
    cvk_parallel_for nobody = {NULL, NULL, 2};
    cvk_check_run(NULL, &b, NULL, &why);
    expect_why(&why, CVK_ERROR_ARGUMENT, "info", 0, 0);
    cvk_check_run(&info, NULL, NULL, &why);
    expect_why(&why, CVK_ERROR_ARGUMENT, "buffers", 0, 0);
    b.struct_size--;
    cvk_check_run(&info, &b, NULL, &why);
    expect_why(&why, CVK_ERROR_ARGUMENT, "buffers->struct_size", 0, 0);
    cvk_check_run(&info, &right, &nobody, &why);
    expect_why(&why, CVK_ERROR_ARGUMENT, "parallel", 0, 0);
    info.run = NULL;
    cvk_check_run(&info, &right, NULL, &why);
    expect_why(&why, CVK_ERROR_ARGUMENT, "info->run", 0, 0);
    info = fake;
    info.abi_version = 1;
    cvk_check_run(&info, &right, NULL, &why);
    expect_why(&why, CVK_ERROR_ABI, "info", CVK_ABI_VERSION, 1);
    info = fake;
    info.phases = CVK_MOST_PHASES + 1;
    cvk_check_run(&info, &right, NULL, &why);
    expect_why(&why, CVK_ERROR_ABI, "phases", CVK_MOST_PHASES, CVK_MOST_PHASES + 1);
    info = fake;
    info.cpu_features = UINT64_C(1) << 62;
    cvk_check_run(&info, &right, NULL, &why);
    expect_why(&why, CVK_ERROR_CPU, "info", UINT64_C(1) << 62, cvk_cpu_features());
    expect_status(cvk_check_run(&fake, &right, NULL, &why), CVK_OK, "nothing is wrong");
    cr_assert(why.status == CVK_OK && !why.what);
    cr_assert_eq(calls, 0, "a check ran the kernel");
}

Test(runtime, a_refusal_is_a_sentence_in_as_much_room_as_there_is) {
    const struct {
        cvk_refusal why;
        const char *text;
    } cases[] = {
        {{CVK_OK, NULL, NULL, 0, 0}, "done"},
        {{CVK_ERROR_ARGUMENT, "buffers", NULL, 0, 0}, "buffers: an argument is NULL or out of range"},
        {{CVK_ERROR_ARGUMENT, "batch", NULL, 2, 3}, "batch is 3, and the kernel takes 2"},
        {{CVK_ERROR_ABI, "info", NULL, 2, 1},
         "info: version 1, not 2: the kernel was compiled for another version of the runtime"},
        {{CVK_ERROR_CPU, "info", NULL, CVK_CPU_AVX2 | CVK_CPU_SSE2, CVK_CPU_SSE2},
         "this CPU lacks avx2, which the kernel needs"},
        {{CVK_ERROR_NULL, "scratch", NULL, 96, 0}, "scratch is NULL, and the kernel needs 96 bytes"},
        {{CVK_ERROR_SIZE, "scratch", NULL, 96, 95}, "scratch has 95 bytes, and the kernel needs 96"},
        {{CVK_ERROR_ALIGNMENT, "output", NULL, 64, 4}, "output is aligned to 4 bytes, and the kernel needs 64"},
        {{CVK_ERROR_OVERLAP, "output", "input", 0, 0}, "output overlaps input"},
        {{CVK_ERROR_WEIGHTS, "weights", NULL, 0xab, 0},
         "weights were not packed for this kernel: tag 0000000000000000, not 00000000000000ab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        cr_assert_eq(cvk_refusal_text(&cases[i].why, text, sizeof text), strlen(cases[i].text));
        cr_assert_str_eq(text, cases[i].text);
        cr_assert_eq(cvk_refusal_text(&cases[i].why, text, 5), strlen(cases[i].text));
        cr_assert(strlen(text) == 4 && memcmp(text, cases[i].text, 4) == 0);
        cr_assert_eq(cvk_refusal_text(&cases[i].why, NULL, 0), strlen(cases[i].text));
    }
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
