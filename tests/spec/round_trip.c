/* Round trip: what spec_print writes reads back to the same spec. Repeat a case with
 * CVK_SEED=n ./test_spec --filter round_trip */
#include "../numeric/random_chain.h"
#include "../numeric/random_layer.h"
#include "support.h"

#include <stdlib.h>

static uint64_t state;

static int64_t pick(int64_t least, int64_t most) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return least + (int64_t)((state >> 33) % (uint64_t)(most - least + 1));
}

static post_op random_post_op(void) {
    post_op op = {.kind = (post_kind)pick(0, POST_KINDS - 1)};
    uint32_t bits = (uint32_t)pick(0, INT32_MAX) & 0xBF7FFFFFU;
    float slope;
    memcpy(&slope, &bits, sizeof slope);
    if (op.kind == POST_LEAKY_RELU) op.a = (double)slope;
    if (op.kind == POST_CLAMP) op.a = (float)pick(-1000, 0) / 7, op.b = (float)pick(0, 1000) / 3;
    return op;
}

static void random_axis(cvk_spec *s, int axis) {
    s->in_size[axis] = pick(1, 40);
    s->kernel[axis] = pick(1, 5);
    s->stride[axis] = pick(1, 3);
    s->dilation[axis] = pick(1, 3);
    s->pad_before[axis] = pick(0, 1) ? 0 : pick(0, 9);
    s->pad_after[axis] = pick(0, 1) ? s->pad_before[axis] : pick(0, 9);
}

static void make_pool(cvk_spec *s) {
    s->kind = pick(0, 1) ? LAYER_MAX_POOL : LAYER_AVERAGE_POOL;
    s->groups = s->out_channels = s->in_channels;
    s->bias = s->flip_kernel = s->transposed = false;
    s->direction = DIRECTION_FORWARD;
    s->padding = PAD_ZEROS;
    s->ceil_mode = pick(0, 1);
    s->count_include_pad = s->kind == LAYER_AVERAGE_POOL && pick(0, 1);
    s->indices = s->kind == LAYER_MAX_POOL && pick(0, 1);
    s->accumulate = false;
    s->input_zero = s->weights_zero = 0;
    if (s->input_type != TYPE_F64) s->input_type = TYPE_F32;
    s->weights_type = s->output_type = s->input_type;
    for (int axis = 0; axis < AXES; axis++) s->output_padding[axis] = 0;
}

/* Each position by itself, or all of an image. */
static void make_other(cvk_spec *s) {
    make_pool(s);
    s->kind = (layer_kind)pick(LAYER_DENSE, LAYER_RESIZE);
    s->ceil_mode = s->count_include_pad = s->indices = false;
    s->groups = s->kind == LAYER_GROUP_NORM && pick(0, 1) ? 1 : spec_groups_of_kind(s);
    s->epsilon = pick(0, 1) ? 1e-5 : 0.25;
    s->interpolation = (interpolation)pick(INTERPOLATION_NEAREST, INTERPOLATION_LINEAR);
    s->coordinates = (coordinates)pick(COORDINATES_HALF_PIXEL, COORDINATES_ALIGN_CORNERS);
    s->nearest = (nearest_rounding)pick(ROUNDING_PREFER_FLOOR, ROUNDING_CEIL);
    for (int axis = 0; axis < AXES; axis++) {
        s->kernel[axis] = s->kind == LAYER_DENSE ? s->in_size[axis] : 1;
        s->stride[axis] = s->dilation[axis] = 1;
        s->pad_before[axis] = s->pad_after[axis] = 0;
        s->out_size[axis] = axis < AXES - s->rank ? 1 : pick(1, 40);
    }
}

/* What is read back where the kind has it. */
static bool same_steps(const cvk_spec *a, const cvk_spec *b) {
    const bool norm = a->kind == LAYER_GROUP_NORM || a->kind == LAYER_LAYER_NORM;
    if (norm && a->epsilon != b->epsilon) return false;
    return a->kind != LAYER_RESIZE ||
           (a->interpolation == b->interpolation && a->coordinates == b->coordinates && a->nearest == b->nearest);
}

