/* Opening a session: options checked, files read, layers picked, threads started. */
#include "cli/session.h"

#include <convoke/pthreadpool.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const format_words[FORMATS] = {"text", "json", "csv"};

static const struct {
    cvk_status status;
    cli_exit exit;
} exits[] = {
    {CVK_OK, CLI_DONE},
    {CVK_ERROR_SPEC, CLI_INPUT},
    {CVK_ERROR_UNSUPPORTED, CLI_UNSUPPORTED},
    {CVK_ERROR_CPU, CLI_UNSUPPORTED},
    {CVK_ERROR_MEMORY, CLI_UNSUPPORTED},
    {CVK_ERROR_IO, CLI_IO},
};

void session_say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("convoke: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

bool session_has_network(const session *s, const session_file *file) {
    return file->network && file->network->graph && !s->options->layer;
}

bool session_in_network(const session *s, const session_layer *layer) { return session_has_network(s, layer->file); }

void session_report(session *s) {
    for (; s->shown < cvk_diagnostics_count(s->diagnostics); s->shown++) {
        const cvk_diagnostic *message = cvk_diagnostics_get(s->diagnostics, s->shown);
        size_t length = cvk_diagnostic_format(message, NULL, 0);
        char *line = malloc(length + 1);
        if (!line) return;
        cvk_diagnostic_format(message, line, length + 1);
        fprintf(stderr, "%s\n", line);
        free(line);
    }
}

cli_exit session_fail(session *s, cvk_status status) {
    bool silent = s->shown == cvk_diagnostics_count(s->diagnostics);
    session_report(s);
    if (silent && status != CVK_OK) session_say("%s", cvk_status_text(status));
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++)
        if (exits[i].status == status) return exits[i].exit;
    return CLI_INTERNAL;
}

static bool progress_shows(const session *s) { return s->format == FORMAT_TEXT && isatty(STDERR_FILENO); }

void session_progress(const session *s, size_t done, size_t all, const char *name) {
    if (progress_shows(s)) fprintf(stderr, "\r\033[K%zu/%zu %s", done + 1, all, name);
}

void session_progress_end(const session *s) {
    if (progress_shows(s)) fputs("\r\033[K", stderr);
}

static cli_exit set_format(session *s, const char *word) {
    if (!word) word = "text";
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(word, format_words[i]) == 0) {
            s->format = (cli_format)i;
            return CLI_DONE;
        }
    session_say("--format is text, json or csv, not `%s`", word);
    return CLI_USAGE;
}

static cli_exit choose_format(session *s) { return set_format(s, s->options->format); }

static cli_exit choose_target(session *s) {
    if (!s->options->targets) return targets_find(s->options->target, &s->target);
    cli_exit status = targets_parse(s->options->targets, s->options->triple, s->diagnostics, &s->targets);
    session_report(s);
    return status;
}

static cli_exit check_threads(session *s) {
    if (s->options->threads <= GOAL_MOST_THREADS) return CLI_DONE;
    session_say("--threads is at most %d", GOAL_MOST_THREADS);
    return CLI_USAGE;
}

cli_exit session_can_run(const session *s) {
    const cvk_target *t = s->target;
    if (target_runs_here(t)) return CLI_DONE;
    session_say(
        "this machine cannot run code for the target `%s`, which %s\n  hint: `convoke compile --target %s` makes "
        "code for it, `convoke explain` shows the plan; `--target host` is what runs here",
        t->name,
        target_same_architecture(t, target_host()) ? "wants CPU features that are missing here"
                                                   : "is of another architecture",
        t->name);
    return CLI_UNSUPPORTED;
}

static void do_nothing(void *argument, size_t index) {
    (void)argument;
    (void)index;
}

static void rest(const cvk_parallel_for *threads) {
    pthreadpool_parallelize_1d(threads->context, do_nothing, NULL, threads->workers, PTHREADPOOL_FLAG_YIELD_WORKERS);
}

cli_exit session_start_threads(session *s) {
    /* What ends the program is for the main thread, which may be in the middle of writing a file. */
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ends, &before);
    if (s->options->threads != 1) s->pool = pthreadpool_create(s->options->threads);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->parallel = cvk_pthreadpool(s->pool);
    s->lab = (lab){.target = s->target,
                   .threads = &s->parallel,
                   .rest = rest,
                   .diagnostics = s->diagnostics,
                   .plan_threads = session_goal(s, s->target).threads};
    return CLI_DONE;
}

/* "resnet50" of "specs/resnet50.yaml". */
static char *stem_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return strndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static cli_exit read_files(session *s) {
    cli_exit worst = CLI_DONE;
    s->files = calloc((size_t)s->options->spec_count, sizeof *s->files);
    if (!s->files) return session_fail(s, CVK_ERROR_MEMORY);
    for (int i = 0; i < s->options->spec_count; i++) {
        session_file *file = &s->files[s->file_count++];
        file->path = s->options->specs[i];
        file->stem = stem_of(file->path);
        if (!file->stem) return session_fail(s, CVK_ERROR_MEMORY);
        cvk_status status = cvk_network_read(file->path, s->diagnostics, &file->network);
        worst = graver(worst, session_fail(s, status));
    }
    return worst;
}

static cli_exit pick_layers(session *s, const regex_t *pattern) {
    size_t all = 0;
    for (size_t f = 0; f < s->file_count; f++) all += cvk_network_count(s->files[f].network);
    s->layers = calloc(all ? all : 1, sizeof *s->layers);
    if (!s->layers) return session_fail(s, CVK_ERROR_MEMORY);
    for (size_t f = 0; f < s->file_count; f++) {
        const cvk_spec *layer;
        for (size_t i = 0; (layer = cvk_network_layer(s->files[f].network, i)); i++)
            if (!pattern || regexec(pattern, layer->name, 0, NULL, 0) == 0)
                s->layers[s->layer_count++] = (session_layer){&s->files[f], layer, NULL};
    }
    if (s->layer_count || !pattern) return CLI_DONE; /* a network may be of views alone */
    session_say("no layer's name matches `%s`", s->options->layer);
    return CLI_USAGE;
}

static cli_exit match_layers(session *s) {
    if (!s->options->layer) return pick_layers(s, NULL);
    regex_t pattern;
    int wrong = regcomp(&pattern, s->options->layer, REG_EXTENDED | REG_NOSUB);
    if (wrong) {
        char reason[128];
        regerror(wrong, &pattern, reason, sizeof reason);
        session_say("--layer: `%s` is no regular expression: %s", s->options->layer, reason);
        return CLI_USAGE;
    }
    cli_exit status = pick_layers(s, &pattern);
    regfree(&pattern);
    return status;
}

cli_exit session_open(const cli_options *options, session *s) {
    *s = (session){.options = options, .diagnostics = cvk_diagnostics_new()};
    arena_init(&s->memory);
    cli_exit (*const steps[])(session *) = {choose_format, choose_target, check_threads, read_files, match_layers};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        cli_exit status = steps[i](s);
        if (status != CLI_DONE) return status;
    }
    return CLI_DONE;
}

cli_exit session_open_bare(const cli_options *options, const char *format, session *s) {
    *s = (session){.options = options, .diagnostics = cvk_diagnostics_new()};
    arena_init(&s->memory);
    return set_format(s, format);
}

void session_close(session *s) {
    for (size_t i = 0; i < s->file_count; i++) {
        cvk_network_free(s->files[i].network);
        free(s->files[i].stem);
    }
    free(s->files);
    free(s->layers);
    arena_free(&s->memory);
    if (s->pool) pthreadpool_destroy(s->pool);
    cvk_diagnostics_free(s->diagnostics);
}
