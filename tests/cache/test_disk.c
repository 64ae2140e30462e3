/* The disk: whose files are trusted, where the directory is, and what happens where there is none. */
#include "folder.h"

#include "cache/entry.h"
#include "cache/key.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char KEY[] = "key", OBJECT[] = "what is kept";

static disk_cache stored(char path[PATH_MAX]) {
    disk_cache cache = folder_make();
    disk_cache_store(&cache, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &(disk_trouble){""});
    folder_entry(&cache, path);
    return cache;
}

static bool found(const disk_cache *cache) { return folder_finds(cache, KEY, OBJECT, sizeof OBJECT); }

Test(cache_disk, an_entry_is_for_its_key_alone) {
    char path[PATH_MAX], other[PATH_MAX + ENTRY_NAME_SIZE + 2], name[ENTRY_NAME_SIZE];
    disk_cache cache = stored(path);
    cr_assert(found(&cache));
    cr_assert_not(folder_finds(&cache, "another key", OBJECT, sizeof OBJECT));
    entry_name("another key", name);
    snprintf(other, sizeof other, "%s/%s", cache.directory, name);
    cr_assert_eq(rename(path, other), 0);
    cr_assert_not(folder_finds(&cache, "another key", OBJECT, sizeof OBJECT),
                  "under the name of another key: the key inside counts");
    folder_remove(&cache);
}

