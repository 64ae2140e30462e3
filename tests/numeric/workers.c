/* Workers take case after case from a shared counter; one that dies is replaced. */
#include "workers.h"

#include "draw.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 2, MOST_FAILURES = 10, SECONDS = 60 };

static char last_words[8192];

static void on_signal(int number) {
    const char *what = number == SIGALRM ? "HANGS:\n" : "CRASHES:\n";
    ssize_t ignored = write(STDERR_FILENO, what, strlen(what));
    ignored = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)ignored;
    _exit(1);
}

void workers_expect_crash(const char *words) {
    snprintf(last_words, sizeof last_words, "%s", words);
    alarm(SECONDS);
}

static void catch_signals(void) {
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) signal(numbers[i], on_signal);
}

void *workers_memory(unsigned long bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* A failure ends the process: what a wrong kernel did to it is not to disturb other cases. So does the parent's end. */
static void work(atomic_int *next, int cases, run_case *run, void *context, pid_t parent) {
    catch_signals();
    for (int i = atomic_fetch_add(next, 1); i < cases; i = atomic_fetch_add(next, 1))
        if (getppid() != parent || !run(i, context)) _exit(1);
    _exit(0);
}

static bool start(atomic_int *next, int cases, run_case *run, void *context) {
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) work(next, cases, run, context, parent);
    return child > 0;
}

int workers_run(int cases, run_case *run, void *context) {
    atomic_int *next = workers_memory(sizeof *next);
    int64_t only = environment_number("CVK_CASE", -1);
    if (only >= 0) {
        atomic_store(next, (int)only);
        cases = (int)only + 1;
    }
    int failures = 0, running = 0, status;
    for (int i = 0; i < WORKERS; i++) running += start(next, cases, run, context);
    while (running > 0 && wait(&status) > 0) {
        running--;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        if (++failures < MOST_FAILURES) running += start(next, cases, run, context);
    }
    munmap(next, sizeof *next);
    return failures;
}
