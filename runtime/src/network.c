/* Networks: a table of steps, gone through. What the caller brings is checked as a whole; where the parts of it lie,
 * and that none disturbs another, was proven when the table was made. */
#include "check.h"
#include "run.h"

/* Bytes from where the space begins. */
static uint64_t offset_of(const cvk_place *p, uint64_t batch) { return p->bytes + p->image_bytes * batch; }

static uint64_t images_of(const cvk_network_info *info, uint64_t batch) { return info->batch_any ? batch : 0; }

/* Roles that a table of an earlier version does not have are no buffers of its kernels. */
static const cvk_place *place_of(const cvk_network_info *info, const cvk_step *step, cvk_role role) {
    static const cvk_place none = {.space = CVK_SPACE_NONE};
    return (uint32_t)role < info->roles ? &step->place[role] : &none;
}

/* ---- what a run needs ---- */

static uint64_t greater(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* UINT64_MAX where there cannot be so much. */
static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

/* Scratch stands behind all that lives during a step; how much of it there is, the workers say. */
cvk_buffer_info cvk_network_workspace(const cvk_network_info *info, uint64_t batch, uint32_t workers) {
    cvk_buffer_info all = {.alignment = 1};
    if (!info) return all;
    all = info->workspace;
    if (info->batch_any) all.bytes = times(all.bytes, batch);
    for (const cvk_step *s = info->step; s < info->step + info->steps; s++) {
        const cvk_place *p = place_of(info, s, CVK_ROLE_SCRATCH);
        const uint64_t begin = plus(p->bytes, times(p->image_bytes, images_of(info, batch)));
        if (p->space == CVK_SPACE_WORKSPACE)
            all.bytes = greater(all.bytes, plus(begin, cvk_scratch_bytes(s->kernel, workers)));
    }
    return all;
}

/* ---- checks ---- */

static cvk_status refuse_argument(cvk_refusal *why, const char *what) {
    return check_refuse(why, (cvk_refusal){CVK_ERROR_ARGUMENT, .what = what});
}

static cvk_status check_network(const cvk_network_info *info, cvk_refusal *why) {
    if (!info) return refuse_argument(why, "info");
    if (info->abi_version != CVK_ABI_VERSION || info->struct_size < sizeof *info)
        return check_refuse(why, (cvk_refusal){CVK_ERROR_ABI, "info", NULL, CVK_ABI_VERSION, info->abi_version});
    cvk_status status = CVK_OK;
    for (uint32_t i = 0; i < info->steps && status == CVK_OK; i++) status = check_kernel(info->step[i].kernel, why);
    return status;
}

/* What the caller brings, one after another: inputs, outputs, weights, workspace. */
typedef struct brought {
    const cvk_network_info *info;
    const cvk_network_buffers *buffers;
    cvk_buffer_info workspace;
} brought;

static uint32_t count_brought(const brought *b) { return b->info->inputs + b->info->outputs + 2; }

static uint64_t tensor_bytes(const brought *b, const cvk_tensor_info *t) {
    return b->info->batch_any ? times(t->bytes, b->buffers->batch) : t->bytes;
}

static check_buffer number(const brought *b, uint32_t i) {
    const cvk_network_info *info = b->info;
    const cvk_network_buffers *of = b->buffers;
    if (i < info->inputs)
        return (check_buffer){info->input[i].name,      of->inputs[i].data,
                              of->inputs[i].bytes,      tensor_bytes(b, &info->input[i]),
                              info->input[i].alignment, false};
    i -= info->inputs;
    if (i < info->outputs)
        return (check_buffer){info->output[i].name,      of->outputs[i].data,
                              of->outputs[i].bytes,      tensor_bytes(b, &info->output[i]),
                              info->output[i].alignment, true};
    if (i == info->outputs)
        return (check_buffer){
            "weights", of->weights.data, of->weights.bytes, info->packed_weights.bytes, info->packed_weights.alignment,
            false};
    return (check_buffer){"workspace",        of->workspace.data,     of->workspace.bytes,
                          b->workspace.bytes, b->workspace.alignment, true};
}

static cvk_status check_tags(const brought *b, cvk_refusal *why) {
    cvk_status status = CVK_OK;
    const char *packed = b->buffers->weights.data;
    for (const cvk_step *s = b->info->step; s < b->info->step + b->info->steps && status == CVK_OK; s++) {
        const cvk_place *p = place_of(b->info, s, CVK_ROLE_WEIGHTS);
        if (p->space == CVK_SPACE_WEIGHTS) status = check_tag(s->kernel, packed + p->bytes, why);
    }
    return status;
}

static cvk_status check_all(const brought *b, cvk_refusal *why) {
    const uint32_t count = count_brought(b);
    cvk_status status = CVK_OK;
    for (uint32_t i = 0; i < count && status == CVK_OK; i++) {
        const check_buffer one = number(b, i);
        status = check_buffer_alone(&one, why);
        for (uint32_t k = 0; k < i && status == CVK_OK; k++) {
            const check_buffer other = number(b, k);
            status = check_buffers_apart(&other, &one, why);
        }
    }
    return status == CVK_OK ? check_tags(b, why) : status;
}

/* Tasks of every step are numbered by 32 bits. */
static uint64_t most_images(const cvk_network_info *info) {
    uint32_t most = 1;
    for (uint32_t i = 0; i < info->steps; i++) {
        const cvk_kernel_info *k = info->step[i].kernel;
        for (uint32_t p = 0; p < k->phases; p++)
            if (k->tasks[p] > most) most = k->tasks[p];
    }
    return UINT32_MAX / most;
}

static cvk_status check_batch(const cvk_network_info *info, uint64_t batch, cvk_refusal *why) {
    const uint64_t fixed = info->inputs ? (uint64_t)info->input[0].shape[0] : 0;
    const uint64_t most = info->batch_any ? most_images(info) : fixed;
    const bool right = info->batch_any ? batch <= most : !batch || batch == fixed;
    return right ? CVK_OK : check_refuse(why, (cvk_refusal){CVK_ERROR_ARGUMENT, "batch", NULL, most, batch});
}

static const char *wrong_argument(const cvk_network_info *info, const cvk_network_buffers *b,
                                  const cvk_parallel_for *parallel) {
    if (!b) return "buffers";
    if (b->struct_size != sizeof *b) return "buffers->struct_size";
    if (info->inputs && !b->inputs) return "buffers->inputs";
    if (info->outputs && !b->outputs) return "buffers->outputs";
    return parallel && (!parallel->loop || !parallel->workers) ? "parallel" : NULL;
}

cvk_status cvk_network_check_run(const cvk_network_info *info, const cvk_network_buffers *buffers,
                                 const cvk_parallel_for *parallel, cvk_refusal *why) {
    if (why) *why = (cvk_refusal){.status = CVK_OK};
    cvk_status status = check_network(info, why);
    if (status != CVK_OK) return status;
    const char *wrong = wrong_argument(info, buffers, parallel);
    if (wrong) return refuse_argument(why, wrong);
    status = check_batch(info, buffers->batch, why);
    const brought b = {info, buffers, cvk_network_workspace(info, buffers->batch, parallel ? parallel->workers : 1)};
    return status == CVK_OK ? check_all(&b, why) : status;
}

/* ---- a run ---- */

static void *pointer_of(const cvk_network_buffers *b, const cvk_place *p, uint64_t batch) {
    const uint64_t offset = offset_of(p, batch);
    switch (p->space) {
    case CVK_SPACE_INPUT: return (char *)(uintptr_t)b->inputs[p->index].data + offset; /* which kernels only read */
    case CVK_SPACE_OUTPUT: return (char *)b->outputs[p->index].data + offset;
    case CVK_SPACE_WEIGHTS: return (char *)(uintptr_t)b->weights.data + offset;
    case CVK_SPACE_WORKSPACE: return (char *)b->workspace.data + offset;
    default: return NULL;
    }
}

static void run_step(const cvk_network_info *info, const cvk_step *step, const cvk_network_buffers *b,
                     const cvk_parallel_for *parallel) {
    const uint64_t batch = images_of(info, b->batch);
    const cvk_args args = {
        .batch = batch,
#define CVK_BUFFER(NAME, member, needs, access, share)                                                                 \
    .member = pointer_of(b, place_of(info, step, CVK_ROLE_##NAME), batch),
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    run_kernel(step->kernel, &args, parallel, cvk_split_step);
}

cvk_status cvk_network_run_steps(const cvk_network_info *info, const cvk_network_buffers *buffers, uint32_t first,
                                 uint32_t end, const cvk_parallel_for *parallel) {
    cvk_status status = cvk_network_check_run(info, buffers, parallel, NULL);
    if (status == CVK_OK && (first > end || end > info->steps)) status = CVK_ERROR_ARGUMENT;
    for (uint32_t i = first; i < end && status == CVK_OK; i++) run_step(info, &info->step[i], buffers, parallel);
    return status;
}

cvk_status cvk_network_run(const cvk_network_info *info, const cvk_network_buffers *buffers,
                           const cvk_parallel_for *parallel) {
    return cvk_network_run_steps(info, buffers, 0, info ? info->steps : 0, parallel);
}

/* ---- packing ---- */

cvk_status cvk_network_check_pack(const cvk_network_info *info, const cvk_const_buffer *weights, cvk_buffer packed,
                                  cvk_refusal *why) {
    if (why) *why = (cvk_refusal){.status = CVK_OK};
    cvk_status status = check_network(info, why);
    if (status != CVK_OK || !info->weights) return status;
    if (!weights) return refuse_argument(why, "weights");
    const check_buffer to = {
        "packed", packed.data, packed.bytes, info->packed_weights.bytes, info->packed_weights.alignment, true};
    status = check_buffer_alone(&to, why);
    for (uint32_t i = 0; i < info->weights && status == CVK_OK; i++) {
        const cvk_weight_info *w = &info->weight[i];
        const check_buffer one = {w->name, weights[i].data, weights[i].bytes, w->bytes, w->alignment, false};
        status = check_buffer_alone(&one, why);
        if (status == CVK_OK) status = check_buffers_apart(&one, &to, why);
    }
    return status;
}

static void copy(const void *from, void *to, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes; i++) ((char *)to)[i] = ((const char *)from)[i];
}

/* Of a kernel that is a chain, the layers' weights, which follow on one another, are first put together behind all that
 * is packed; `gathered` bytes of them are there already. Gives how many are then: 0 when they were packed. */
static uint64_t pack_weights(const cvk_network_info *info, const cvk_weight_info *w, const void *dense, char *packed,
                             uint64_t gathered) {
    const cvk_kernel_info *kernel = info->step[w->step].kernel;
    const uint64_t all = kernel->weights.bytes, line = info->packed_weights.alignment;
    char *behind = packed + info->packed_weights.bytes - (all + line - 1) / line * line;
    if (w->bytes < all) copy(dense, behind + gathered, w->bytes);
    if (gathered + w->bytes < all) return gathered + w->bytes;
    kernel->pack(w->bytes < all ? behind : dense, packed + w->packed);
    return 0;
}

cvk_status cvk_network_pack(const cvk_network_info *info, const cvk_const_buffer *weights, cvk_buffer packed) {
    cvk_status status = cvk_network_check_pack(info, weights, packed, NULL);
    uint64_t gathered = 0;
    for (uint32_t i = 0; status == CVK_OK && i < info->weights; i++) {
        const cvk_weight_info *w = &info->weight[i];
        if (w->role == CVK_ROLE_WEIGHTS)
            gathered = pack_weights(info, w, weights[i].data, packed.data, gathered);
        else
            copy(weights[i].data, (char *)packed.data + w->packed, w->bytes);
    }
    return status;
}

const cvk_network_info *cvk_network_select(const cvk_network_set *set, cvk_status *status) {
    cvk_status ignored, *to = status ? status : &ignored;
    *to = set ? CVK_ERROR_ABI : CVK_ERROR_ARGUMENT;
    if (!set || set->abi_version != CVK_ABI_VERSION) return NULL;
    *to = CVK_ERROR_CPU;
    for (uint32_t i = 0; i < set->count && *to == CVK_ERROR_CPU; i++) {
        *to = check_network(set->variants[i], NULL);
        if (*to == CVK_OK) return set->variants[i];
    }
    return NULL;
}
