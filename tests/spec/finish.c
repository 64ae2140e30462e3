/* Finish: specs filled in by C code are held to the rules of a file. */
#include "support.h"

#include <math.h>
#include <string.h>

static cvk_spec sound(void) {
    return (cvk_spec){.name = "conv",
                      .rank = 2,
                      .batch = 1,
                      .in_channels = 8,
                      .out_channels = 8,
                      .groups = 1,
                      .in_size = {1, 16, 16},
                      .kernel = {1, 3, 3},
                      .stride = {1, 1, 1},
                      .dilation = {1, 1, 1},
                      .pad_before = {0, 1, 1},
                      .pad_after = {0, 1, 0},
                      .accuracy = ACCURACY_DEFAULT};
}

Test(finish, a_sound_spec_gets_its_output_size) {
    cvk_spec s = sound();
    cr_expect_eq(spec_finish(&s, NULL), CVK_OK);
    cr_expect(s.out_size[AXIS_D] == 1 && s.out_size[AXIS_H] == 16 && s.out_size[AXIS_W] == 15);
    cr_expect_str_eq(s.algorithm, "auto");
}

static void expect(const char *what, cvk_spec s, cvk_status status) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_expect_eq(spec_finish(&s, d), status, "%s", what);
    cr_expect_gt(cvk_diagnostics_count(d), 0, "%s: why not", what);
    cvk_diagnostics_free(d);
}

