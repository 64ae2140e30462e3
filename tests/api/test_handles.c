/* What convoke.h promises a host program: many threads may compile at once, handles are counted, NULL may be freed, and
 * a failure gives NULL and says why. */
#include <convoke/convoke.h>

#include <criterion/criterion.h>

static cvk_network *network;
static void begin(void) { cr_assert_eq(cvk_network_read(SPEC, NULL, &network), CVK_OK); }
static void end(void) { cvk_network_free(network); }
TestSuite(handles, .init = begin, .fini = end);

Test(handles, a_kernel_outlives_all_but_its_last_reference) {
    cvk_kernel *kernel;
    cr_assert_eq(cvk_compile(cvk_network_layer(network, 0), NULL, NULL, &kernel), CVK_OK);
    cr_assert_eq(cvk_kernel_ref(kernel), kernel);
    cvk_kernel_free(kernel);
    cr_expect_str_eq(cvk_kernel_get_info(kernel)->name, "edges");
    cvk_kernel_free(kernel);
}

Test(handles, an_unknown_target_is_refused_with_a_message) {
    const cvk_options options = {.struct_size = sizeof options, .target = "z80"};
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_kernel *kernel = (cvk_kernel *)&options;
    cr_expect_neq(cvk_compile(cvk_network_layer(network, 0), &options, d, &kernel), CVK_OK);
    cr_expect_null(kernel);
    cr_expect_gt(cvk_diagnostics_count(d), 0);
    cvk_diagnostics_free(d);
}

Test(handles, null_may_be_freed) {
    cvk_kernel_free(NULL);
    cvk_network_free(NULL);
    cvk_diagnostics_free(NULL);
}
