/* CSV on stderr, a line a compile and a run; the columns are in docs/cache.md. A line is written at once, so those of
 * several threads do not mix. The environment is asked once. */
#include "api/verbose.h"

#include "jit/tools.h"

#include <convoke/observe.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static bool wanted;
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static void print_line(const char *verb, const char *name, const char *target, const char *how, double milliseconds,
                       const char *quoted) {
    char line[1024];
    int length =
        snprintf(line, sizeof line, "convoke,%s,%s,%s,%s,%.6g,\"%s\"\n", verb, name, target, how, milliseconds, quoted);
    if (length <= 0 || (size_t)length >= sizeof line) return;
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written;
}

static void print(const cvk_kernel_info *info, const char *verb, const char *how, double milliseconds) {
    print_line(verb, info->name, info->target, how, milliseconds, info->plan);
}

static void print_run(const cvk_kernel_info *info, uint32_t workers, uint64_t nanoseconds) {
    char how[32];
    snprintf(how, sizeof how, "threads:%u", workers);
    print(info, "run", how, (double)nanoseconds * 1e-6);
}

static void ask(void) {
    wanted = tools_want("CONVOKE_VERBOSE");
    if (wanted) cvk_observe_runs(print_run);
}

void verbose_compile(const cvk_kernel_info *info, const char *source, double seconds) {
    pthread_once(&asked, ask);
    if (wanted) print(info, "compile", source, seconds * 1e3);
}

void verbose_cache(const char *name, const char *target, const char *why) {
    pthread_once(&asked, ask);
    if (!wanted) return;
    char words[512];
    size_t used = 0;
    for (; *why && used + 1 < sizeof words; why++) words[used++] = *why == '"' || *why < ' ' ? '\'' : *why;
    words[used] = 0;
    print_line("cache", name, target, "unused", 0, words);
}
