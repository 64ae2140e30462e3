/* What the tests of spec/ share: reading a text that must be sound, and one layer from its keys. */
#ifndef CVK_TESTS_SPEC_SUPPORT_H
#define CVK_TESTS_SPEC_SUPPORT_H

#include "spec/spec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* The first message, or "" where there is none. */
static inline void first_message(const cvk_diagnostics *d, char *message, size_t size) {
    message[0] = '\0';
    if (cvk_diagnostics_count(d)) cvk_diagnostic_format(cvk_diagnostics_get(d, 0), message, size);
}

/* The status of a text, and the network if it is sound. */
static inline cvk_status parse(const char *bytes, cvk_network **network, char *message, size_t size) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = cvk_network_parse(bytes, strlen(bytes), "test.yaml", d, network);
    first_message(d, message, size);
    cvk_diagnostics_free(d);
    return status;
}

/* A network of one layer, `keys` being what stands inside its braces. Free it. */
static inline cvk_network *one_layer(const char *keys) {
    char bytes[4096], message[512];
    snprintf(bytes, sizeof bytes, "version: 1\nlayers:\n  - {%s}\n", keys);
    cvk_network *network;
    cvk_status status = parse(bytes, &network, message, sizeof message);
    cr_assert_eq(status, CVK_OK, "{%s}: %s", keys, message);
    return network;
}

/* A plan, for a layer that pins one. */
#define SCHEDULE                                                                                                       \
    "{algorithm: direct, lanes: columns, tile: {oc: 2, od: 1, oh: 1, ow: 16}, block: {oh: 1, ow: 1}, unroll: {ic: 4, " \
    "kw: true, kh: false}, dot: 0, order: [n, g, od, {oh: 3}, oh, oc, ow], tasks: 2, pack: {input_rows: 3, border: "   \
    "false, transposed: false}, prefetch: false, stream: false}"

#endif
