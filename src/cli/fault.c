/* The words are made before there is a fault: a handler may write, and no more. */
#include "cli/fault.h"

#include "cli/options.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char last_words[512];

static void on_fault(int signal_number) {
    (void)signal_number;
    ssize_t ignored = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)ignored;
    _exit(CLI_WRONG);
}

void fault_expect(const char *path, const char *name, const char *plan) {
    snprintf(last_words, sizeof last_words, "convoke: %s: layer %s touched memory outside its buffers; plan %s\n", path,
             name, plan);
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
}

void fault_expect_none(void) {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
}
