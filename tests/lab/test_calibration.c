/* The figures of a machine, kept: measured once, believed of this machine alone, and nobody's trouble where they cannot
 * be kept. The machine of these tests is a row of the table, which its measurer makes up. */
#include "../cache/folder.h"

#include "cache/disk_names.h"
#include "lab/calibration.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int measured; /* how often */

static const cvk_target *machine(void) { return target_row(0); }

/* Figures that are no row's. */
static machine_figures made_up(void) {
    machine_figures f = *machine()->figures;
    f.fma_a_cycle = 1;
    f.loads_a_cycle = 1.5;
    f.stores_a_cycle = 0.125;
    f.l2_bytes_a_cycle = 26;
    f.memory_bytes_a_cycle = 0.40625;
    f.far_loss = 0.3;
    return f;
}

static cvk_status make_up(const cvk_target *t, cvk_diagnostics *d, machine_figures *to) {
    (void)t;
    (void)d;
    *to = made_up();
    measured++;
    return CVK_OK;
}

static cvk_status fail(const cvk_target *t, cvk_diagnostics *d, machine_figures *to) {
    (void)to;
    (void)t;
    (void)d;
    measured++;
    return CVK_ERROR_UNSUPPORTED;
}

static bool equal(const machine_figures *a, const machine_figures *b) { return memcmp(a, b, sizeof *a) == 0; }

static void expect_measured(const disk_cache *cache, int times, const char *why) {
    calibration c;
    calibration_find(machine(), cache->directory, make_up, &c);
    cr_assert(c.measured, "%s: %s", why, c.words);
    const machine_figures found = made_up();
    cr_assert(equal(c.target.figures, &found), "%s", why);
    cr_assert_eq(measured, times, "%s: measured %d times, not %d", why, measured, times);
}

static void expect_row(const char *directory, figures_measurer *measure, const char *why) {
    calibration c;
    calibration_find(machine(), directory, measure, &c);
    cr_assert_not(c.measured, "%s", why);
    cr_assert(equal(c.target.figures, machine()->figures), "%s: the row's", why);
    cr_assert(*c.words, "%s: and the reason is told", why);
}

static char *file_of(const disk_cache *cache) {
    static char path[PATH_MAX + 128];
    arena a;
    arena_init(&a);
    cr_assert_not(arena_guard(&a));
    snprintf(path, sizeof path, "%s/%s", cache->directory, calibration_name(&a, machine()));
    arena_free(&a);
    return path;
}

static void write_file(const char *path, const char *bytes, size_t size) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(file, bytes, size), (ssize_t)size);
    close(file);
}

Test(calibration, is_measured_once_a_machine) {
    disk_cache cache = folder_make();
    expect_measured(&cache, 1, "at first");
    expect_measured(&cache, 1, "and then it is known");
    cr_assert_eq(folder_count(&cache, ".figures"), 1);
    folder_remove(&cache);
    cache = folder_make();
    expect_measured(&cache, 2, "somewhere else");
    folder_remove(&cache);
}

Test(calibration, of_each_target_has_a_file) {
    disk_cache cache = folder_make();
    calibration c;
    calibration_find(target_row(0), cache.directory, make_up, &c);
    calibration_find(target_row(1), cache.directory, make_up, &c);
    cr_assert_eq(measured, 2, "vectors differ, and with them what a core does");
    cvk_target larger = *target_row(0);
    larger.l2_bytes *= 2;
    calibration_find(&larger, cache.directory, make_up, &c);
    cr_assert_eq(measured, 3, "another cache");
    cr_assert_eq(folder_count(&cache, ".figures"), 3);
    folder_remove(&cache);
}

Test(calibration, reads_back_what_it_wrote) {
    arena a;
    arena_init(&a);
    cr_assert_not(arena_guard(&a));
    const char *identity = calibration_identity(&a, machine());
    const figure_field *field;
    for (int step = 1; step < 2000; step++) {
        machine_figures f, back;
        for (int i = 0; (field = figure_row(i)); i++) {
            double value = field->least + (field->most - field->least) * step / 2000;
            figure_set(&f, i, field->how == FIGURE_LEARNED ? round(1000 * value) / 1000 : value);
        }
        text words = calibration_print(&a, identity, &f);
        memset(&back, 0, sizeof back);
        bool whole = calibration_parse(words.bytes, identity, &back);
        /* More digits than a measurement has may be refused; others are the same. */
        cr_assert(step % 125 ? !whole || equal(&f, &back) : whole && equal(&f, &back), "%s", words.bytes);
    }
    arena_free(&a);
}