static void random_bytes(cvk_spec *s) {
    s->input_type = pick(0, 1) ? TYPE_U8 : TYPE_S8;
    s->weights_type = pick(0, 1) ? TYPE_U8 : TYPE_S8;
    s->output_type = TYPE_S32;
    s->input_zero = (int)pick(0, 127);
    s->weights_zero = (int)pick(0, 127);
    if (s->padding == PAD_CONSTANT) s->padding_constant = (double)pick(0, 127);
}

/* One for all, or one for each of those that are summed alike. */
static void random_types(cvk_spec *s) {
    static const cvk_type types[] = {TYPE_F64, TYPE_F32, TYPE_F16, TYPE_BF16};
    s->input_type = s->weights_type = s->output_type = types[pick(0, 3)];
    if (s->post_count == 0 && s->direction == DIRECTION_FORWARD && pick(0, 2) == 0) {
        random_bytes(s);
        return;
    }
    if (s->input_type == TYPE_F64 || pick(0, 1)) return;
    s->weights_type = types[pick(1, 3)];
    s->output_type = types[pick(1, 3)];
}

enum { MOST_KNOWN = 200 };

/* Of a layer that is sound but for them. */
static void know(cvk_spec *s) {
    static double values[MOST_KNOWN];
    const int64_t count = spec_weights_elements(s), taps = spec_taps(s);
    const int bytes = type_bytes(s->weights_type);
    const bool alike = pick(0, 1);
    char *to = (char *)values;
    if (count > MOST_KNOWN || s->kind != LAYER_CONVOLUTION || s->direction != DIRECTION_FORWARD) return;
    for (int64_t i = 0; i < count; i++) {
        const double value = type_is_float(s->weights_type) ? (double)pick(-100, 100) / 7 : (double)pick(0, 100);
        type_write(s->weights_type, to + i * bytes, value);
        if (alike && i >= taps) memcpy(to + i * bytes, to + i % taps * bytes, (size_t)bytes);
    }
    s->known = values;
}

static cvk_spec random_spec(void) {
    static const char *const algorithms[] = {"auto", "direct", "winograd"};
    cvk_spec s = {.name = pick(0, 1) ? "a" : "_Layer_2",
                  .rank = (int)pick(1, 3),
                  .batch = pick(0, 3),
                  .padding = (padding_mode)pick(0, 5),
                  .input_layout = (cvk_layout)pick(0, 2),
                  .output_layout = (cvk_layout)pick(0, 2),
                  .accuracy = (accuracy)pick(0, 2),
                  .bias = pick(0, 1),
                  .flip_kernel = pick(0, 1),
                  .algorithm = algorithms[pick(0, 2)]};
    s.groups = pick(0, 1) ? 1 : pick(1, 6);
    s.in_channels = s.groups * (pick(0, 1) ? 1 : pick(1, 9));
    s.out_channels = s.groups * pick(1, 9);
    for (int axis = 0; axis < AXES; axis++) {
        s.in_size[axis] = s.kernel[axis] = s.stride[axis] = s.dilation[axis] = 1;
        if (axis >= AXES - s.rank) random_axis(&s, axis);
    }
    s.transposed = pick(0, 3) == 0;
    for (int axis = AXES - s.rank; axis < AXES && s.transposed; axis++)
        s.output_padding[axis] = pick(0, 1) ? 0 : pick(0, s.stride[axis] - 1);
    if (s.transposed) s.padding = PAD_ZEROS;
    if (s.padding == PAD_CONSTANT) s.padding_constant = (double)pick(1, 100) / 7;
    if (pick(0, 4) == 0) s.direction = DIRECTION_BACKWARD_WEIGHTS;
    s.post_count = pick(0, 1) || s.direction != DIRECTION_FORWARD ? 0 : (int)pick(0, MOST_POST_OPS);
    for (int i = 0; i < s.post_count; i++) s.post[i] = random_post_op();
    random_types(&s);
    for (int i = 0; i < s.post_count && spec_sum_type(&s) == TYPE_F64; i++) s.post[i].a /= 3, s.post[i].b /= 3;
    s.accumulate = type_is_float(spec_sum_type(&s)) && s.post_count == 0 &&
                   (s.direction != DIRECTION_FORWARD || !s.bias) && pick(0, 2) == 0;
    if (pick(0, 4) == 0)
        make_pool(&s);
    else
        s.ignore_nan = pick(0, 5) == 0;
    if (pick(0, 4) == 0) make_other(&s);
    return s;
}

