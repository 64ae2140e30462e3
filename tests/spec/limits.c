/* Limits: N is read, N + 1 is refused as unsupported, for every row of spec/limits.def. */
#include "support.h"

#include <stdlib.h>

static void check_text(const char *what, const char *bytes, size_t length, cvk_status expected) {
    cvk_network *network;
    cvk_diagnostics *d = cvk_diagnostics_new();
    char message[512];
    cvk_status status = cvk_network_parse(bytes, length, "limit.yaml", d, &network);
    first_message(d, message, sizeof message);
    cr_expect_eq(status, expected, "%s: status %d, %s", what, status, message);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
}

static void check_keys(const char *format, long long n, cvk_status expected) {
    char keys[512], bytes[1024];
    snprintf(keys, sizeof keys, format, n);
    snprintf(bytes, sizeof bytes, "version: 1\nlayers:\n  - {name: a, %s}\n", keys);
    check_text(keys, bytes, strlen(bytes), expected);
}

Test(limits, numbers_reach_their_limit_and_not_beyond) {
    static const struct {
        const char *keys;
        long long most;
    } cases[] = {
        {"input: [%lld, 1, 1], out_channels: 1, kernel_size: 1", 1 << 20},
        {"input: [1, %lld, 1], out_channels: 1, kernel_size: 1", 1 << 20},
        {"input: [1, 1, %lld], out_channels: 1, kernel_size: 1", 1 << 20},
        {"input: [1, 1, %lld, 1, 1], out_channels: 1, kernel_size: 1", 1 << 20},
        {"input: [1, 1, 1], out_channels: %lld, kernel_size: 1", 1 << 20},
        {"input: [1, 1048576, 1], out_channels: 1048576, kernel_size: 1, groups: %lld", 1 << 20},
        {"input: [1, 1, 70000], out_channels: 1, kernel_size: %lld", 1 << 16},
        {"input: [1, 1, 70000, 1], out_channels: 1, kernel_size: [%lld, 1]", 1 << 16},
        {"input: [1, 1, 9], out_channels: 1, kernel_size: 1, stride: %lld", 1 << 15},
        {"input: [1, 1, 9], out_channels: 1, kernel_size: 1, dilation: %lld", 1 << 15},
        {"input: [1, 1, 9], out_channels: 1, kernel_size: 1, padding: %lld", 1 << 16},
        {"input: [1, 1, 9], out_channels: 1, kernel_size: 1, padding: [[0, %lld]]", 1 << 16},
        /* words: a kernel of 17 reaches 16 times its dilation */
        {"input: [1, 1, 9], out_channels: 1, kernel_size: 17, padding: causal, dilation: %lld", 1 << 12},
        /* tensors: 2047 * 2^20 elements fit, 2048 * 2^20 = 2^31 do not */
        {"input: [1, %lld, 1024, 1024], out_channels: 1, kernel_size: 1", 2047},
        {"input: [1, 1, 1024, 1024], out_channels: %lld, kernel_size: 1", 2047},
        {"input: [1, 65536, 1, 1], out_channels: %lld, kernel_size: 1", 32767},
        /* blocks of 16: 127 * 16 channels of 2^20 pixels fit, one more channel does not */
        {"input: [1, %lld, 1024, 1024], out_channels: 1, kernel_size: 1, layout: {input: blocked, output: blocked}",
         2032},
        /* 2^46 multiply-adds: 2^15 * 2^15 weights * 2^16 pixels */
        {"input: [1, 32768, %lld], out_channels: 32768, kernel_size: 1", 65535},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_keys(cases[i].keys, cases[i].most, CVK_OK);
        check_keys(cases[i].keys, cases[i].most + 1, CVK_ERROR_UNSUPPORTED);
    }
}

Test(limits, of_multiply_adds_holds_to_the_last_one) {
    check_keys("input: [1, 16384, 65536], out_channels: 16384, kernel_size: %lld, padding: same", 4, CVK_OK);
    check_keys("input: [1, 16384, 65537], out_channels: 16384, kernel_size: %lld, padding: same", 4,
               CVK_ERROR_UNSUPPORTED);
}

/* `n` items, each printed from its number, between a head and a tail; free it. */
static char *many(const char *head, const char *item, size_t n, const char *tail) {
    size_t size = strlen(head) + n * (strlen(item) + 8) + strlen(tail) + 1, used;
    char *bytes = malloc(size);
    used = (size_t)snprintf(bytes, size, "%s", head);
    for (size_t i = 0; i < n; i++) used += (size_t)snprintf(bytes + used, size - used, item, i);
    snprintf(bytes + used, size - used, "%s", tail);
    return bytes;
}

static void check_many(const char *what, const char *head, const char *item, size_t most, const char *tail,
                       cvk_status at_most) {
    char *fits = many(head, item, most, tail), *over = many(head, item, most + 1, tail);
    check_text(what, fits, strlen(fits), at_most);
    check_text(what, over, strlen(over), CVK_ERROR_UNSUPPORTED);
    free(fits);
    free(over);
}

#define SMALL "{name: a, input: [1, 1, 5], out_channels: 1, kernel_size: 3"

Test(limits, of_a_files_text_hold) {
    check_many("layers", "version: 1\nlayers:\n", "- {name: a%zu, input: [1, 1, 5], out_channels: 1, kernel_size: 3}\n",
               1024, "", CVK_OK);
    check_many("post-ops", "version: 1\nlayers: [" SMALL ", post_ops: [relu", ", relu", 15, "]}]\n", CVK_OK);
    /* 31 events around the scalars */
    /* a schedule that is none is refused, but is read */
    check_many("events", "version: 1\nlayers: [" SMALL ", schedule: {a: [", "1,", 50000 - 31, "]}}]\n", CVK_ERROR_SPEC);
    check_many("depth", "version: 1\nlayers: [" SMALL ", schedule: {a: ", "[", 12, "1", CVK_ERROR_SPEC);
    check_many("a scalar", "version: 1\nlayers: [" SMALL ", schedule: {a: ", "a", 256, "}}]\n", CVK_ERROR_SPEC);
    static const char head[] = "version: 1\nlayers: [" SMALL "}]\n#";
    check_many("a file", head, "x", (1 << 20) - strlen(head), "", CVK_OK);
}

Test(limits, of_a_scalar_do_not_hold_under_values) {
    char *bytes = many("version: 1\nlayers: [" SMALL ", weights: {values: [", "1", 300, "]}}]\n");
    cvk_network *network;
    char message[512];
    cr_expect_eq(parse(bytes, &network, message, sizeof message), CVK_ERROR_SPEC);
    cr_expect(strstr(message, "E0402"), "it is read, and found to be no f32: %s", message);
    free(bytes);
}

Test(limits, a_network_at_every_limit_of_depth_is_read) {
    char *bytes = many("version: 1\nlayers: [" SMALL ", schedule: {a: ", "[", 12, "1]]]]]]]]]]]]}}]\n");
    check_text("depth 16", bytes, strlen(bytes), CVK_ERROR_SPEC); /* as a schedule */
    free(bytes);
    bytes = many("version: 1\nlayers: [" SMALL ", schedule: {a: ", "[", 13, "1]]]]]]]]]]]]]}}]\n");
    check_text("depth 17", bytes, strlen(bytes), CVK_ERROR_UNSUPPORTED);
    free(bytes);
}
