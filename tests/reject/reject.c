/* Bad input: every file of cases/ is refused, with all the messages, places, hints and the status that the .txt beside
 * it holds. What is too large to keep is made here. */
#include <convoke/convoke.h>

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_CASE = 1 << 16, FEWEST_CASES = 300, FEWEST_CATEGORIES = 30 };

static const char *status_name(cvk_status status) {
    static const char *const names[] = {
#define CVK_STATUS(name, text) #name,
#include <convoke/status.def>
#undef CVK_STATUS
    };
    return names[status];
}

/* Everything a user is told, and the status. */
static void outcome(const char *bytes, size_t length, const char *name, char *told, size_t size) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_network *network;
    cvk_status status = cvk_network_parse(bytes, length, name, d, &network);
    size_t used = 0;
    for (size_t i = 0; i < cvk_diagnostics_count(d); i++) {
        used += cvk_diagnostic_format(cvk_diagnostics_get(d, i), told + used, size - used);
        cr_assert_lt(used + 64, size, "%s: too much was said", name);
        told[used++] = '\n';
    }
    snprintf(told + used, size - used, "%s\n", status_name(status));
    cr_expect((status == CVK_OK) == (network != NULL), "%s: a network if and only if it is sound", name);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
}

static size_t read_file(const char *path, char *bytes, size_t size) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t length = fread(bytes, 1, size - 1, file);
    bytes[length] = '\0';
    fclose(file);
    return length;
}

static void write_file(const char *path, const char *bytes) {
    FILE *file = fopen(path, "wb");
    cr_assert(file, "%s", path);
    fputs(bytes, file);
    fclose(file);
}

static void check_case(const char *name) {
    static char bytes[LARGEST_CASE], told[LARGEST_CASE], golden[LARGEST_CASE];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", CASES, name);
    outcome(bytes, read_file(path, bytes, sizeof bytes), name, told, sizeof told);
    memcpy(strrchr(path, '.'), ".txt", sizeof ".txt");
    if (getenv("CVK_GOLDEN")) write_file(path, told);
    golden[0] = '\0';
    read_file(path, golden, sizeof golden);
    cr_expect_str_eq(told, golden, "%s is refused otherwise than %s says:\n%s", name, path, told);
    cr_expect(!strstr(told, "\nOK\n") && strcmp(told, "OK\n") != 0, "%s is accepted", name);
}

static int is_case(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".yaml") == 0;
}

Test(reject, every_case_is_refused_as_its_golden_file_says) {
    struct dirent **entries;
    int n = scandir(CASES, &entries, is_case, alphasort), categories = 0;
    char category[256] = "";
    cr_assert_geq(n, FEWEST_CASES, "only %d cases", n);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        size_t prefix = strcspn(name, "-");
        if (strncmp(name, category, prefix) != 0 || category[prefix]) {
            snprintf(category, sizeof category, "%.*s", (int)prefix, name);
            categories++;
        }
        check_case(name);
        free(entries[i]);
    }
    free(entries);
    cr_expect_geq(categories, FEWEST_CATEGORIES, "only %d categories", categories);
}

static char *repeat(const char *unit, size_t times) {
    size_t length = strlen(unit);
    char *bytes = malloc(length * times + 1);
    for (size_t i = 0; i < times; i++) memcpy(bytes + i * length, unit, length);
    bytes[length * times] = '\0';
    return bytes;
}

/* That none of these hangs is what the timeout in CMakeLists.txt is for. */
Test(reject, deep_nesting_is_refused_however_it_is_written) {
    static const char *const units[] = {"[",    "{a: ", "- ",  "? ",    "{? ",     "[[],", "[{[",     "[\n",
                                        "- - ", "[a,",  "[\"", "{a: [", "[ # [\n", "&a [", "!!seq [", "'[', ["};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        char *bytes = repeat(units[i], 64000), told[4096];
        outcome(bytes, strlen(bytes), "deep.yaml", told, sizeof told);
        cr_expect(!strstr(told, "\nOK"), "64,000 times `%s`:\n%s", units[i], told);
        free(bytes);
    }
}

Test(reject, wide_files_are_refused_too) {
    static const char *const units[] = {"a",       "a: b\n",      "[],",   "a,",  "- a\n",       "\n", "#\n", "'",
                                        "\"\\x41", "'a': b\n",    "? a\n", " ",   "\t",          "a ", "a\n", "%A\n",
                                        "--- a\n", "\xC3\xA9 \n", "*a ",   "|\n", "a: |\n  b\n", ": ", "-",   "{},"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        char *bytes = repeat(units[i], ((1 << 20) - 8) / strlen(units[i])), told[1 << 14];
        outcome(bytes, strlen(bytes), "wide.yaml", told, sizeof told);
        cr_expect(!strstr(told, "\nOK"), "1 MiB of `%s`:\n%s", units[i], told);
        free(bytes);
    }
}
