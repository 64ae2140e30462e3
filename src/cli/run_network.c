/* Arrays are laid out as the network has them, and back; weights come from the folder that `compile --weights` takes.
 */
#include "cli/run_network.h"

#include "chain.h"

#include "cli/session_main.h"
#include "cli/weights.h"
#include "judge/layouts.h"
#include "lab/network.h"

#include <stdlib.h>
#include <string.h>

/* A network that is run once. */
typedef struct running {
    ready_network network;
    cvk_const_buffer *input;
    cvk_buffer *output;
    cvk_network_buffers buffers;
    int64_t images; /* 0: no input has been read */
} running;

static cli_exit refuse(const char *words) {
    session_say("run: %s", words);
    return CLI_USAGE;
}

/* ---- what is said ---- */

/* The file of a tensor in a list of NAME=FILE; of the only one FILE will do. NULL: it is not there. */
static const char *path_of(const cli_LIST *list, const char *name, uint32_t all) {
    const size_t length = strlen(name);
    for (int i = 0; i < list->count; i++)
        if (strncmp(list->text[i], name, length) == 0 && list->text[i][length] == '=')
            return list->text[i] + length + 1;
    return all == 1 && list->count == 1 ? list->text[0] : NULL;
}

/* Every tensor has its file, and there are no others. */
static cli_exit check_list(const char *option, const cli_LIST *list, const cvk_tensor_info *t, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!path_of(list, t[i].name, count)) {
            session_say("run: the network needs %s %s=FILE", option, t[i].name);
            return CLI_USAGE;
        }
    if (list->count == (int)count) return CLI_DONE;
    session_say("run: the network takes %s %u times, not %d", option, count, list->count);
    return CLI_USAGE;
}

