/* Finding the figures of this machine. Of several processes that find none, one measures while the others wait for it:
 * they would disturb each other, and must agree. */
#include "lab/calibration.h"

#include "cache/disk.h"
#include "cache/disk_names.h"
#include "cache/entry.h"
#include "lab/figures.h"
#include "target/machine.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FILE_BYTES = 1 << 13, WAITS = 400 };
static const struct timespec WAIT = {.tv_nsec = 5000000};

/* ---- the file ---- */

const char *calibration_identity(arena *a, const cvk_target *t) {
    text out = text_new(a);
    text_add(&out, "convoke figures 5\ncpu ");
    machine_print_cpu(&out);
    text_add(&out, "\ncaches %" PRId64 " %" PRId64 " %" PRId64 "\ntarget %s\n", t->l1_bytes, t->l2_bytes, t->l3_bytes,
             t->name);
    return out.bytes;
}

const char *calibration_name(arena *a, const cvk_target *t) {
    return arena_format(a, "%s-%016" PRIx64 DISK_FIGURES_END, t->name, entry_hash(calibration_identity(a, t)));
}

text calibration_print(arena *a, const char *identity, const machine_figures *f) {
    text out = text_new(a);
    const figure_field *field;
    text_add(&out, "%s", identity);
    for (int i = 0; (field = figure_row(i)); i++) {
        text_add(&out, "%s ", field->name);
        text_add_double(&out, figure_get(f, i));
        text_add(&out, "\n");
    }
    return out;
}

/* What `words` have after `prefix`, or NULL. */
static const char *after(const char *words, const char *prefix) {
    size_t length = strlen(prefix);
    return words && strncmp(words, prefix, length) == 0 ? words + length : NULL;
}

/* A number without sign and exponent, the same in every locale; what comes after it, or NULL. */
static const char *parse_number(const char *words, double *value) {
    enum { MOST_DIGITS = 15 };
    double digits = 0, scale = 1;
    int count = 0;
    bool point = false;
    for (; (*words >= '0' && *words <= '9') || (*words == '.' && !point && count > 0); words++) {
        if (*words == '.') {
            point = true;
            continue;
        }
        digits = 10 * digits + (*words - '0');
        scale *= point ? 10 : 1;
        count++;
    }
    *value = digits / scale;
    return count > 0 && count <= MOST_DIGITS ? words : NULL;
}

bool calibration_parse(const char *words, const char *identity, machine_figures *f) {
    const figure_field *field;
    words = after(words, identity);
    for (int i = 0; words && (field = figure_row(i)); i++) {
        double value = 0;
        words = after(after(words, field->name), " ");
        if (words) words = after(parse_number(words, &value), "\n");
        if (!(value >= field->least && value <= field->most)) return false;
        figure_set(f, i, value);
    }
    return words && !*words;
}

/* ---- finding it ---- */

/* Where the figures of an identity are. */
typedef struct figures_home {
    const char *directory, *name, *identity;
    int folder; /* the directory, open */
} figures_home;

static bool load(const figures_home *p, calibration *to) {
    unsigned char *bytes;
    size_t size;
    disk_trouble ignored;
    if (cache_folder_read(p->folder, p->name, MOST_FILE_BYTES, &bytes, &size, &ignored) != CVK_OK || !bytes)
        return false;
    const char *words = (const char *)bytes;
    to->measured = strlen(words) == size && calibration_parse(words, p->identity, &to->figures);
    free(bytes);
    if (to->measured) snprintf(to->words, sizeof to->words, "%s/%s", p->directory, p->name);
    return to->measured;
}

static bool keep(const figures_home *p, const machine_figures *f, disk_trouble *trouble) {
    arena a;
    arena_init(&a);
    bool kept = false;
    if (!arena_guard(&a)) {
        text words = calibration_print(&a, p->identity, f);
        kept = cache_folder_write(p->folder, p->name, words.bytes, words.length, trouble);
    }
    arena_free(&a);
    return kept;
}

/* With the lock held: what is found now, a moment later, is another's. */
static void measure_and_keep(const figures_home *p, const cvk_target *t, figures_measurer *measure, calibration *to) {
    machine_figures figures;
    disk_trouble trouble = {"they could not be measured"};
    if (load(p, to)) return;
    if (measure(t, NULL, &figures) == CVK_OK && keep(p, &figures, &trouble) && load(p, to)) return;
    snprintf(to->words, sizeof to->words, "%s", trouble.words);
}

