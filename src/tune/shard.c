/* Who this process is among others, by their launcher's environment. */
#include "tune/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A whole number that begins `words`; what comes after it, or NULL. */
static const char *read_number(const char *words, uint32_t *to) {
    char *end;
    if (!words || *words < '0' || *words > '9') return NULL;
    errno = 0;
    unsigned long value = strtoul(words, &end, 10);
    *to = (uint32_t)value;
    return errno || value > UINT32_MAX ? NULL : end;
}

static bool read_variable(const char *name, uint32_t *to) {
    const char *end = read_number(getenv(name), to);
    return end && !*end;
}

/* Variables of a rank and of how many there are, the first pair that is set; `least` is what ranks begin at, or NULL.
 */
static const struct launcher {
    const char *rank, *count, *least;
} LAUNCHERS[] = {
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", NULL},
    {"PMI_RANK", "PMI_SIZE", NULL},
    {"SLURM_PROCID", "SLURM_NTASKS", NULL},
};

static bool read_environment(shard *to) {
    for (size_t i = 0; i < sizeof LAUNCHERS / sizeof *LAUNCHERS; i++) {
        const struct launcher *l = &LAUNCHERS[i];
        uint32_t least = 0;
        if (!read_variable(l->rank, &to->index) || !read_variable(l->count, &to->count)) continue;
        if (l->least) read_variable(l->least, &least);
        to->index -= least;
        return true;
    }
    return false;
}

bool shard_read(const char *words, shard *to) {
    bool read = strcmp(words, "auto") == 0 && read_environment(to);
    if (strcmp(words, "auto") != 0) {
        const char *slash = read_number(words, &to->index);
        const char *end = slash && *slash == '/' ? read_number(slash + 1, &to->count) : NULL;
        read = end && !*end;
    }
    return read && to->index < to->count;
}

bool shard_has(const shard *s, uint64_t hash) { return s->count <= 1 || hash % s->count == s->index; }
