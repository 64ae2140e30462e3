/* Options: what is not known is refused, what is not given has its default. */
#include "api/settings.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect_refused(cvk_options o, cvk_status status, const char *words) {
    settings s;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_assert_eq(settings_read(&o, d, &s), status, "%s", words);
    cr_assert_eq(cvk_diagnostics_count(d), 1, "%s", words);
    cr_assert_not_null(strstr(cvk_diagnostics_get(d, 0)->message, words), "%s", cvk_diagnostics_get(d, 0)->message);
    cvk_diagnostics_free(d);
    settings_free(&s);
}

Test(options, mistakes_are_refused_with_a_reason) {
    enum { SIZE = sizeof(cvk_options) };
    expect_refused((cvk_options){.struct_size = 0}, CVK_ERROR_ARGUMENT, "struct_size");
    expect_refused((cvk_options){.struct_size = SIZE, .target = "z80"}, CVK_ERROR_UNSUPPORTED, "z80");
    expect_refused((cvk_options){.struct_size = SIZE, .effort = (cvk_effort)7}, CVK_ERROR_ARGUMENT, "effort");
    expect_refused((cvk_options){.struct_size = SIZE, .cache = (cvk_cache)7}, CVK_ERROR_ARGUMENT, "cache");
    expect_refused((cvk_options){.struct_size = SIZE, .run_threads = 1025}, CVK_ERROR_ARGUMENT, "run_threads");
    expect_refused((cvk_options){.struct_size = SIZE, .run_threads = UINT64_C(1) << 32}, CVK_ERROR_ARGUMENT,
                   "run_threads");
    expect_refused((cvk_options){.struct_size = SIZE, .cache_directory = "here"}, CVK_ERROR_ARGUMENT,
                   "cache_directory is not an absolute path: \"here\"");
    expect_refused((cvk_options){.struct_size = SIZE, .tuned = "here"}, CVK_ERROR_ARGUMENT, "tuned is not an absolute");
    expect_refused((cvk_options){.struct_size = SIZE, .tuned = "/nowhere"}, CVK_ERROR_IO, "cannot be opened");
}

Test(options, defaults_are_the_host_and_both_caches) {
    setenv("XDG_CACHE_HOME", "/x", 1);
    unsetenv("CONVOKE_CACHE");
    settings s, same;
    cr_assert_eq(settings_read(NULL, NULL, &s), CVK_OK);
    const cvk_options zero = {.struct_size = sizeof zero};
    cr_assert_eq(settings_read(&zero, NULL, &same), CVK_OK);
    cr_assert_eq(s.goal.target, target_host());
    cr_assert_eq(same.goal.target, target_host());
    cr_assert(s.in_memory && same.in_memory);
    cr_assert_str_eq(s.disk.directory, "/x/convoke");
    cr_assert_eq(s.disk.most_bytes, 256u << 20);
    cr_assert_geq(s.threads, 1);
    cr_assert_eq(s.goal.threads, 0, "how many threads kernels will run on is not known");
    cr_assert_eq(s.effort, CVK_EFFORT_ESTIMATE);
}

Test(options, each_option_is_heard) {
    settings s;
    unsetenv("CONVOKE_CACHE");
    const cvk_options o = {.struct_size = sizeof o,
                           .target = "x86-64",
                           .effort = CVK_EFFORT_MEASURE,
                           .cache_directory = "/given",
                           .cache_bytes = 12345,
                           .threads = 3,
                           .run_threads = 64};
    cvk_options memory = o, off = o;
    memory.cache = CVK_CACHE_MEMORY;
    off.cache = CVK_CACHE_OFF;
    if (target_runs_here(target_find("x86-64"))) {
        cr_assert_eq(settings_read(&o, NULL, &s), CVK_OK);
        cr_assert_str_eq(s.goal.target->name, "x86-64");
        cr_assert_eq(s.effort, CVK_EFFORT_MEASURE);
        cr_assert_str_eq(s.disk.directory, "/given");
        cr_assert_eq(s.disk.most_bytes, 12345);
        cr_assert_eq(s.threads, 3);
        cr_assert_eq(s.goal.threads, 64);
    }
    memory.target = off.target = NULL;
    cr_assert_eq(settings_read(&memory, NULL, &s), CVK_OK);
    cr_assert(s.in_memory && !*s.disk.directory);
    cr_assert_eq(settings_read(&off, NULL, &s), CVK_OK);
    cr_assert(!s.in_memory && !*s.disk.directory);
}

Test(options, callers_of_older_headers_are_honoured) {
    settings s;
    cvk_options first = {.struct_size = offsetof(cvk_options, effort), .target = "host", .effort = (cvk_effort)99};
    cr_assert_eq(settings_read(&first, NULL, &s), CVK_OK, "fields past the caller's size are not looked at");
    cr_assert_eq(s.effort, CVK_EFFORT_ESTIMATE);
}

/* A struct that ended after `threads` may have anything in the bytes up to its size. */
Test(options, what_followed_the_last_field_of_an_older_header_is_not_looked_at) {
    enum { OLD = offsetof(cvk_options, run_threads) };
    settings s;
    cvk_options old;
    memset(&old, 0xAA, sizeof old);
    memset(&old, 0, offsetof(cvk_options, threads));
    old.struct_size = OLD;
    old.threads = 3;
    cr_assert_eq(settings_read(&old, NULL, &s), CVK_OK);
    cr_assert_eq(s.threads, 3);
    cr_assert_eq(s.goal.threads, 0);
    cr_assert_geq((size_t)OLD,
                  (offsetof(cvk_options, threads) + sizeof old.threads + sizeof(void *) - 1) / sizeof(void *) *
                      sizeof(void *),
                  "a new field lies where old structs have no bytes");
}

Test(diagnostics, formatting_none_gives_nothing) {
    char line[] = "as it was";
    cr_assert_eq(cvk_diagnostic_format(NULL, NULL, 0), 0);
    cr_assert_eq(cvk_diagnostic_format(NULL, line, sizeof line), 0);
    cr_assert_str_eq(line, "");
    cr_assert_null(cvk_diagnostics_get(NULL, 0));
}