#define REFUSED(status, ...)                                                                                           \
    do {                                                                                                               \
        cvk_spec s = sound();                                                                                          \
        __VA_ARGS__;                                                                                                   \
        expect(#__VA_ARGS__, s, status);                                                                               \
    } while (0)

Test(finish, what_no_file_could_say_is_refused) {
    REFUSED(CVK_ERROR_SPEC, s.name = NULL);
    REFUSED(CVK_ERROR_SPEC, s.name = "");
    REFUSED(CVK_ERROR_SPEC, s.name = "3x3");
    REFUSED(CVK_ERROR_SPEC, s.name = "caf\xC3\xA9");
    REFUSED(CVK_ERROR_SPEC, s.name = "\xFF\xFE");
    REFUSED(CVK_ERROR_SPEC, s.name = "a\nb");
    REFUSED(CVK_ERROR_SPEC, s.rank = 0);
    REFUSED(CVK_ERROR_SPEC, s.rank = 4);
    REFUSED(CVK_ERROR_SPEC, s.rank = 1);
    REFUSED(CVK_ERROR_SPEC, s.batch = -1);
    REFUSED(CVK_ERROR_SPEC, s.in_channels = 0);
    REFUSED(CVK_ERROR_SPEC, s.out_channels = INT64_MIN);
    REFUSED(CVK_ERROR_SPEC, s.in_size[AXIS_W] = 0);
    REFUSED(CVK_ERROR_SPEC, s.kernel[AXIS_H] = 0);
    REFUSED(CVK_ERROR_SPEC, s.stride[AXIS_W] = 0);
    REFUSED(CVK_ERROR_SPEC, s.dilation[AXIS_W] = -1);
    REFUSED(CVK_ERROR_SPEC, s.pad_after[AXIS_W] = -1);
    REFUSED(CVK_ERROR_SPEC, s.groups = 0);
    REFUSED(CVK_ERROR_SPEC, s.groups = 3);
    REFUSED(CVK_ERROR_SPEC, s.kernel[AXIS_W] = 20);
    REFUSED(CVK_ERROR_SPEC, s.padding = PADDING_MODES);
    REFUSED(CVK_ERROR_SPEC, s.padding = PAD_REFLECT; s.pad_before[AXIS_W] = 16);
    REFUSED(CVK_ERROR_SPEC, s.input_layout = (cvk_layout)3);
    REFUSED(CVK_ERROR_SPEC, s.output_layout = (cvk_layout)-1);
    REFUSED(CVK_ERROR_SPEC, s.input_type = TYPE_S16);
    REFUSED(CVK_ERROR_SPEC, s.weights_type = (cvk_type)-1);
    REFUSED(CVK_ERROR_SPEC, s.output_type = TYPES);
    REFUSED(CVK_ERROR_SPEC, s.output_type = TYPE_F64);
    REFUSED(CVK_ERROR_SPEC, s.input_type = TYPE_U8);
    REFUSED(CVK_ERROR_SPEC, s.input_zero = 1);
    REFUSED(CVK_ERROR_SPEC, s.input_type = s.weights_type = TYPE_S8; s.output_type = TYPE_S32; s.weights_zero = 128);
    REFUSED(CVK_ERROR_SPEC, s.input_type = TYPE_F64; s.output_type = TYPE_F64);
    REFUSED(CVK_ERROR_SPEC, s.accuracy = (accuracy)3);
    REFUSED(CVK_ERROR_SPEC, s.post_count = -1);
    REFUSED(CVK_ERROR_SPEC, s.post_count = MOST_POST_OPS + 1);
    REFUSED(CVK_ERROR_SPEC, s.post_count = 1; s.post[0].kind = POST_KINDS);
    REFUSED(CVK_ERROR_SPEC, s.post_count = 1; s.post[0] = (post_op){POST_LEAKY_RELU, NAN, 0});
    REFUSED(CVK_ERROR_SPEC, s.post_count = 1; s.post[0] = (post_op){POST_CLAMP, 1, 0});
    REFUSED(CVK_ERROR_SPEC, s.algorithm = "");
    REFUSED(CVK_ERROR_SPEC, s.algorithm = "magic");
    REFUSED(CVK_ERROR_SPEC, s.algorithm = "\xFF");
    REFUSED(CVK_ERROR_UNSUPPORTED, s.stride[AXIS_W] = INT64_MAX);
    REFUSED(CVK_ERROR_UNSUPPORTED, s.in_channels = INT64_MAX);
    REFUSED(CVK_ERROR_UNSUPPORTED, s.in_channels = 1 << 20; s.in_size[AXIS_H] = s.in_size[AXIS_W] = 1 << 20);
    REFUSED(CVK_ERROR_SPEC, s.stride[AXIS_W] = INT64_MAX; s.groups = 0);
}

Test(finish, several_mistakes_are_all_told) {
    cvk_spec s = sound();
    s.stride[AXIS_H] = s.stride[AXIS_W] = s.kernel[AXIS_W] = 0;
    cvk_diagnostics *d = cvk_diagnostics_new();
    char message[512];
    cr_expect_eq(spec_finish(&s, d), CVK_ERROR_SPEC);
    cr_expect_eq(cvk_diagnostics_count(d), 3);
    first_message(d, message, sizeof message);
    cr_expect_str_eq(message, "error[E0401]: conv.kernel_size: expected an integer 1..65536, got 0");
    cvk_diagnostics_free(d);
}

/* What is told of a layer with that name; the same wherever the name is too long. */
static void expect_name(const char *name, cvk_status status, const char *told) {
    cvk_spec s = sound();
    s.name = name;
    cvk_diagnostics *d = cvk_diagnostics_new();
    char message[512];
    cr_expect_eq(spec_finish(&s, d), status, "%s", told);
    cr_assert_eq(cvk_diagnostics_count(d), 1, "%s", told);
    first_message(d, message, sizeof message);
    cr_expect_str_eq(message, told);
    cvk_diagnostics_free(d);
}

Test(finish, a_name_is_held_to_what_a_file_could_say) {
    char longest[258];
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    cvk_spec s = sound();
    s.name = longest;
    cr_expect_eq(spec_finish(&s, NULL), CVK_OK);
    longest[256] = 'a', longest[257] = '\0';
#define HINT "\n  hint: letters, digits and underscores, not beginning with a digit"
    expect_name(longest, CVK_ERROR_UNSUPPORTED, "error[E0600]: layer.name: over the limit of 256 bytes");
    expect_name("", CVK_ERROR_SPEC, "error[E0405]: layer.name: expected a name, got the string \"\"" HINT);
    expect_name(NULL, CVK_ERROR_SPEC, "error[E0405]: layer.name: expected a name, got nothing" HINT);
    expect_name("a b", CVK_ERROR_SPEC, "error[E0405]: layer.name: expected a name, got the string \"a b\"" HINT);
    expect_name("\xC3(", CVK_ERROR_SPEC,
                "error[E0405]: layer.name: expected a name, got what is not text in UTF-8" HINT);
    expect_name("\x1b[2J", CVK_ERROR_SPEC,
                "error[E0405]: layer.name: expected a name, got what is not text in UTF-8" HINT);
#undef HINT
}

Test(finish, an_unknown_algorithm_has_a_hint) {
    cvk_spec s = sound();
    s.algorithm = "winnograd";
    cvk_diagnostics *d = cvk_diagnostics_new();
    char message[512];
    cr_expect_eq(spec_finish(&s, d), CVK_ERROR_SPEC);
    first_message(d, message, sizeof message);
    cr_expect_str_eq(
        message,
        "error[E0404]: conv.algorithm: expected auto, direct, im2col, depthwise, grouped, winograd, constants, separable, positions, resize or fft, got the "
        "string \"winnograd\"\n  hint: did you mean `winograd`?");
    cvk_diagnostics_free(d);
}
