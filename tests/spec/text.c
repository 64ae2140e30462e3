/* Text: floats that read back; words compared. */
#include "support.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

Test(text, grows_without_losing_a_byte) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    text t = text_new(&a);
    for (int i = 0; i < 10000; i++) text_add(&t, "%d,", i);
    cr_expect_eq(t.length, 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5);
    cr_expect_eq(strlen(t.bytes), t.length);
    cr_expect_str_eq(t.bytes + t.length - 10, "9998,9999,");
    text_add_bytes(&t, "", 0);
    arena_free(&a);
}

static const char *printed(arena *a, float value) {
    text t = text_new(a);
    text_add_float(&t, value);
    return t.bytes;
}

Test(text, floats_are_the_shortest_decimals_that_read_back) {
    static const struct {
        float value;
        const char *decimal;
    } cases[] = {{0, "0"},
                 {-0.0F, "-0"},
                 {-3, "-3"},
                 {100, "100"},
                 {0.1F, "0.1"},
                 {1e30F, "1e+30"},
                 {0.333333343F, "0.33333334"},
                 {16777216, "16777216"},
                 {16777215, "16777215"},
                 {1e-45F, "1e-45"},
                 {3.4028235e38F, "3.4028235e+38"},
                 {6.5F, "6.5"}};
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(printed(&a, cases[i].value), cases[i].decimal);
    uint32_t bits = 1;
    for (int i = 0; i < 100000; i++) {
        float value, back;
        bits = bits * 1664525U + 1013904223U;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        back = strtof(printed(&a, value), NULL);
        cr_assert(memcmp(&back, &value, sizeof back) == 0, "0x%08x prints as %s", bits, printed(&a, value));
    }
    arena_free(&a);
}

Test(text, distance_counts_single_edits) {
    static const struct {
        const char *a, *b;
        unsigned edits;
    } cases[] = {{"stride", "stride", 0}, {"stirde", "stride", 1}, {"strid", "stride", 1}, {"sstride", "stride", 1},
                 {"strude", "stride", 1}, {"", "abc", 3},          {"abc", "", 3},         {"kitten", "sitting", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(text_distance(cases[i].a, cases[i].b), cases[i].edits, "%s, %s", cases[i].a, cases[i].b);
    static const char *const words[] = {"stride", "padding", "dilation", "bias"};
    cr_expect_str_eq(text_nearest("dialtion", words, 4), "dilation");
    cr_expect_str_eq(text_nearest("bais", words, 4), "bias");
    cr_expect_null(text_nearest("groups", words, 4), "nothing is near");
    cr_expect_null(text_nearest("", words, 4), "nothing is near nothing");
}
