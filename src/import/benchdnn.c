/* Lists of convolutions as oneDNN's benchdnn takes them: a line a problem, options of the driver before them.
 *
 *     --dir=FWD_B
 *     g32mb1ic64ih28oc64oh28kh3ph1n"a_layer"      # what is left out of ih, iw, id is as the others are
 */
#include "import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 32, WORD = 512 };

/* Keys by their letters; those of axes are followed by d, h or w. */
typedef struct problem_line {
    int64_t g, mb, ic, oc;
    int64_t i[AXES], o[AXES], k[AXES], s[AXES], p[AXES], d[AXES]; /* -1: not said */
    char name[WORD];
} problem_line;

static const struct {
    const char *key;
    size_t offset;
} KEYS[] = {{"mb", offsetof(problem_line, mb)},
            {"ic", offsetof(problem_line, ic)},
            {"oc", offsetof(problem_line, oc)},
            {"g", offsetof(problem_line, g)},
#define AXIS_KEYS(letter)                                                                                              \
    {#letter "d", offsetof(problem_line, letter) + AXIS_D * sizeof(int64_t)},                                          \
        {#letter "h", offsetof(problem_line, letter) + AXIS_H * sizeof(int64_t)},                                      \
        {#letter "w", offsetof(problem_line, letter) + AXIS_W * sizeof(int64_t)},
            AXIS_KEYS(i) AXIS_KEYS(o) AXIS_KEYS(k) AXIS_KEYS(s) AXIS_KEYS(p) AXIS_KEYS(d)
#undef AXIS_KEYS
};
enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS, MOST_NUMBER = 1 << 20 };

/* The number of a key that begins there, or NULL. */
static int64_t *find_key(problem_line *p, const char **at) {
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const size_t length = strlen(KEYS[i].key);
        if (strncmp(*at, KEYS[i].key, length) != 0) continue;
        *at += length;
        return (int64_t *)(void *)((char *)p + KEYS[i].offset);
    }
    return NULL;
}

static bool take_number(const char **at, int64_t *to) {
    char *end;
    *to = strtoll(*at, &end, 10);
    const bool sound = end > *at && **at >= '0' && **at <= '9' && *to <= MOST_NUMBER;
    *at = end;
    return sound;
}

/* n"words", or n and all that follows. */
static void take_name(const char *at, problem_line *p) {
    const bool quoted = *at == '"';
    snprintf(p->name, sizeof p->name, "%.*s", (int)(quoted ? strcspn(at + 1, "\"") : strlen(at)), at + quoted);
}

static bool read_problem(const char *line, problem_line *p) {
    *p = (problem_line){.g = 1, .mb = 2}; /* the driver's own */
    for (int64_t *axis = p->i; axis < p->d + AXES; axis++) *axis = -1;
    for (const char *at = line; *at && *at != '\r';) {
        if (*at == '_') {
            at++;
            continue;
        }
        if (*at == 'n') {
            take_name(at + 1, p);
            break;
        }
        int64_t *to = find_key(p, &at);
        if (!to || !take_number(&at, to)) return false;
    }
    return p->ic > 0 && p->oc > 0 && p->g > 0;
}

/* What is not said of an axis is what the next one along has: rows as columns, slices as rows. */
static int64_t said(const int64_t *axis, int which, bool used, int64_t otherwise) {
    static const int order[AXES][AXES] = {{AXIS_D, AXIS_H, AXIS_W}, {AXIS_H, AXIS_W, AXIS_D}, {AXIS_W, AXIS_H, AXIS_D}};
    for (int i = 0; used && i < AXES; i++)
        if (axis[order[which][i]] >= 0) return axis[order[which][i]];
    return otherwise;
}

/* As many axes as the widest that is named: a problem of ih alone is square. */
static int rank_of(const problem_line *p) {
    if (p->i[AXIS_D] >= 0 || p->k[AXIS_D] >= 0) return 3;
    return p->i[AXIS_H] >= 0 || p->k[AXIS_H] >= 0 ? 2 : 1;
}

/* What lies behind is as much as the output asks for, which may be less than what lies before, or nothing. */
static bool set_axis(const problem_line *p, int axis, bool used, cvk_spec *s) {
    s->in_size[axis] = said(p->i, axis, used, 1);
    s->kernel[axis] = said(p->k, axis, used, 1);
    s->stride[axis] = said(p->s, axis, used, 1);
    s->dilation[axis] = said(p->d, axis, used, 0) + 1;
    s->pad_before[axis] = said(p->p, axis, used, 0);
    const int64_t reach = (s->kernel[axis] - 1) * s->dilation[axis] + 1, out = said(p->o, axis, used, 0);
    s->pad_after[axis] =
        out ? (out - 1) * s->stride[axis] + reach - s->in_size[axis] - s->pad_before[axis] : s->pad_before[axis];
    if (s->pad_after[axis] < 0) s->pad_after[axis] = 0; /* columns that no kernel comes to */
    return s->in_size[axis] > 0 && s->stride[axis] > 0;
}

static bool set_spec(const problem_line *p, cvk_spec *s) {
    *s = (cvk_spec){.accuracy = ACCURACY_DEFAULT,
                    .rank = rank_of(p),
                    .batch = p->mb,
                    .in_channels = p->ic,
                    .out_channels = p->oc,
                    .groups = p->g};
    for (int axis = 0; axis < AXES; axis++)
        if (!set_axis(p, axis, axis >= AXES - s->rank, s)) return false;
    return true;
}

/* Of a line that is a problem; NULL: it does not read as one. */
static const char *take_line(arena *a, const char *line, import_layers *layers) {
    import_layer *l = arena_new(a, import_layer);
    problem_line p;
    if (layers->count == 1024) return "a spec has room for no more layers";
    if (!read_problem(line, &p) || !set_spec(&p, &l->spec)) return "this is no problem of benchdnn's convolutions";
    l->spec.name = import_name(a, layers, *p.name ? p.name : "layer");
    const char *why = import_refusal(a, &l->spec);
    if (why) return why;
    layers->layer[layers->count++] = l;
    layers->macs += spec_macs(&l->spec);
    layers->covered = layers->macs;
    return NULL;
}

cvk_status import_read_benchdnn(arena *a, const import_source *source, cvk_diagnostics *d, imported *to) {
    char *rest = arena_string(a, source->bytes, source->size), *end;
    cvk_status status = CVK_OK;
    *to = (imported){.layers.layer = arena_array(a, import_layer *, 1024)};
    for (unsigned number = 1; rest; rest = end, number++) {
        end = strchr(rest, '\n');
        if (end) *end++ = 0;
        rest += strspn(rest, " \t\r");
        rest[strcspn(rest, "# \t\r")] = 0;
        if (!*rest || strncmp(rest, "--", 2) == 0) continue;
        const char *why = take_line(a, rest, &to->layers);
        if (!why) continue;
        diag_error(d, E_SYNTAX, (place){source->path, number, 1}, NULL, "%s", why);
        status = CVK_ERROR_SPEC;
    }
    return status;
}