static bool same_posts(const cvk_spec *a, const cvk_spec *b) {
    if (a->post_count != b->post_count) return false;
    for (int i = 0; i < a->post_count; i++)
        if (a->post[i].kind != b->post[i].kind || a->post[i].a != b->post[i].a || a->post[i].b != b->post[i].b)
            return false;
    return true;
}

static bool same_sizes(const cvk_spec *a, const cvk_spec *b) {
    size_t bytes = offsetof(cvk_spec, padding) - offsetof(cvk_spec, batch);
    return memcmp(&a->batch, &b->batch, bytes) == 0;
}

static bool same_weights(const cvk_spec *a, const cvk_spec *b) {
    const int64_t bytes = spec_weights_elements(a) * type_bytes(a->weights_type);
    if (!a->known || !b->known) return !a->known && !b->known;
    return memcmp(a->known, b->known, (size_t)bytes) == 0;
}

static bool same_quantization(const cvk_spec *a, const cvk_spec *b) {
    return a->input_zero == b->input_zero && a->weights_zero == b->weights_zero && a->output_zero == b->output_zero &&
           a->addend_zero == b->addend_zero && a->rounding == b->rounding && a->one_multiplier == b->one_multiplier;
}

static bool same(const cvk_spec *a, const cvk_spec *b) {
    if (!same_weights(a, b) || !same_quantization(a, b) || memcmp(a->pitch, b->pitch, sizeof a->pitch) != 0)
        return false;
    return strcmp(a->name, b->name) == 0 && a->rank == b->rank && same_sizes(a, b) && a->padding == b->padding &&
           a->padding_constant == b->padding_constant && a->ignore_nan == b->ignore_nan &&
           a->input_layout == b->input_layout && a->output_layout == b->output_layout &&
           a->input_type == b->input_type && a->weights_type == b->weights_type && a->output_type == b->output_type &&
           a->accuracy == b->accuracy && a->bias == b->bias && a->flip_kernel == b->flip_kernel &&
           a->transposed == b->transposed && a->accumulate == b->accumulate && a->direction == b->direction &&
           a->kind == b->kind && a->ceil_mode == b->ceil_mode && a->count_include_pad == b->count_include_pad &&
           a->indices == b->indices && same_posts(a, b) && same_steps(a, b) && strcmp(a->algorithm, b->algorithm) == 0;
}

/* Of a chain each layer, too: what is said of the whole is then the first's and the last's. */
static bool same_links(const cvk_spec *a, const cvk_spec *b) {
    bool alike = a->links == b->links;
    for (int i = 0; i < a->links && alike; i++) {
        const cvk_spec one = spec_link(a, i), other = spec_link(b, i);
        alike = same(&one, &other);
    }
    return alike;
}

static const char *print(arena *a, const cvk_spec *s) {
    text t = text_new(a);
    spec_print(s, &t);
    return t.bytes;
}

