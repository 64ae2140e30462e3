/* Network: the public functions and their manners. */
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

static const char small[] = "version: 1\nlayers: [{name: a, input: [1, 1, 5], out_channels: 1, kernel_size: 3}]\n";

Test(network, null_is_answered_not_followed) {
    cvk_network *network = (cvk_network *)&network;
    cr_expect_eq(cvk_network_parse(small, strlen(small), "x", NULL, NULL), CVK_ERROR_ARGUMENT);
    cr_expect_eq(cvk_network_parse(NULL, 1, "x", NULL, &network), CVK_ERROR_ARGUMENT);
    cr_expect_null(network, "a failed parse gives NULL");
    cr_expect_eq(cvk_network_parse(NULL, 0, NULL, NULL, &network), CVK_ERROR_SPEC, "no text is an empty file");
    cr_expect_eq(cvk_network_read(NULL, NULL, &network), CVK_ERROR_ARGUMENT);
    cr_expect_eq(cvk_network_read("x", NULL, NULL), CVK_ERROR_ARGUMENT);
    cvk_network_free(NULL);
    cvk_diagnostics_free(NULL);
    cr_expect_eq(cvk_network_count(NULL), 0);
    cr_expect_null(cvk_network_layer(NULL, 0));
    cr_expect_str_eq(cvk_network_name(NULL), "");
    cr_expect_eq(cvk_diagnostics_count(NULL), 0);
    cr_expect_null(cvk_diagnostics_get(NULL, 0));
}

Test(network, does_not_keep_the_callers_text_or_name) {
    char *bytes = strdup(small), *name = strdup("net.yaml");
    cvk_network *network;
    cr_assert_eq(cvk_network_parse(bytes, strlen(bytes), name, NULL, &network), CVK_OK);
    memset(bytes, 'x', strlen(bytes));
    memset(name, 'x', strlen(name));
    free(bytes);
    free(name);
    cr_expect_str_eq(cvk_spec_name(cvk_network_layer(network, 0)), "a");
    cr_expect_str_eq(cvk_network_layer(network, 0)->at.file, "net.yaml");
    cr_expect_null(cvk_network_layer(network, 1), "past the end");
    cr_expect_str_eq(cvk_network_name(network), "", "a file may have no name");
    cvk_network_free(network);
}

Test(network, messages_outlive_the_file_they_are_about) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_network *network;
    char *name = strdup("net.yaml"), message[256];
    cr_expect_eq(cvk_network_parse("a: b", 4, name, d, &network), CVK_ERROR_SPEC);
    memset(name, 'x', strlen(name));
    free(name);
    first_message(d, message, sizeof message);
    cr_expect_str_eq(message, "net.yaml:1:1: error[E0300]: no such key, \"a\"");
    const cvk_diagnostic *first = cvk_diagnostics_get(d, 0);
    cr_expect(first->severity == CVK_SEVERITY_ERROR && first->code == 300 && first->line == 1 && first->column == 1);
    for (int i = 0; i < 100; i++) cvk_network_parse("a: b", 4, "again", d, &network);
    cr_expect_eq(first, cvk_diagnostics_get(d, 0), "entries stay where they are");
    cr_expect_eq(cvk_diagnostic_format(first, NULL, 0), strlen(message), "as snprintf does");
    cr_expect_eq(cvk_diagnostic_format(first, message, 9), strlen("net.yaml:1:1: error[E0300]: no such key, \"a\""));
    cr_expect_str_eq(message, "net.yaml", "cut, and ended");
    cvk_diagnostics_free(d);
}

static void expect_io(const char *path, const char *expected) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_network *network;
    char message[512];
    cr_expect_eq(cvk_network_read(path, d, &network), CVK_ERROR_IO, "%s", path);
    first_message(d, message, sizeof message);
    cr_expect_str_eq(message, expected);
    cr_expect_null(network);
    cvk_diagnostics_free(d);
}

Test(network, a_file_that_cannot_be_read_says_what_went_wrong) {
    expect_io("/nowhere/net.yaml", "/nowhere/net.yaml: error[E0100]: cannot open the spec: No such file or directory");
    expect_io("/", "/: error[E0100]: cannot read the spec: Is a directory");
}

Test(network, a_file_without_end_is_read_no_further_than_the_limit) {
    cvk_network *network;
    cr_expect_eq(cvk_network_read("/dev/zero", NULL, &network), CVK_ERROR_UNSUPPORTED);
}

Test(network, reads_a_file_and_a_pipe_alike) {
    char path[] = "/tmp/convoke_network_XXXXXX", descriptor[64];
    int file = mkstemp(path), ends[2];
    cr_assert(file >= 0 && pipe(ends) == 0);
    cr_assert_eq(write(file, small, strlen(small)), (ssize_t)strlen(small));
    cr_assert_eq(write(ends[1], small, strlen(small)), (ssize_t)strlen(small));
    close(ends[1]);
    snprintf(descriptor, sizeof descriptor, "/dev/fd/%d", ends[0]);
    const char *const paths[] = {path, descriptor};
    for (int i = 0; i < 2; i++) {
        cvk_network *network;
        cr_expect_eq(cvk_network_read(paths[i], NULL, &network), CVK_OK, "%s", paths[i]);
        cr_expect_eq(cvk_network_count(network), 1, "%s", paths[i]);
        cvk_network_free(network);
    }
    close(file);
    close(ends[0]);
    unlink(path);
}
