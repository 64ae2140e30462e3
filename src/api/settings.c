/* Settings: from a struct of any version to all that a compile needs to know. */
#include "api/settings.h"

#include "base/diag.h"

#include <string.h>
#include <unistd.h>

static const uint64_t CACHE_BYTES = UINT64_C(256) << 20;

static const char *const effort_words[] = {[CVK_EFFORT_ESTIMATE] = "estimate", [CVK_EFFORT_MEASURE] = "measure"};
enum { EFFORTS = sizeof effort_words / sizeof *effort_words };

const char *settings_effort(const settings *s) { return effort_words[s->effort]; }

bool settings_take(void *ours, size_t our_size, const void *theirs) {
    size_t size;
    memcpy(&size, theirs, sizeof size);
    if (size < sizeof size) return false;
    const unsigned char *bytes = theirs;
    for (size_t i = our_size; i < size; i++)
        if (bytes[i]) return false;
    memset(ours, 0, our_size);
    memcpy(ours, theirs, size < our_size ? size : our_size);
    return true;
}

static cvk_status refuse(cvk_diagnostics *d, const char *what) {
    diag_error(d, E_FIELD, (place){.file = ""}, NULL, "options: %s", what);
    return CVK_ERROR_ARGUMENT;
}

static unsigned count_threads(uint32_t wanted) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = wanted ? wanted : online > 0 ? (unsigned)online : 1;
    return threads < SETTINGS_MOST_THREADS ? threads : SETTINGS_MOST_THREADS;
}

static cvk_status find_target(const char *name, cvk_diagnostics *d, const cvk_target **target) {
    *target = target_find(name);
    if (!*target) {
        diag_error(d, E_TARGET, (place){.file = ""}, target_hint(name).text, "there is no target \"%s\"", name);
        return CVK_ERROR_UNSUPPORTED;
    }
    if (target_runs_here(*target)) return CVK_OK;
    diag_error(d, E_TARGET, (place){.file = ""}, NULL, "this CPU cannot run code for %s", (*target)->name);
    return CVK_ERROR_CPU;
}

static cvk_status find_directory(const char *given, cvk_diagnostics *d, settings *s) {
    if (!disk_cache_locate(given, s->disk.directory, &s->disk_trouble)) return refuse(d, s->disk_trouble.words);
    if (*s->disk.directory && *s->disk_trouble.words)
        diag_note(d, E_FIELD, (place){.file = ""}, "%s", s->disk_trouble.words);
    return CVK_OK;
}

/* The arena is the settings' own. */
static cvk_status read_tuned(const char *folder, cvk_diagnostics *d, settings *s) {
    if (arena_guard(&s->arena)) return CVK_ERROR_MEMORY;
    s->tuned = arena_new(&s->arena, known_plans);
    return known_open(&s->arena, folder, d, s->tuned);
}

void settings_free(settings *s) { arena_free(&s->arena); }

static cvk_status read_options(const cvk_options *o, cvk_diagnostics *d, settings *s) {
    if ((unsigned)o->effort >= EFFORTS) return refuse(d, "effort");
    if ((unsigned)o->cache > CVK_CACHE_OFF) return refuse(d, "cache");
    if (o->run_threads > GOAL_MOST_THREADS) return refuse(d, "run_threads");
    if (o->tuned && *o->tuned != '/') return refuse(d, "tuned is not an absolute path");
    s->effort = o->effort;
    s->in_memory = o->cache != CVK_CACHE_OFF;
    s->threads = count_threads(o->threads);
    s->goal.threads = (uint32_t)o->run_threads;
    s->disk.most_bytes = o->cache_bytes ? o->cache_bytes : CACHE_BYTES;
    cvk_status status = o->cache == CVK_CACHE_DISK ? find_directory(o->cache_directory, d, s) : CVK_OK;
    if (!status) status = find_target(o->target, d, &s->goal.target);
    return !status && o->tuned ? read_tuned(o->tuned, d, s) : status;
}

cvk_status settings_read(const cvk_options *options, cvk_diagnostics *d, settings *s) {
    cvk_options o = {0};
    *s = (settings){.tuned = NULL};
    arena_init(&s->arena);
    if (options && !settings_take(&o, sizeof o, options)) return refuse(d, "struct_size, or a field that is not known");
    return read_options(&o, d, s);
}