Test(cache_disk, an_entry_of_another_format_or_kind_is_a_miss) {
    char path[PATH_MAX];
    disk_cache cache = stored(path);
    size_t size;
    unsigned char *bytes = entry_encode(KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &size);
    bytes[8]++;
    int file = open(path, O_WRONLY | O_TRUNC);
    cr_assert_eq(write(file, bytes, size), (ssize_t)size);
    close(file);
    cr_assert_not(found(&cache), "another version of the format");
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_not(found(&cache), "a directory");
    disk_cache_store(&cache, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &(disk_trouble){""});
    rmdir(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_not(found(&cache), "a pipe, which nobody writes to");
    unlink(path);
    cr_assert_eq(folder_count(&cache, ""), 1, "nothing is left behind but the lock");
    free(bytes);
    folder_remove(&cache);
}

Test(cache_disk, links_and_what_others_may_write_are_not_trusted) {
    char path[PATH_MAX], real[PATH_MAX + 8];
    disk_cache cache = stored(path), link = cache;
    chmod(path, 0620);
    cr_assert_not(found(&cache), "an entry its group may write");
    chmod(path, 0602);
    cr_assert_not(found(&cache), "an entry all may write");
    chmod(path, 0600);
    cr_assert(found(&cache));
    chmod(cache.directory, 0770);
    cr_assert_not(found(&cache), "a directory its group may write");
    chmod(cache.directory, 0707);
    cr_assert_not(found(&cache), "a directory all may write");
    chmod(cache.directory, 0700);
    cr_assert(found(&cache));
    snprintf(link.directory, sizeof link.directory, "%.4000s-link", cache.directory);
    cr_assert_eq(symlink(cache.directory, link.directory), 0);
    cr_assert_not(found(&link), "a directory that is a link");
    unlink(link.directory);
    snprintf(real, sizeof real, "%s.real", path);
    cr_assert_eq(rename(path, real), 0);
    cr_assert_eq(symlink(real, path), 0);
    cr_assert_not(found(&cache), "an entry that is a link");
    folder_remove(&cache);
}

Test(cache_disk, what_belongs_to_somebody_else_is_not_trusted) {
    if (geteuid() != 0) cr_skip_test("only root can give a file away");
    char path[PATH_MAX];
    disk_cache cache = stored(path);
    cr_assert_eq(chown(path, 12345, 12345), 0);
    cr_assert_not(found(&cache), "an entry");
    cr_assert_eq(chown(path, 0, 0), 0);
    cr_assert(found(&cache));
    cr_assert_eq(chown(cache.directory, 12345, 12345), 0);
    cr_assert_not(found(&cache), "a directory");
    folder_remove(&cache);
}

Test(cache_disk, a_writer_replaces_a_link_and_not_what_it_points_to) {
    char path[PATH_MAX], victim[PATH_MAX + 8];
    disk_cache cache = stored(path);
    struct stat s;
    snprintf(victim, sizeof victim, "%s.victim", path);
    close(open(victim, O_WRONLY | O_CREAT, 0600));
    unlink(path);
    cr_assert_eq(symlink(victim, path), 0);
    disk_cache_store(&cache, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &(disk_trouble){""});
    cr_assert(found(&cache));
    cr_assert_eq(stat(victim, &s), 0);
    cr_assert_eq(s.st_size, 0, "the file that was linked to is as it was");
    folder_remove(&cache);
}

Test(cache_disk, missing_directories_are_made_closed_to_others) {
    disk_cache outer = folder_make(), inner = outer;
    struct stat s;
    umask(0);
    snprintf(inner.directory, sizeof inner.directory, "%.4000s/a/b", outer.directory);
    cr_assert_not(found(&inner));
    disk_cache_store(&inner, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &(disk_trouble){""});
    cr_assert(found(&inner));
    cr_assert_eq(stat(inner.directory, &s), 0);
    cr_assert_eq(s.st_mode & 0777, 0700);
    char path[PATH_MAX];
    folder_entry(&inner, path);
    cr_assert_eq(stat(path, &s), 0);
    cr_assert_eq(s.st_mode & 0777, 0600);
    folder_remove(&inner);
    inner.directory[strlen(inner.directory) - 2] = 0;
    folder_remove(&inner);
    folder_remove(&outer);
}

Test(cache_disk, where_nothing_can_be_kept_nothing_happens) {
    static const char *const places[] = {"", "/proc/convoke", "/dev/null", "/dev/null/convoke"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        disk_cache cache = {.most_bytes = 1 << 20};
        strcpy(cache.directory, places[i]);
        disk_cache_store(&cache, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &(disk_trouble){""});
        cr_assert_not(found(&cache), "%s", places[i]);
    }
}

Test(cache_disk, a_full_disk_leaves_nothing_behind) {
    disk_cache cache = folder_make();
    static const unsigned char large[100000];
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit little = {.rlim_cur = 5000, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    disk_cache_store(&cache, KEY, large, sizeof large, &(disk_trouble){""});
    cr_assert_not(folder_finds(&cache, KEY, large, sizeof large));
    cr_assert_eq(folder_count(&cache, ""), 1, "the lock alone");
    disk_cache_store(&cache, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &(disk_trouble){""});
    cr_assert(found(&cache), "what fits is kept");
    folder_remove(&cache);
}

static void expect_place(const char *cache, const char *xdg, const char *home, const char *given,
                         const char *expected) {
    const char *const names[] = {"CONVOKE_CACHE", "XDG_CACHE_HOME", "HOME"}, *const values[] = {cache, xdg, home};
    for (int i = 0; i < 3; i++) values[i] ? setenv(names[i], values[i], 1) : unsetenv(names[i]);
    char directory[PATH_MAX];
    disk_trouble trouble;
    cr_assert(disk_cache_locate(given, directory, &trouble), "\"%s\" is expected, but %s", expected, trouble.words);
    cr_assert_str_eq(directory, expected);
}

static void expect_refused(const char *cache, const char *given, const char *words) {
    char directory[PATH_MAX];
    disk_trouble trouble;
    setenv("CONVOKE_CACHE", cache, 1);
    cr_assert_not(disk_cache_locate(given, directory, &trouble), "\"%s\" is expected", words);
    cr_assert_str_eq(trouble.words, words);
    cr_assert_str_eq(directory, "");
}

Test(cache_disk, the_directory_is_the_users_word_then_the_usual_one) {
    expect_place(NULL, NULL, "/home/u", NULL, "/home/u/.cache/convoke");
    expect_place(NULL, "/x", "/home/u", NULL, "/x/convoke");
    expect_place(NULL, "relative", "/home/u", NULL, "/home/u/.cache/convoke");
    expect_place("/c", "/x", "/home/u", NULL, "/c");
    expect_place("", "/x", "/home/u", NULL, "/x/convoke");
    expect_place("/c", "/x", "/home/u", "/given", "/given");
    expect_place("off", "/x", "/home/u", "/given", "");
    expect_place("off", "/x", "/home/u", NULL, "");
    expect_place(NULL, NULL, NULL, NULL, "");
    static char endless[PATH_MAX + 8];
    memset(endless, '/', sizeof endless - 1);
    expect_place(NULL, NULL, endless, NULL, "");
}

Test(cache_disk, a_relative_directory_is_refused_and_who_named_it_is_told) {
    expect_refused("relative", NULL, "CONVOKE_CACHE is not an absolute path: \"relative\"");
    expect_refused("~/cache", NULL, "CONVOKE_CACHE is not an absolute path: \"~/cache\"");
    expect_refused("/c", "./here", "cache_directory is not an absolute path: \"./here\"");
    expect_refused("", "", "cache_directory is not an absolute path: \"\"");
    expect_place("off", "/x", "/home/u", "relative", "");
}

static void expect_trouble(const disk_cache *cache, const char *words) {
    disk_entry entry;
    disk_trouble trouble;
    cr_assert_eq(disk_cache_load(cache, KEY, &entry, &trouble), CVK_OK);
    cr_assert_str_eq(trouble.words + (*words ? strlen(trouble.words) - strlen(words) : 0), words, "%s", trouble.words);
    free(entry.bytes);
}

Test(cache_disk, why_it_is_not_used_is_told) {
    char path[PATH_MAX];
    disk_cache cache = stored(path), link = cache;
    expect_trouble(&cache, "");
    chmod(path, 0620);
    expect_trouble(&cache, "the entry may be written by others");
    chmod(path, 0600);
    chmod(cache.directory, 0770);
    expect_trouble(&cache, "may be written by others");
    chmod(cache.directory, 0700);
    snprintf(link.directory, sizeof link.directory, "%.4000s-link", cache.directory);
    cr_assert_eq(symlink(cache.directory, link.directory), 0);
    expect_trouble(&link, "is a symbolic link");
    unlink(link.directory);
    expect_trouble(&link, ""); /* there is none yet */
    if (geteuid() == 0) {
        cr_assert_eq(chown(cache.directory, 12345, 12345), 0);
        expect_trouble(&cache, "belongs to another user");
        cr_assert_eq(chown(cache.directory, 0, 0), 0);
    }
    cr_assert_eq(truncate(path, 100), 0);
    expect_trouble(&cache, "the entry is damaged, or of another key");
    disk_trouble trouble;
    disk_cache_store(&(disk_cache){"/proc/convoke", 1 << 20}, KEY, (const unsigned char *)OBJECT, sizeof OBJECT,
                     &trouble);
    cr_assert_str_eq(trouble.words, "/proc/convoke cannot be made");
    disk_cache_store(&(disk_cache){"/dev/null", 1 << 20}, KEY, (const unsigned char *)OBJECT, sizeof OBJECT, &trouble);
    cr_assert_str_eq(trouble.words, "/dev/null: Not a directory");
    folder_remove(&cache);
}

Test(cache_disk, a_key_names_all_that_code_depends_on) {
    arena a;
    arena_init(&a);
    cr_assert_eq(arena_guard(&a), false);
    cvk_target t = *target_host();
    cvk_spec s = {.name = "a", .rank = 1, .batch = 1, .in_channels = 1, .out_channels = 1, .groups = 1};
    for (int axis = 0; axis < AXES; axis++) s.in_size[axis] = s.kernel[axis] = s.stride[axis] = s.dilation[axis] = 1;
    cr_assert_eq(spec_finish(&s, NULL), CVK_OK);
    goal aim = {.target = &t};
    const char *key = cache_key(&a, &s, aim, "estimate");
    cr_assert_str_eq(key, cache_key(&a, &s, aim, "estimate"));
    cr_assert_str_neq(key, cache_key(&a, &s, aim, "measure"), "effort");
    aim.threads = 64;
    cr_assert_str_neq(key, cache_key(&a, &s, aim, "estimate"), "the threads that the plan is chosen for");
    aim.threads = 0;
    aim.step = true;
    cr_assert_str_neq(key, cache_key(&a, &s, aim, "estimate"), "that it is a step of a network");
    aim.step = false;
    t.cpu_features ^= 1;
    cr_assert_str_neq(key, cache_key(&a, &s, aim, "estimate"), "features");
    t.cpu_features ^= 1;
    t.l2_bytes++;
    cr_assert_str_neq(key, cache_key(&a, &s, aim, "estimate"), "cache sizes, which plans depend on");
    t.l2_bytes--;
    const figure_field *field;
    for (int i = 0; (field = figure_row(i)); i++) {
        machine_figures other = *t.figures;
        figure_set(&other, i, figure_get(&other, i) / 2);
        cvk_target slower = t;
        slower.figures = &other;
        cr_assert_str_neq(key, cache_key(&a, &s, (goal){.target = &slower}, "estimate"), "%s, which plans depend on",
                          field->name);
    }
    s.known = &(float){1};
    const char *of_one = cache_key(&a, &s, aim, "estimate");
    cr_assert_str_neq(key, of_one, "that weights are known");
    s.known = &(float){2};
    cr_assert_str_neq(of_one, cache_key(&a, &s, aim, "estimate"), "what they are");
    s.known = NULL;
    s.bias = true;
    cr_assert_str_neq(key, cache_key(&a, &s, aim, "estimate"), "the spec");
    arena_free(&a);
}
