/* The library seen from outside its process: what it loads, what it prints, what it leaves on disk. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a command of the shell prints, stderr too. */
static const char *shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *shell(const char *format, ...) {
    static char command[8192], printed[65536];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t length = fread(printed, 1, sizeof printed - 1, pipe);
    printed[length] = 0;
    pclose(pipe);
    return printed;
}

static char home[64];

static void make_home(void) {
    strcpy(home, "/tmp/convoke-home-XXXXXX");
    cr_assert_not_null(mkdtemp(home));
    setenv("HOME", home, 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("CONVOKE_CACHE");
}

static void remove_home(void) { shell("rm -rf %s", home); }

TestSuite(process, .init = make_home, .fini = remove_home);

static size_t lines_with(const char *printed, const char *words) {
    size_t count = 0;
    for (const char *at = printed; (at = strstr(at, words)); at++) count++;
    return count;
}

Test(process, llvm_is_loaded_to_compile_and_not_to_load) {
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 1 sum 54\n");
    cr_assert_str_eq(shell("ls %s/.cache/convoke/*.cvk | wc -l", home), "1\n");
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 0 sum 54\n");
    cr_assert_str_eq(shell("CONVOKE_CACHE=off " PROBE " 2>&1"), "status 0 llvm 1 sum 54\n");
}

Test(process, what_a_libLLVM_made_that_is_gone_is_made_anew) {
    shell("ln -s $(ldd " LLVM " | awk '/libLLVM/ {print $3}') %s/", home);
    shell("LD_LIBRARY_PATH=%s " PROBE, home);
    if (strcmp(shell("cat %s/.cache/convoke/*.cvk | grep -ac '%s/libLLVM'", home, home), "1\n") != 0)
        cr_skip_test("an RPATH is looked at before LD_LIBRARY_PATH");
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 0 sum 54\n", "it is there yet");
    shell("rm %s/libLLVM*", home);
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 1 sum 54\n", "it is gone");
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 0 sum 54\n", "what is there made it");
}

Test(process, what_the_machine_does_in_a_cycle_is_measured_once_and_part_of_the_key) {
    const char *edit = "sed -i 's/^%s .*/%s/' %s/.cache/convoke/*.figures";
    shell(PROBE);
    cr_assert_str_eq(shell("ls %s/.cache/convoke/*.figures | wc -l", home), "1\n");
    shell(edit, "fma_latency", "fma_latency 9", home);
    cr_assert_eq(lines_with(shell("CONVOKE_VERBOSE=1 " PROBE " 0 2>&1"), ",compiled,"), 1, "of another machine");
    cr_assert_eq(lines_with(shell("CONVOKE_VERBOSE=1 " PROBE " 0 2>&1"), ",disk,"), 1, "which is this one now");
    shell(edit, "fma_latency", "fma_latency no", home);
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 1 sum 54\n", "damage is no error");
    cr_assert_str_eq(shell("grep -c 'fma_latency [0-9]*$' %s/.cache/convoke/*.figures", home), "1\n");
}

Test(process, a_cache_that_cannot_be_costs_only_time) {
    cr_assert_str_eq(shell("HOME= " PROBE " 2>&1"), "status 0 llvm 1 sum 54\n");
    cr_assert_str_eq(shell("env -u HOME " PROBE " 2>&1"), "status 0 llvm 1 sum 54\n");
    cr_assert_str_eq(shell("HOME=/proc " PROBE " 2>&1"), "status 0 llvm 1 sum 54\n");
    cr_assert_str_eq(shell("CONVOKE_CACHE=/dev/null " PROBE " 2>&1"), "status 0 llvm 1 sum 54\n");
    shell("mkdir -p %s/.cache && touch %s/.cache/convoke", home, home);
    cr_assert_str_eq(shell(PROBE " 2>&1"), "status 0 llvm 1 sum 54\n", "a file where the directory should be");
}

Test(process, a_missing_or_foreign_llvm_is_told) {
    if (SANITIZED) cr_skip_test("the RPATH of this build comes before LD_LIBRARY_PATH");
    static const char *const cases[][2] = {{"other", "it is of another build"},
                                           {"empty", "undefined symbol: cvk_llvm_door"}};
    for (int i = 0; i < 2; i++) {
        const char *said = shell("LD_LIBRARY_PATH=" HERE "/%s " PROBE " 2>&1", cases[i][0]);
        cr_assert_eq(strncmp(said, "status 3 llvm 0", 15), 0, "%s", said);
        cr_assert_not_null(strstr(said, "cannot compile without libconvoke_llvm.so.0: "), "%s", said);
        cr_assert_not_null(strstr(said, cases[i][1]), "%s", said);
    }
    shell(PROBE);
    cr_assert_str_eq(shell("LD_LIBRARY_PATH=" HERE "/other " PROBE " 2>&1"), "status 0 llvm 0 sum 54\n",
                     "what is cached does without");
}

Test(process, nothing_is_printed_unless_asked_for) {
    cr_assert_str_eq(shell(PROBE " 2>&1 >/dev/null"), "");
    cr_assert_str_eq(shell("CONVOKE_VERBOSE=0 " PROBE " 2>&1 >/dev/null"), "");
}

Test(process, verbose_is_a_line_of_csv_for_each_compile_and_run) {
    const char *said = shell("CONVOKE_VERBOSE=1 " PROBE " 3 2>&1 >/dev/null");
    cr_assert_eq(lines_with(said, "\n"), 4, "%s", said);
    cr_assert_eq(lines_with(said, "convoke,compile,probed,"), 1, "%s", said);
    cr_assert_eq(lines_with(said, ",compiled,"), 1, "%s", said);
    cr_assert_eq(lines_with(said, "convoke,run,probed,"), 3, "%s", said);
    cr_assert_eq(lines_with(said, ",threads:1,"), 3, "%s", said);
    cr_assert_eq(lines_with(said, "\"{algorithm: "), 4, "%s", said);
    said = shell("CONVOKE_VERBOSE=1 " PROBE " 0 2>&1 >/dev/null");
    cr_assert_eq(lines_with(said, ",disk,"), 1, "%s", said);
}

Test(process, why_the_cache_is_not_used_is_told_to_who_asks) {
    shell("mkdir -p %s/.cache/convoke && chmod 777 %s/.cache/convoke", home, home);
    const char *said = shell("CONVOKE_VERBOSE=1 " PROBE " 0 2>&1 >/dev/null");
    cr_assert_eq(lines_with(said, "\n"), 2, "%s", said);
    cr_assert_eq(lines_with(said, "convoke,cache,probed,"), 1, "%s", said);
    cr_assert_eq(lines_with(said, ",unused,0,\""), 1, "%s", said);
    cr_assert_eq(lines_with(said, "/.cache/convoke may be written by others\"\n"), 1, "%s", said);
    said = shell("CONVOKE_VERBOSE=1 HOME= " PROBE " 0 2>&1 >/dev/null");
    cr_assert_eq(lines_with(said, "\"neither XDG_CACHE_HOME nor HOME is an absolute path\"\n"), 1, "%s", said);
    said = shell("CONVOKE_VERBOSE=1 CONVOKE_CACHE=off " PROBE " 0 2>&1 >/dev/null");
    cr_assert_eq(lines_with(said, "convoke,cache,"), 0, "who wants no cache need not be told: %s", said);
}

Test(process, a_relative_cache_directory_is_an_error_that_names_the_variable) {
    cr_assert_str_eq(shell("CONVOKE_CACHE=here " PROBE " 2>&1"),
                     "status 1 llvm 0 sum 0\nerror[E0506]: options: CONVOKE_CACHE is not an absolute path: \"here\"\n");
    const char *said = shell("XDG_CACHE_HOME=here " PROBE " 2>&1");
    cr_assert_str_eq(said,
                     "status 0 llvm 1 sum 54\nnote[E0506]: XDG_CACHE_HOME is not an absolute path, and is ignored: "
                     "\"here\"\n");
    cr_assert_str_eq(shell("ls %s/.cache/convoke/*.cvk | wc -l", home), "1\n");
}

Test(process, perf_is_told_the_names_of_kernels) {
    const char *listed = shell("CONVOKE_PERF_MAP=1 sh -c 'echo $$; exec " PROBE " >/dev/null'");
    long id = atol(listed);
    listed = shell("cat /tmp/perf-%ld.map; rm -f /tmp/perf-%ld.map", id, id);
    cr_assert_eq(lines_with(listed, " convoke:probed.run\n"), 1, "%s", listed);
    cr_assert_eq(lines_with(listed, " convoke:probed.pack\n"), 1, "%s", listed);
}

Test(process, gdb_is_told_the_symbols_of_kernels) {
    if (*shell("command -v gdb") == 0) cr_skip_test("there is no gdb");
    if (SANITIZED) cr_skip_test("the sanitizers do not go with a debugger");
    const char *said =
        shell("CONVOKE_GDB=1 gdb -nx -batch -ex 'set breakpoint pending on' -ex 'set debuginfod enabled off' "
              "-ex \"break 'probed.run'\" -ex run -ex 'stepi 100' -ex backtrace -ex continue " PROBE " 2>&1");
    if (strstr(said, "ptrace")) cr_skip_test("gdb may not trace here");
    cr_assert_not_null(strstr(said, "Breakpoint 1, 0x"), "%s", said);
    cr_assert_not_null(strstr(said, " in main ("), "no backtrace out of the middle: %s", said);
    cr_assert_not_null(strstr(said, "status 0"), "%s", said);
}