Test(calibration, believes_nothing_but_a_whole_file) {
    arena a;
    arena_init(&a);
    cr_assert_not(arena_guard(&a));
    const char *identity = calibration_identity(&a, machine());
    machine_figures f;
    const machine_figures all = made_up();
    text whole = calibration_print(&a, identity, &all);
    cr_assert(calibration_parse(whole.bytes, identity, &f));
    for (size_t i = 0; i < whole.length; i++)
        cr_assert_not(calibration_parse(arena_string(&a, whole.bytes, i), identity, &f), "cut after %zu bytes", i);
    cr_assert_not(calibration_parse(arena_format(&a, "%s\n", whole.bytes), identity, &f), "more than the whole");
    static const char *const numbers[] = {"",    "-1",    "0",   "1000", "1e0",
                                          "nan", "inf",   "0x1", " 1",   "1 ",
                                          "1,5", "1.5.5", ".",   "one",  "00000000000000000000001"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char *at = strstr(whole.bytes, "fma_a_cycle 1\n");
        char *words = arena_format(&a, "%.*sfma_a_cycle %s\n%s", (int)(at - whole.bytes), whole.bytes, numbers[i],
                                   at + strlen("fma_a_cycle 1\n"));
        cr_assert_not(calibration_parse(words, identity, &f), "\"%s\"", numbers[i]);
    }
    arena_free(&a);
}

/* Replaces the file by what is not this machine's and asks again. */
static void expect_anew(const disk_cache *cache, const char *bytes, size_t size, const char *why) {
    int before = measured;
    write_file(file_of(cache), bytes, size);
    expect_measured(cache, before + 1, why);
    expect_measured(cache, before + 1, "and is whole again");
}

Test(calibration, replaces_what_is_not_this_machines) {
    disk_cache cache = folder_make();
    arena a;
    arena_init(&a);
    cr_assert_not(arena_guard(&a));
    expect_measured(&cache, 1, "at first");
    const char *identity = calibration_identity(&a, machine());
    text whole = calibration_print(&a, identity, machine()->figures);
    expect_anew(&cache, "", 0, "an empty file");
    expect_anew(&cache, whole.bytes, whole.length - 5, "half a file");
    expect_anew(&cache, whole.bytes, whole.length + 1, "a NUL behind it");
    char *other = arena_format(&a, "%s", whole.bytes);
    memcpy(strstr(other, "\ncpu"), "\ngpu", 4);
    expect_anew(&cache, other, whole.length, "the file of another CPU");
    other = arena_format(&a, "%s", whole.bytes);
    other[strlen("convoke figures ")] = '0';
    expect_anew(&cache, other, whole.length, "an older format");
    static char large[1 << 20];
    expect_anew(&cache, large, sizeof large, "a large file");
    arena_free(&a);
    folder_remove(&cache);
}

Test(calibration, trusts_no_file_that_others_may_write) {
    disk_cache cache = folder_make();
    expect_measured(&cache, 1, "at first");
    chmod(file_of(&cache), 0666);
    expect_measured(&cache, 2, "what all may write");
    char *path = file_of(&cache), real[PATH_MAX + 136];
    snprintf(real, sizeof real, "%s.real", path);
    cr_assert_eq(rename(path, real), 0);
    cr_assert_eq(symlink(real, path), 0);
    expect_measured(&cache, 3, "a link");
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_measured(&cache, 4, "a pipe, which nobody writes to");
    folder_remove(&cache);
}

Test(calibration, where_nothing_can_be_kept_nothing_is_measured) {
    static const char *const places[] = {"", "/proc/convoke", "/dev/null", "/dev/null/convoke"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) expect_row(places[i], make_up, places[i]);
    disk_cache cache = folder_make();
    chmod(cache.directory, 0777);
    expect_row(cache.directory, make_up, "a directory all may write");
    chmod(cache.directory, 0500);
    if (geteuid() != 0) expect_row(cache.directory, make_up, "a directory that is read-only");
    cr_assert_eq(measured, 0);
    chmod(cache.directory, 0700);
    folder_remove(&cache);
}

