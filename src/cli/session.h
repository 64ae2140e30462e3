/* What the verbs share: the layers asked for, the target, the threads, the messages and how they are shown. */
#ifndef CVK_CLI_SESSION_H
#define CVK_CLI_SESSION_H

#include "base/diag.h"
#include "cli/options.h"
#include "cli/targets.h"
#include "lab/lab.h"
#include "spec/spec.h"

#include <pthreadpool.h>

typedef enum cli_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMATS } cli_format;

/* A spec file, read. */
typedef struct session_file {
    const char *path;
    char *stem; /* its name without folders and ending */
    cvk_network *network;
} session_file;

typedef struct session_layer {
    const session_file *file;
    const cvk_spec *spec;
    const char *origin; /* where its plan is from, in words; NULL: nobody asked */
} session_layer;

typedef struct session {
    const cli_options *options;
    cvk_diagnostics *diagnostics;
    size_t shown; /* messages already on stderr */
    cli_format format;
    const cvk_target *target; /* of all verbs but `compile` */
    target_list targets;      /* of `compile` */
    session_file *files;
    size_t file_count;
    session_layer *layers; /* those that --layer leaves */
    size_t layer_count;
    pthreadpool_t pool; /* NULL: one thread */
    cvk_parallel_for parallel;
    lab lab;      /* of `target` and `parallel` */
    arena memory; /* of weights that layers were given (cli/weights.h) */
    size_t tuned_layers,
        untuned_layers;  /* those that --tuned asked for, and of which nothing is known; see cli/tuned.h */
    const char *untuned; /* of the first of these, why */
} session;

/* What plans for a target are chosen for, by --threads. */
static inline goal session_goal(const session *s, const cvk_target *target) {
    return (goal){.target = target, .threads = (uint32_t)s->options->threads};
}

/* Reads all files, so that all their mistakes are known at once, and picks the layers. Anything but CLI_DONE has been
 * explained on stderr. Call session_close in any case. */
cli_exit session_open(const cli_options *options, session *s);
/* The same without files, layers and target, in that format: its word, or NULL for text. */
cli_exit session_open_bare(const cli_options *options, const char *format, session *s);
void session_close(session *s);
/* CLI_DONE where this machine runs code for the target, else CLI_UNSUPPORTED, having said why and what to do instead.
 */
cli_exit session_can_run(const session *s);
/* The threads that --threads asks for, which plans are then chosen for: fills `pool`, `parallel` and `lab`. */
cli_exit session_start_threads(session *s);

/* Whether a file is to be taken as a network: it says what feeds what, and no layers of it are asked for by name. */
bool session_has_network(const session *s, const session_file *file);
/* Whether a layer is part of one. */
bool session_in_network(const session *s, const session_layer *layer);

/* Shows the messages that are new. */
void session_report(session *s);
/* The same, and what a status means for the command. */
cli_exit session_fail(session *s, cvk_status status);
/* A message of the command itself. */
void session_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "12/53 res3_3x3" on a terminal, gone again when the next thing is printed. */
void session_progress(const session *s, size_t done, size_t all, const char *name);
void session_progress_end(const session *s);

/* The greater of two exit statuses is the graver. */
static inline cli_exit graver(cli_exit a, cli_exit b) { return a > b ? a : b; }

#endif
