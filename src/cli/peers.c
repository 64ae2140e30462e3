/* Looking for a peer, and putting a layer in its words. */
#define _GNU_SOURCE /* secure_getenv */
#include "cli/peers.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the command's folder to its peers', where it is installed as where it is built. */
static const char FROM_COMMAND[] = CVK_PEERS;

static const struct known {
    const char *name, *needs;
} known[] = {
#define PEER(name, needs) {name, needs},
#include "cli/peers.def"
#undef PEER
};

/* Folders that may hold peers, in the order they are looked in. */
enum { MOST_FOLDERS = 2 };
typedef struct folders {
    char path[MOST_FOLDERS][PATH_MAX];
    size_t count;
} folders;

static void cut_last(char *path) {
    char *slash = strrchr(path, '/');
    if (slash) *slash = 0;
}

/* False where the path of the command is not to be had, or is too long. */
static bool beside_command(char path[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length <= 0) return false;
    path[length] = 0;
    const char *rest = FROM_COMMAND;
    cut_last(path);
    for (; strncmp(rest, "../", 3) == 0; rest += 3) cut_last(path);
    size_t at = strlen(path);
    return snprintf(path + at, PATH_MAX - at, "/%s", rest) < (int)(PATH_MAX - at);
}

static void list_folders(folders *f) {
    const char *given = secure_getenv("CONVOKE_PEERS");
    f->count = 0;
    if (given && *given && strlen(given) < PATH_MAX) strcpy(f->path[f->count++], given);
    if (beside_command(f->path[f->count])) f->count++;
}

/* Says that there is none, where it was looked for, and what would help. */
static cli_exit refuse_missing(const char *name, const folders *f) {
    const struct known *row = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) row = &known[i];
    session_say(row ? "the peer `%s` is not installed" : "there is no peer `%s`", name);
    for (size_t i = 0; i < f->count; i++) fprintf(stderr, "  looked for %s/%s.so\n", f->path[i], name);
    if (row)
        fprintf(
            stderr,
            "  hint: install %s and build convoke anew; `cmake --install BUILD --component peers` installs the peer, "
            "and CONVOKE_PEERS names a folder that has it\n",
            row->needs);
    return row ? CLI_UNSUPPORTED : CLI_USAGE;
}

static cli_exit open_file(const char *path, const peer **to) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const peer *found = library ? dlsym(library, PEER_SYMBOL) : NULL;
    if (found && found->version == PEER_VERSION) {
        *to = found;
        return CLI_DONE;
    }
    if (found)
        session_say("%s is a peer of version %u, and this command takes version %u\n  hint: it is to be built with the "
                    "command",
                    path, found->version, PEER_VERSION);
    else
        session_say("the peer %s cannot be loaded: %s", path, dlerror());
    if (library) dlclose(library);
    return CLI_UNSUPPORTED;
}

cli_exit peers_open(const char *name, const peer **to) {
    folders f;
    list_folders(&f);
    for (size_t i = 0; i < f.count && !strchr(name, '/'); i++) {
        char path[PATH_MAX + NAME_MAX];
        int length = snprintf(path, sizeof path, "%s/%s.so", f.path[i], name);
        if (length < (int)sizeof path && access(path, F_OK) == 0) return open_file(path, to);
    }
    return refuse_missing(name, &f);
}

static const cvk_post_op *post_ops(const cvk_spec *s, arena *a) {
    cvk_post_op *to = arena_array(a, cvk_post_op, s->post_count + 1);
    for (int i = 0; i < s->post_count; i++)
        to[i] = (cvk_post_op){(cvk_post_kind)s->post[i].kind, s->post[i].a, s->post[i].b};
    return to;
}

const peer_problem *peers_problem(const cvk_spec *s, arena *a) {
    if (s->padding != PAD_ZEROS) return NULL;
    peer_problem *p = arena_new(a, peer_problem);
    *p = (peer_problem){.rank = s->rank,
                        .batch = s->batch,
                        .in_channels = s->in_channels,
                        .out_channels = s->out_channels,
                        .groups = s->groups,
                        .dtype = s->dtype,
                        .bias = s->bias,
                        .post_op_count = (size_t)s->post_count,
                        .post_ops = post_ops(s, a)};
    const struct {
        int64_t *to;
        const int64_t *from;
    } axes[] = {{p->in_size, s->in_size},    {p->out_size, s->out_size}, {p->kernel, s->kernel},
                {p->stride, s->stride},      {p->dilation, s->dilation}, {p->pad_before, s->pad_before},
                {p->pad_after, s->pad_after}};
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) memcpy(axes[i].to, axes[i].from, sizeof p->kernel);
    return p;
}
