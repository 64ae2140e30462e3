/* node is given its program on the command line, and asked for each run by a line. Where we end without closing it, it
 * is orphaned, and the kernel lets it go on to the end of its input. */
#define _GNU_SOURCE /* pipe2 */
#include "cli/onnxruntime.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern const unsigned char onnxruntime_program[]; /* onnxruntime.js */
extern char **environ;

/* As node calls them. */
static const char *type_word(cvk_dtype dtype) {
    static const struct {
        cvk_dtype dtype;
        const char *word;
    } words[] = {{CVK_F32, "float32"}, {CVK_F64, "float64"}, {CVK_S8, "int8"}, {CVK_U8, "uint8"}, {CVK_S32, "int32"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].dtype == dtype) return words[i].word;
    return NULL;
}

/* "float32:1x3x640x640"; NULL where node has no such numbers. */
static char *shape_word(arena *a, const cvk_tensor_info *t, int64_t batch) {
    const char *type = type_word(t->dtype);
    text words = text_new(a);
    if (!type) return NULL;
    text_add(&words, "%s:%lldx%lld", type, (long long)(t->shape[0] ? t->shape[0] : batch), (long long)t->shape[1]);
    for (uint32_t i = 3 - t->spatial_rank; i < 3; i++) text_add(&words, "x%lld", (long long)t->shape[2 + i]);
    return words.bytes;
}

enum { READ_END, WRITE_END };

static bool spawn(char **arguments, onnxruntime *o) {
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    bool there = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0;
    posix_spawn_file_actions_adddup2(&actions, in[READ_END], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[WRITE_END], STDOUT_FILENO);
    there = there && posix_spawnp(&o->process, arguments[0], &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    if (!there) o->process = 0;
    o->to = there ? fdopen(in[WRITE_END], "w") : NULL;
    o->from = there ? fdopen(out[READ_END], "r") : NULL;
    if (in[READ_END] >= 0) close(in[READ_END]);
    if (out[WRITE_END] >= 0) close(out[WRITE_END]);
    if (!there && in[WRITE_END] >= 0) close(in[WRITE_END]);
    if (!there && out[READ_END] >= 0) close(out[READ_END]);
    return o->to && o->from;
}

static cli_exit refuse_absent(void) {
    session_say("the peer `" ONNXRUNTIME
                "` is not installed\n  hint: it is npm's onnxruntime-node, which node finds in "
                "node_modules of this folder, or where NODE_PATH says: `npm install onnxruntime-node`");
    return CLI_UNSUPPORTED;
}

static cli_exit read_answer(onnxruntime *o, const char *model) {
    static const char READY[] = "ready ", FAILED[] = "failed ";
    char line[512] = "";
    if (!fgets(line, sizeof line, o->from)) line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, FAILED, strlen(FAILED)) == 0) {
        session_say("%s: " ONNXRUNTIME " says: %s", model, line + strlen(FAILED));
        return CLI_INPUT;
    }
    if (strncmp(line, READY, strlen(READY)) != 0) return refuse_absent();
    snprintf(o->version, sizeof o->version, "%.31s", line + strlen(READY));
    return CLI_DONE;
}

cli_exit onnxruntime_open(const char *model, const cvk_network_info *info, int64_t batch, uint32_t threads, arena *a,
                          onnxruntime *o) {
    enum { BEFORE = 5 };
    char **arguments = arena_array(a, char *, BEFORE + info->inputs + 1);
    char *words[BEFORE] = {"node", "-e", (char *)(uintptr_t)onnxruntime_program, (char *)(uintptr_t)model,
                           arena_format(a, "%u", threads)};
    *o = (onnxruntime){.process = 0};
    memcpy(arguments, words, sizeof words);
    for (uint32_t i = 0; i < info->inputs; i++) {
        arguments[BEFORE + i] = shape_word(a, &info->input[i], batch);
        if (arguments[BEFORE + i]) continue;
        session_say("--peer " ONNXRUNTIME ": it has no inputs of the type of %s", info->input[i].name);
        return CLI_UNSUPPORTED;
    }
    signal(SIGPIPE, SIG_IGN); /* if it dies, that is told by what cannot be read */
    return spawn(arguments, o) ? read_answer(o, model) : refuse_absent();
}

double onnxruntime_run(onnxruntime *o) {
    double milliseconds = NAN;
    kill(o->process, SIGCONT);
    const bool asked = fputs("run\n", o->to) >= 0 && fflush(o->to) == 0;
    const bool told = asked && fscanf(o->from, "%lf", &milliseconds) == 1;
    kill(o->process, SIGSTOP);
    return told ? 1e-3 * milliseconds : NAN;
}

void onnxruntime_close(onnxruntime *o) {
    if (o->to) fclose(o->to);
    if (o->from) fclose(o->from);
    if (o->process) kill(o->process, SIGCONT);
    if (o->process) waitpid(o->process, NULL, 0);
    *o = (onnxruntime){.process = 0};
}
