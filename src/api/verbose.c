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

static void print(const cvk_kernel_info *info, const char *verb, const char *how, double milliseconds) {
    char line[1024];
    int length = snprintf(line, sizeof line, "convoke,%s,%s,%s,%s,%.6g,\"%s\"\n", verb, info->name, info->target, how,
                          milliseconds, info->plan);
    if (length <= 0 || (size_t)length >= sizeof line) return;
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written;
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
