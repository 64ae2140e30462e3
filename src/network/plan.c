/* Blocks from storages and kernels; then rows of the table from blocks. */
#include "network/plan.h"

#include <string.h>

enum { NONE = -1 };

static uint64_t greater(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t lines(uint64_t bytes) { return (bytes + MEMORY_LINE - 1) / MEMORY_LINE * MEMORY_LINE; }

/* ---- memory ---- */

static int add_block(network_memory *m, uint64_t bytes, int first, int last) {
    m->block[m->count] = (memory_block){.bytes = bytes, .first = first, .last = last};
    return m->count++;
}

static void add_storages(const network_steps *n, network_memory *m) {
    for (int i = 0; i < n->storage_count; i++) {
        const network_storage *s = &n->storage[i];
        const bool inside = s->space == CVK_SPACE_WORKSPACE && s->last != NONE;
        m->block_of[i] = inside ? add_block(m, (uint64_t)s->bytes, s->first, s->last) : NONE;
    }
}

static void add_workspaces(const network_steps *n, const cvk_kernel_info *const *kernel, network_memory *m) {
    for (int i = 0; i < n->step_count; i++) {
        const uint64_t bytes = kernel[i]->workspace.bytes;
        m->work_of[i] = bytes ? add_block(m, bytes, i, i) : NONE;
    }
}

/* Scratch stands behind what lives during the step, where as many workers as there are may have theirs. One worker's
 * counts as living there. */
static memory_behind scratch_of_one(arena *a, const network_steps *n, const cvk_kernel_info *const *kernel) {
    uint64_t *bytes = arena_array(a, uint64_t, n->step_count + 1);
    for (int i = 0; i < n->step_count; i++) bytes[i] = cvk_scratch_bytes(kernel[i], 1);
    return (memory_behind){bytes, n->step_count};
}

network_memory network_place(arena *a, const network_steps *n, const cvk_kernel_info *const *kernel) {
    network_memory m = {.block = arena_array(a, memory_block, n->storage_count + n->step_count + 1),
                        .block_of = arena_array(a, int, n->storage_count + 1),
                        .work_of = arena_array(a, int, n->step_count + 1),
                        .scratch = arena_array(a, uint64_t, n->step_count + 1)};
    const memory_behind scratch = scratch_of_one(a, n, kernel);
    add_storages(n, &m);
    add_workspaces(n, kernel, &m);
    m.peak = memory_place(a, m.block, m.count, scratch);
    m.bound = memory_bound(m.block, m.count, scratch);
    m.sum = memory_sum(m.block, m.count);
    for (int i = 0; i < m.count; i++) m.placed = greater(m.placed, m.block[i].at + lines(m.block[i].bytes));
    for (int i = 0; i < n->step_count; i++) {
        m.scratch[i] = memory_end_during(m.block, m.count, i);
        m.sum += lines(scratch.bytes[i]);
    }
    return m;
}

/* ---- the table ---- */

typedef struct making {
    arena *arena;
    const network_steps *n;
    const network_memory *m;
    const cvk_kernel_info *const *kernel;
    cvk_network_info info;
    cvk_weight_info *weight;
    uint64_t gathered; /* bytes of the weights of layers that are packed as one */
} making;

/* Of any batch, what is placed for an image is as many times as large as there are images. */
static cvk_place place_at(const making *k, cvk_space space, int index, uint64_t at, uint64_t within) {
    cvk_place p = {.space = space, .index = (uint32_t)index, .bytes = within};
    *(k->n->batch_any ? &p.image_bytes : &p.bytes) += at;
    return p;
}

static cvk_place place_of_tensor(const making *k, int tensor) {
    const network_tensor *t = &k->n->tensor[tensor];
    const network_storage *s = &k->n->storage[t->storage];
    const int block = k->m->block_of[t->storage];
    cvk_place p = place_at(k, s->space, s->index, block == NONE ? 0 : k->m->block[block].at, (uint64_t)t->begin);
    p.image_bytes += (uint64_t)t->image_begin;
    return p;
}

/* The arrays that a step has of its own: what a caller brings of each, and what that is packed into. */
static const struct own_array {
    cvk_role role;
    const char *word;
    size_t packed; /* a member of cvk_kernel_info */
} OWN[] = {
    {CVK_ROLE_WEIGHTS, "weights", offsetof(cvk_kernel_info, packed_weights)},
    {CVK_ROLE_BIAS, "bias", offsetof(cvk_kernel_info, bias)},
    {CVK_ROLE_SCALE, "scale", offsetof(cvk_kernel_info, scale)},
    {CVK_ROLE_SHIFT, "shift", offsetof(cvk_kernel_info, shift)},
};
enum { OWN_ARRAYS = sizeof OWN / sizeof *OWN };

static const cvk_buffer_info *buffer_at(const cvk_kernel_info *kernel, size_t member) {
    return (const cvk_buffer_info *)(const void *)((const char *)kernel + member);
}

static int64_t own_elements(const cvk_spec *s, cvk_role role) {
    switch (role) {
    case CVK_ROLE_WEIGHTS: return spec_has_weights(s) ? spec_weights_elements(s) : 0;
    case CVK_ROLE_BIAS: return spec_bias_elements(s);
    case CVK_ROLE_SCALE: return spec_scale_elements(s);
    default: return spec_shift_elements(s);
    }
}

static cvk_dtype dtype_of(const cvk_spec *s, cvk_role role) {
    switch (role) {
    case CVK_ROLE_WEIGHTS: return (cvk_dtype)s->weights_type;
    case CVK_ROLE_SCALE: return (cvk_dtype)spec_post_type(s);
    case CVK_ROLE_SHIFT: return CVK_S32;
    default: return (cvk_dtype)spec_sum_type(s);
    }
}

static void set_shape(cvk_weight_info *w, const cvk_spec *s, int64_t elements) {
    const bool one = !spec_is_chain(s), weights = one && w->role == CVK_ROLE_WEIGHTS,
               vectors = one && w->role == CVK_ROLE_SCALE && spec_scales(s) > 1 && elements % s->out_channels == 0;
    w->shape[0] = elements; /* of a chain those of its layers, one behind the other */
    w->shape[1] = 1;
    if (weights) w->shape[0] = s->transposed ? s->in_channels : s->out_channels;
    if (weights) w->shape[1] = s->transposed ? spec_group_out(s) : spec_group_in(s);
    if (vectors) w->shape[0] = elements / s->out_channels, w->shape[1] = s->out_channels;
    for (int axis = 0; axis < AXES; axis++) w->shape[2 + axis] = weights ? s->kernel[axis] : 1;
}

/* What a layer of the file brings of a step's array, which begins `at` bytes on in what is packed. */
static uint64_t add_array(making *k, int step, const cvk_spec *s, const struct own_array *own, uint64_t at) {
    const int64_t elements = own_elements(s, own->role);
    const cvk_dtype dtype = dtype_of(s, own->role);
    const int bytes = type_bytes((cvk_type)dtype);
    if (!elements) return 0;
    cvk_weight_info *w = &k->weight[k->info.weights++];
    *w = (cvk_weight_info){.bytes = (uint64_t)(elements * bytes),
                           .packed = at,
                           .step = (uint32_t)step,
                           .role = own->role,
                           .dtype = dtype,
                           .alignment = (uint32_t)bytes,
                           .name = arena_format(k->arena, "%s.%s", s->name, own->word)};
    set_shape(w, s, elements);
    return w->bytes;
}

/* Layers whose weights are packed as one are gathered behind all that is packed. */
static void make_room_to_gather(making *k, int step, uint32_t arrays) {
    if (arrays > 1) k->gathered = greater(k->gathered, lines(k->kernel[step]->weights.bytes));
}

/* A step's array, one after another those of the layers that it is made of; and the room it takes packed. */
static cvk_place add_weights(making *k, int step, const struct own_array *own) {
    const cvk_buffer_info *packed = buffer_at(k->kernel[step], own->packed);
    const network_parts *parts = &k->n->step[step].parts;
    const uint64_t begin = k->info.packed_weights.bytes;
    const uint32_t before = k->info.weights;
    uint64_t at = begin;
    if (!packed->bytes) return (cvk_place){.space = CVK_SPACE_NONE};
    for (int i = 0; i < parts->count; i++) {
        const uint64_t bytes = add_array(k, step, parts->layer[i], own, at);
        if (own->role != CVK_ROLE_WEIGHTS) at += bytes;
    }
    if (own->role == CVK_ROLE_WEIGHTS) make_room_to_gather(k, step, k->info.weights - before);
    k->info.packed_weights.bytes += lines(packed->bytes);
    return (cvk_place){.space = CVK_SPACE_WEIGHTS, .bytes = begin};
}

static const cvk_place *places_of(making *k, int step) {
    const network_step *s = &k->n->step[step];
    const cvk_kernel_info *kernel = k->kernel[step];
    const int work = k->m->work_of[step];
    cvk_place *p = arena_array(k->arena, cvk_place, CVK_ROLES);
    p[CVK_ROLE_INPUT] = place_of_tensor(k, s->input);
    p[CVK_ROLE_OUTPUT] = place_of_tensor(k, s->output);
    if (s->operand[OPERAND_TENSOR] != NONE) p[CVK_ROLE_ADDEND] = place_of_tensor(k, s->operand[OPERAND_TENSOR]);
    if (s->operand[OPERAND_IMAGE_CHANNEL] != NONE)
        p[CVK_ROLE_GATE] = place_of_tensor(k, s->operand[OPERAND_IMAGE_CHANNEL]);
    for (int i = 0; i < OWN_ARRAYS; i++) p[OWN[i].role] = add_weights(k, step, &OWN[i]);
    if (kernel->scratch.bytes) p[CVK_ROLE_SCRATCH] = place_at(k, CVK_SPACE_WORKSPACE, 0, k->m->scratch[step], 0);
    if (work != NONE) p[CVK_ROLE_WORKSPACE] = place_at(k, CVK_SPACE_WORKSPACE, 0, k->m->block[work].at, 0);
    return p;
}

/* The table outlives the file. */
static const char *copied(arena *a, const char *name) { return arena_string(a, name, strlen(name)); }

static cvk_tensor_info tensor_info(arena *a, const network_steps *n, const graph_tensor *t, cvk_layout layout) {
    graph_tensor laid = *t;
    laid.layout = layout;
    cvk_tensor_info info = {.shape = {n->batch_any ? 0 : t->batch, t->channels},
                            .bytes = (uint64_t)(graph_elements(&laid) * type_bytes(t->type)),
                            .alignment = (uint32_t)type_bytes(t->type),
                            .spatial_rank = (uint32_t)t->rank,
                            .layout = layout,
                            .dtype = (cvk_dtype)t->type,
                            .name = copied(a, t->name)};
    memcpy(info.shape + 2, t->size, sizeof t->size);
    return info;
}

static void add_tensors(making *k) {
    const spec_graph *g = k->n->graph;
    cvk_tensor_info *input = arena_array(k->arena, cvk_tensor_info, g->input_count + 1);
    cvk_tensor_info *output = arena_array(k->arena, cvk_tensor_info, g->output_count + 1);
    for (int i = 0; i < g->input_count; i++) input[i] = tensor_info(k->arena, k->n, &g->tensor[i], g->tensor[i].layout);
    for (int i = 0; i < g->output_count; i++)
        output[i] = tensor_info(k->arena, k->n, &g->tensor[g->output[i].tensor], g->output[i].layout);
    k->info.inputs = (uint32_t)g->input_count;
    k->info.outputs = (uint32_t)g->output_count;
    k->info.input = input;
    k->info.output = output;
}

static int parts_of_all(const network_steps *n) {
    int parts = 0;
    for (int i = 0; i < n->step_count; i++) parts += n->step[i].parts.count;
    return parts;
}

cvk_network_info network_table(arena *a, const network_steps *n, const network_memory *m,
                               const cvk_kernel_info *const *kernel) {
    making k = {.arena = a, .n = n, .m = m, .kernel = kernel};
    k.info = (cvk_network_info){.struct_size = sizeof k.info,
                                .abi_version = CVK_ABI_VERSION,
                                .steps = (uint32_t)n->step_count,
                                .roles = CVK_ROLES,
                                .batch_any = n->batch_any,
                                .packed_weights = {.alignment = MEMORY_LINE},
                                .workspace = {.bytes = m->placed, .alignment = MEMORY_LINE},
                                .name = copied(a, n->name),
                                .target = n->step_count ? kernel[0]->target : ""};
    k.weight = arena_array(a, cvk_weight_info, parts_of_all(n) * OWN_ARRAYS + 1);
    cvk_step *step = arena_array(a, cvk_step, n->step_count + 1);
    for (int i = 0; i < n->step_count; i++)
        step[i] = (cvk_step){.name = copied(a, n->step[i].spec->name), .kernel = kernel[i], .place = places_of(&k, i)};
    k.info.packed_weights.bytes += k.gathered;
    add_tensors(&k);
    k.info.weight = k.weight;
    k.info.step = step;
    return k.info;
}

void network_find_arrays(const cvk_network_info *info, uint32_t step, const void *const of_role[CVK_ROLES],
                         cvk_const_buffer *dense) {
    uint64_t at[CVK_ROLES] = {0};
    for (uint32_t i = 0; i < info->weights; i++) {
        const cvk_weight_info *w = &info->weight[i];
        if (w->step != step) continue;
        dense[i] = (cvk_const_buffer){(const char *)of_role[w->role] + at[w->role], w->bytes};
        at[w->role] += w->bytes;
    }
}