/* Reads a printed layer; it prints the same again. */
static void check_reads_back(const cvk_spec *s, const char *what) {
    arena memory, *a = &memory;
    arena_init(a);
    cr_assert(!arena_guard(a));
    const char *line = print(a, s);
    const char *file = arena_format(a, "version: 1\nlayers:\n  - %s\n", line);
    char message[512];
    cvk_network *network;
    cr_assert_eq(parse(file, &network, message, sizeof message), CVK_OK, "%s: %s\n%s", what, line, message);
    cr_assert(!strchr(line, '\n'), "%s: one line", what);
    cr_expect(same(s, cvk_network_layer(network, 0)) && same_links(s, cvk_network_layer(network, 0)),
              "%s: %s\nreads as %s", what, line, print(a, cvk_network_layer(network, 0)));
    cr_expect_str_eq(line, print(a, cvk_network_layer(network, 0)), "%s", what);
    cvk_network_free(network);
    arena_free(a);
}

Test(round_trip, of_random_specs_is_exact) {
    const char *given = getenv("CVK_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : 1, n = given ? 1 : 4000, sound = 0;
    for (uint64_t seed = first; seed < first + n; seed++) {
        state = seed * 0x9E3779B97F4A7C15U;
        cvk_spec s = random_spec();
        if (spec_finish(&s, NULL) != CVK_OK) continue;
        if (pick(0, 1)) know(&s);
        char what[128];
        snprintf(what, sizeof what, "CVK_SEED=%llu ./test_spec --filter round_trip", (unsigned long long)seed);
        check_reads_back(&s, what);
        sound++;
    }
    cr_expect(given || sound >= 2000, "only %llu of them were sound", (unsigned long long)sound);
}

/* Those that kernels are tried with have every key. */
Test(round_trip, of_random_layers_and_chains_is_exact) {
    const uint64_t seed = (uint64_t)environment_number("CVK_SEED", 1);
    for (uint64_t i = 0; i < 3000; i++) {
        draws d = draws_for(seed, i);
        cvk_spec s = draw_chance(&d, 25) ? random_chain(&d, "layer") : random_layer(&d, "layer");
        if (draw_chance(&d, 20) && s.batch == 1 && !spec_is_chain(&s)) s.batch_any = true;
        char what[128];
        snprintf(what, sizeof what, "CVK_SEED=%llu, layer %llu", (unsigned long long)seed, (unsigned long long)i);
        if (spec_is_chain(&s) || spec_finish(&s, NULL) == CVK_OK) check_reads_back(&s, what);
    }
}

Test(round_trip, of_every_shipped_network_is_exact) {
    static const char *const names[] = {"resnet50",    "vgg16",   "mobilenet_v2", "resnext50", "inception_v3",
                                        "deeplab",     "wavenet", "i3d",          "c3d",       "unet3d",
                                        "video_block", "alexnet", "lenet",        "dqn",       "tutorial"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096], message[512];
        snprintf(path, sizeof path, "%s/%s.yaml", SPECS, names[i]);
        cvk_diagnostics *d = cvk_diagnostics_new();
        cvk_network *network;
        cvk_status status = cvk_network_read(path, d, &network);
        first_message(d, message, sizeof message);
        cr_assert_eq(status, CVK_OK, "%s: %s", path, message);
        cr_expect_str_eq(cvk_network_name(network), names[i]);
        for (size_t k = 0; k < cvk_network_count(network); k++)
            check_reads_back(cvk_network_layer(network, k), names[i]);
        cvk_network_free(network);
        cvk_diagnostics_free(d);
    }
}

Test(round_trip, of_a_schedule_keeps_every_field) {
    static const char schedule[] = "schedule: " SCHEDULE;
    char keys[512];
    snprintf(keys, sizeof keys, "name: a, input: [1, 1, 5], out_channels: 1, kernel_size: 3, %s", schedule);
    cvk_network *network = one_layer(keys);
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    const char *line = print(&a, cvk_network_layer(network, 0));
    cr_expect(strstr(line, schedule), "%s", line);
    check_reads_back(cvk_network_layer(network, 0), "schedule");
    arena_free(&a);
    cvk_network_free(network);
}