Test(calibration, a_full_disk_leaves_the_rows_figures_and_nothing_behind) {
    disk_cache cache = folder_make();
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit little = {.rlim_cur = 50, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    expect_row(cache.directory, make_up, "a full disk");
    cr_assert_eq(folder_count(&cache, ""), 1, "the lock alone");
    folder_remove(&cache);
}

Test(calibration, what_cannot_be_measured_is_the_rows) {
    disk_cache cache = folder_make();
    expect_row(cache.directory, fail, "no compiler, say");
    cr_assert_eq(measured, 1);
    cr_assert_eq(folder_count(&cache, ".figures"), 0);
    expect_measured(&cache, 2, "another process may be able to");
    folder_remove(&cache);
}

/* Takes its time, and finds what no other process does. */
static cvk_status slowly(const cvk_target *t, cvk_diagnostics *d, machine_figures *to) {
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    make_up(t, d, to);
    to->l2_bytes_a_cycle = 2 + getpid() % 200;
    return CVK_OK;
}

Test(calibration, figures_that_were_fitted_take_the_place_of_those_measured) {
    disk_cache cache = folder_make();
    machine_figures fitted = made_up();
    char words[CALIBRATION_WORDS];
    calibration c;
    measured = 0;
    expect_measured(&cache, 1, "at first");
    fitted.l2_bytes_a_cycle = 31.4;
    cr_assert(calibration_keep(machine(), cache.directory, &fitted, words));
    calibration_find(machine(), cache.directory, make_up, &c);
    cr_assert(c.measured && equal(c.target.figures, &fitted));
    cr_assert_str_eq(c.words, words, "it is said where they are");
    cr_assert_eq(measured, 1);
    cr_assert_not(calibration_keep(machine(), "/proc/nowhere", &fitted, words));
    cr_assert(*words, "and why they are not kept");
    folder_remove(&cache);
}

Test(calibration, processes_that_begin_together_agree) {
    enum { PROCESSES = 8 };
    disk_cache cache = folder_make();
    pid_t children[PROCESSES];
    int results[2];
    cr_assert_eq(pipe(results), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i]) continue;
        calibration c;
        calibration_find(machine(), cache.directory, slowly, &c);
        const double found = c.measured ? c.figures.l2_bytes_a_cycle : 0;
        _exit(write(results[1], &found, sizeof found) != (ssize_t)sizeof found);
    }
    double first = 0, each;
    for (int i = 0; i < PROCESSES; i++) {
        cr_assert_eq(waitpid(children[i], NULL, 0), children[i]);
        cr_assert_eq(read(results[0], &each, sizeof each), (ssize_t)sizeof each);
        if (i == 0) first = each;
        cr_assert(each > 0 && each == first, "one found %g, another %g", first, each);
    }
    folder_remove(&cache);
}

Test(calibration, does_not_wait_forever_for_a_process_that_hangs) {
    disk_cache cache = folder_make();
    disk_trouble trouble = {""};
    int folder = cache_folder_open(cache.directory, &trouble), lock = cache_folder_lock(folder, ".measuring", &trouble);
    cr_assert_geq(lock, 0);
    expect_row(cache.directory, make_up, "somebody has the lock");
    cr_assert_eq(measured, 0);
    close(lock);
    expect_measured(&cache, 1, "and then no longer");
    close(folder);
    folder_remove(&cache);
}

Test(calibration, is_of_the_host_and_of_no_target_that_is_named) {
    disk_cache cache = folder_make();
    const cvk_target *host = target_host(), *named = target_find(host->name);
    cr_assert_eq(calibration_of(named, cache.directory), named, "the row of the host, by its name");
    cr_assert_eq(folder_count(&cache, ""), 0, "and nothing is measured for it");
    cr_assert(equal(calibration_of(host, "")->figures, host->figures), "no directory: the row's");
    const cvk_target *calibrated = calibration_of(host, cache.directory);
    cr_assert_eq(folder_count(&cache, ".figures"), 1);
    cr_assert_eq(calibration_of(host, cache.directory), calibrated, "once a process");
    cr_assert_eq(calibration_of(host, "/elsewhere"), calibrated, "wherever it asks then");
    cr_assert_str_eq(calibrated->name, host->name);
    cr_assert(equal(calibration_of(host, "")->figures, host->figures), "no directory: still the row's");
    folder_remove(&cache);
}
