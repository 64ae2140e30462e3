/* Does cvk_select take the first variant that this CPU can run, and refuse everything else? */
#include <convoke/runtime.h>

#include <criterion/criterion.h>
#include <string.h>

#define VARIANT(label, needs)                                                                                          \
    {.struct_size = sizeof(cvk_kernel_info), .abi_version = CVK_ABI_VERSION, .target = label, .cpu_features = needs}

/* A feature that no CPU has: it has no row. */
#define NOBODY_HAS (UINT64_C(1) << 62)
static const cvk_kernel_info impossible = VARIANT("impossible", NOBODY_HAS), fast = VARIANT("fast", 0),
                             slow = VARIANT("slow", 0),
                             odd = {.struct_size = sizeof odd, .abi_version = CVK_ABI_VERSION + 1};

#define SET(...)                                                                                                       \
    {                                                                                                                  \
        CVK_ABI_VERSION, sizeof((const cvk_kernel_info *[]){__VA_ARGS__}) / sizeof(void *),                            \
            (const cvk_kernel_info *const[]) {                                                                         \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

Test(select, takes_the_first_that_runs_and_refuses_the_rest) {
    const struct {
        const char *what;
        cvk_kernel_set set;
        const cvk_kernel_info *selected;
        cvk_status status;
    } cases[] = {
        {"the best of two", SET(&fast, &slow), &fast, CVK_OK},
        {"the best that runs", SET(&impossible, &impossible, &fast, &slow), &fast, CVK_OK},
        {"none that runs", SET(&impossible, &impossible), NULL, CVK_ERROR_CPU},
        {"none at all", {CVK_ABI_VERSION, 0, NULL}, NULL, CVK_ERROR_CPU},
        {"a set of another version", {CVK_ABI_VERSION + 1, 0, NULL}, NULL, CVK_ERROR_ABI},
        {"a kernel of another version", SET(&odd, &slow), NULL, CVK_ERROR_ABI},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvk_status status = CVK_ERROR_INTERNAL;
        cr_assert_eq(cvk_select(&cases[i].set, &status), cases[i].selected, "%s", cases[i].what);
        cr_assert_eq(status, cases[i].status, "%s: %s", cases[i].what, cvk_status_text(status));
        cr_assert_eq(cvk_select(&cases[i].set, NULL), cases[i].selected, "%s, without a status", cases[i].what);
    }
    cvk_status status = CVK_OK;
    cr_assert_null(cvk_select(NULL, &status));
    cr_assert_eq(status, CVK_ERROR_ARGUMENT);
}

Test(select, names_features_in_as_much_room_as_there_is) {
    const uint64_t some = CVK_CPU_AVX2 | CVK_CPU_FMA | CVK_CPU_SSE41;
    static const char whole[] = "sse4.1 avx2 fma";
    for (size_t size = 0; size < 2 * sizeof whole; size++) {
        char text[2 * sizeof whole];
        memset(text, '#', sizeof text);
        size_t kept = size < sizeof whole ? size : sizeof whole; /* with the zero */
        cr_assert_eq(cvk_cpu_names(some, text, size), strlen(whole), "in %zu bytes", size);
        cr_assert(!kept || (memcmp(text, whole, kept - 1) == 0 && text[kept - 1] == 0), "in %zu bytes", size);
        for (size_t i = kept; i < sizeof text; i++) cr_assert_eq(text[i], '#', "%zu bytes: wrote at %zu", size, i);
    }
    char text[8] = "before";
    cr_assert_eq(cvk_cpu_names(0, text, sizeof text), 0);
    cr_assert_str_empty(text);
    cr_assert_eq(cvk_cpu_names(some, NULL, 0), strlen(whole));
}