/* One that does not come to an end, stopped perhaps, is not waited for forever. */
static void measure_or_wait(const figures_home *p, const cvk_target *t, figures_measurer *measure, calibration *to) {
    disk_trouble trouble = {"another process is measuring them"};
    int lock = -1;
    for (int i = 0; i < WAITS && !load(p, to); i++) {
        disk_trouble why = {""};
        lock = cache_folder_lock(p->folder, DISK_FIGURES_LOCK, &why);
        if (*why.words) trouble = why;
        if (lock >= 0 || *why.words) break;
        nanosleep(&WAIT, NULL);
    }
    if (!to->measured) snprintf(to->words, sizeof to->words, "%s", trouble.words);
    if (lock < 0) return;
    measure_and_keep(p, t, measure, to);
    close(lock);
}

static void find_in(const char *directory, int folder, const cvk_target *t, figures_measurer *measure,
                    calibration *to) {
    arena a;
    arena_init(&a);
    if (!arena_guard(&a)) {
        const figures_home p = {directory, calibration_name(&a, t), calibration_identity(&a, t), folder};
        if (!load(&p, to)) measure_or_wait(&p, t, measure, to);
    }
    arena_free(&a);
}

void calibration_find(const cvk_target *t, const char *directory, figures_measurer *measure, calibration *to) {
    disk_trouble trouble = {"there is no directory to keep them in"};
    *to = (calibration){.target = *t};
    to->target.figures = &to->figures;
    int folder = cache_folder_make(directory, &trouble);
    snprintf(to->words, sizeof to->words, "%s", trouble.words);
    if (folder >= 0) {
        find_in(directory, folder, t, measure, to);
        close(folder);
    }
    if (!to->measured) to->figures = *t->figures;
}

static bool keep_in(const char *directory, int folder, const cvk_target *t, const machine_figures *f,
                    char words[CALIBRATION_WORDS]) {
    arena a;
    disk_trouble trouble = {"out of memory"};
    arena_init(&a);
    *words = 0;
    if (!arena_guard(&a)) {
        const figures_home p = {directory, calibration_name(&a, t), calibration_identity(&a, t), folder};
        if (keep(&p, f, &trouble)) snprintf(words, CALIBRATION_WORDS, "%s/%s", directory, p.name);
    }
    arena_free(&a);
    if (*words) return true;
    snprintf(words, CALIBRATION_WORDS, "%s", trouble.words);
    return false;
}

bool calibration_keep(const cvk_target *t, const char *directory, const machine_figures *f,
                      char words[CALIBRATION_WORDS]) {
    char usual[PATH_MAX];
    disk_trouble trouble = {"there is no directory to keep them in"};
    if (!directory) disk_cache_locate(NULL, usual, &trouble);
    const char *where = directory ? directory : usual;
    if (!*trouble.words) disk_trouble_say(&trouble, "there is no directory to keep them in");
    int folder = cache_folder_make(where, &trouble);
    snprintf(words, CALIBRATION_WORDS, "%s", trouble.words);
    if (folder < 0) return false;
    bool kept = keep_in(where, folder, t, f, words);
    close(folder);
    return kept;
}

/* ---- the host ---- */

static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

const calibration *calibration_host(const char *directory) {
    static calibration found, none;
    static bool asked;
    char usual[PATH_MAX];
    disk_trouble trouble = {""};
    if (!directory) disk_cache_locate(NULL, usual, &trouble);
    const char *where = directory ? directory : usual;
    pthread_mutex_lock(&once);
    if (!asked && *where) {
        calibration_find(target_host(), where, figures_measure, &found);
        asked = true;
    }
    if (!none.target.name) {
        calibration_find(target_host(), "", figures_measure, &none);
        if (*trouble.words) snprintf(none.words, sizeof none.words, "%s", trouble.words);
    }
    pthread_mutex_unlock(&once);
    return *where ? &found : &none;
}

const cvk_target *calibration_of(const cvk_target *t, const char *directory) {
    return t == target_host() ? &calibration_host(directory)->target : t;
}
