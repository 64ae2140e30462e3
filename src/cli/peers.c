/* Looking for peers. */
#define _GNU_SOURCE /* secure_getenv */
#include "cli/peers.h"
#include "cli/onnxruntime.h"
#include "cli/print.h"

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

/* What the file exports, or NULL. */
static const peer *load(const char *path, void **library) {
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return *library ? dlsym(*library, PEER_SYMBOL) : NULL;
}

static cli_exit open_file(const char *path, const peer **to) {
    void *library;
    const peer *found = load(path, &library);
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

/* The first folder that has it. */
static bool find_file(const folders *f, const char *name, char path[PATH_MAX + NAME_MAX]) {
    for (size_t i = 0; i < f->count && !strchr(name, '/'); i++) {
        int length = snprintf(path, PATH_MAX + NAME_MAX, "%s/%s.so", f->path[i], name);
        if (length < PATH_MAX + NAME_MAX && access(path, F_OK) == 0) return true;
    }
    return false;
}

cli_exit peers_open(const char *name, const peer **to) {
    folders f;
    char path[PATH_MAX + NAME_MAX];
    list_folders(&f);
    return find_file(&f, name, path) ? open_file(path, to) : refuse_missing(name, &f);
}

static bool has(const peer_list *l, const peer *one) {
    for (size_t i = 0; i < l->count; i++)
        if (l->of[i] == one) return true;
    return false;
}

cli_exit peers_open_all(const cli_LIST *names, peer_list *to) {
    for (int i = 0; i < names->count; i++) {
        const peer *one;
        cli_exit status = peers_open(names->text[i], &one);
        if (status != CLI_DONE) return status;
        if (has(to, one)) continue;
        if (to->count == MOST_PEERS) {
            session_say("--peer is for %d peers at most", MOST_PEERS);
            return CLI_USAGE;
        }
        to->of[to->count++] = one;
    }
    return CLI_DONE;
}

/* Its title, and where it is; or what it needs. */
static void print_known(const struct known *row, const folders *f) {
    char path[PATH_MAX + NAME_MAX];
    void *library;
    const peer *found = find_file(f, row->name, path) ? load(path, &library) : NULL;
    if (found && found->version == PEER_VERSION)
        printf("%-8s  %-14s  %s\n", row->name, found->title(), path);
    else
        printf("%-8s  %-14s  needs %s\n", row->name, "-", row->needs);
}

void print_peers(void) {
    folders f;
    list_folders(&f);
    printf("%-8s  %-14s  %s\n", "peer", "library", "found");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) print_known(&known[i], &f);
    printf("# of networks: " ONNXRUNTIME ", if node finds npm's onnxruntime-node\n");
}