static cli_exit check_options(const session *s, const cvk_network_info *info) {
    const cli_options *o = s->options;
    const struct {
        bool given;
        const char *words;
    } others[] = {
        {o->reference, "--reference is for one layer: --layer NAME says which"},
        {o->bias || o->scale.count || o->shift, "of a network --weights DIR has the bias and scales of all layers"},
        {o->addend.count || o->gate.count || o->gradient || o->bias_output || o->indices,
         "a network takes --input, --weights and --output"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given) return refuse(others[i].words);
    if (info->weights && !o->weights)
        return refuse("the network needs --weights DIR, with LAYER.weights.npy and so on");
    const cli_exit status = check_list("--input", &o->input, info->input, info->inputs);
    return status == CLI_DONE ? check_list("--output", &o->output, info->output, info->outputs) : status;
}

/* ---- arrays ---- */

static shape shape_of(const cvk_tensor_info *t, int64_t images) {
    shape of = {.type = (cvk_type)t->dtype,
                .rank = 2 + (int)t->spatial_rank,
                .size = {t->shape[0] ? t->shape[0] : images, t->shape[1]},
                .any_first = t->shape[0] == 0};
    for (uint32_t i = 0; i < t->spatial_rank; i++) of.size[2 + i] = t->shape[5 - t->spatial_rank + i];
    return of;
}

/* Aligned for any kernel. */
static void *room(arena *a, uint64_t bytes) {
    const uintptr_t at = (uintptr_t)arena_alloc(a, (size_t)bytes + MEMORY_LINE);
    return (void *)((at + MEMORY_LINE - 1) / MEMORY_LINE * MEMORY_LINE);
}

static uint64_t bytes_of(const running *r, const cvk_tensor_info *t) {
    return t->bytes * (uint64_t)(r->network.info.batch_any ? r->images : 1);
}

/* All inputs have as many images as the first. */
static cli_exit take_images(running *r, const char *path, int64_t images) {
    if (!r->network.info.batch_any || r->images == 0) r->images = images;
    if (r->images == images) return CLI_DONE;
    session_say("%s: it has %lld images, and the input before it %lld", path, (long long)images, (long long)r->images);
    return CLI_INPUT;
}

static cli_exit read_input(session *s, arena *a, running *r, uint32_t i) {
    const cvk_tensor_info *t = &r->network.info.input[i];
    const char *path = path_of(&s->options->input, t->name, r->network.info.inputs);
    const shape expected = shape_of(t, 1);
    npy_array array = {0};
    cli_exit status = shape_read(s, t->name, path, &expected, &array);
    if (status == CLI_DONE) status = take_images(r, path, array.shape[0]);
    if (status == CLI_DONE) {
        void *to = room(a, bytes_of(r, t));
        layout_write(t->layout, type_bytes(expected.type), array.shape[0], t->shape[1], t->shape + 2, array.data, to);
        r->input[i] = (cvk_const_buffer){to, bytes_of(r, t)};
    }
    npy_free(&array);
    return status;
}

static cvk_status write_output(const session *s, arena *a, const running *r, uint32_t i) {
    const cvk_tensor_info *t = &r->network.info.output[i];
    const shape of = shape_of(t, r->images);
    npy_array array = {.type = of.type, .rank = of.rank, .elements = shape_elements(&of)};
    array.data = arena_alloc(a, (size_t)(array.elements * type_bytes(of.type)) + 1);
    memcpy(array.shape, of.size, sizeof of.size);
    layout_read(t->layout, type_bytes(of.type), of.size[0], t->shape[1], t->shape + 2, r->output[i].data, array.data);
    return npy_write(path_of(&s->options->output, t->name, r->network.info.outputs), s->diagnostics, &array);
}

/* ---- weights ---- */

/* The arrays of a step, in the order of the table. */
static cli_exit read_step(session *s, arena *a, const running *r, uint32_t step, cvk_const_buffer *dense) {
    const network_parts *parts = &r->network.steps->step[step].parts;
    known_tensors of;
    const cli_exit status = weights_read_all(s, a, parts->layer, parts->count, s->options->weights, &of);
    const void *const tensors[CVK_ROLES] = {[CVK_ROLE_WEIGHTS] = of.weights,
                                            [CVK_ROLE_BIAS] = of.bias,
                                            [CVK_ROLE_SCALE] = of.scale,
                                            [CVK_ROLE_SHIFT] = of.shift};
    if (status == CLI_DONE) network_find_arrays(&r->network.info, step, tensors, dense);
    return status;
}

static cli_exit pack_weights(session *s, arena *a, running *r) {
    const cvk_network_info *info = &r->network.info;
    cvk_const_buffer *dense = arena_array(a, cvk_const_buffer, info->weights + 1);
    const cvk_buffer packed = {room(a, info->packed_weights.bytes), info->packed_weights.bytes};
    cli_exit status = CLI_DONE;
    for (uint32_t i = 0; i < info->steps && info->weights && status == CLI_DONE; i++)
        status = read_step(s, a, r, i, dense);
    if (status != CLI_DONE) return status;
    r->buffers.weights = (cvk_const_buffer){packed.data, packed.bytes};
    return session_fail(s, cvk_network_pack(info, dense, packed));
}

/* ---- a run ---- */

static cli_exit bind(session *s, arena *a, running *r) {
    const cvk_network_info *info = &r->network.info;
    cli_exit status = CLI_DONE;
    r->input = arena_array(a, cvk_const_buffer, info->inputs + 1);
    r->output = arena_array(a, cvk_buffer, info->outputs + 1);
    for (uint32_t i = 0; i < info->inputs && status == CLI_DONE; i++) status = read_input(s, a, r, i);
    if (status != CLI_DONE) return status;
    for (uint32_t i = 0; i < info->outputs; i++)
        r->output[i] = (cvk_buffer){room(a, bytes_of(r, &info->output[i])), bytes_of(r, &info->output[i])};
    const uint64_t batch = info->batch_any ? (uint64_t)r->images : 0;
    const cvk_buffer_info workspace = cvk_network_workspace(info, batch, s->parallel.workers);
    r->buffers = (cvk_network_buffers){.struct_size = sizeof r->buffers,
                                       .batch = batch,
                                       .inputs = r->input,
                                       .outputs = r->output,
                                       .workspace = {room(a, workspace.bytes), workspace.bytes}};
    return pack_weights(s, a, r);
}

static cli_exit run_opened(session *s, arena *a, running *r) {
    ready_network_begin(a, s->files[0].network, chain_near_bytes(s->target), &r->network);
    cvk_status status = ready_network_open(&s->lab, a, &r->network);
    if (status != CVK_OK) return session_fail(s, status);
    cli_exit done = check_options(s, &r->network.info);
    if (done == CLI_DONE) done = bind(s, a, r);
    if (done != CLI_DONE) return done;
    status = cvk_network_run(&r->network.info, &r->buffers, &s->parallel);
    for (uint32_t i = 0; i < r->network.info.outputs && status == CVK_OK; i++) status = write_output(s, a, r, i);
    return session_fail(s, status);
}

/* Images of kernels are listed in the arena. */
static cli_exit run_guarded(session *s, arena *a, void *context) {
    running *r = context;
    const cli_exit status = run_opened(s, a, r);
    ready_network_close(&r->network);
    return status;
}

cli_exit run_network(session *s) {
    running r = {.images = 0};
    return session_guarded(s, run_guarded, &r);
}
