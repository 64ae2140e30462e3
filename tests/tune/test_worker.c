/* A worker answers, or something is said of its end; either way there is a next one, and no process is left behind. */
#include "tune/worker.h"
#include "base/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 3 << 20 };

/* Does what it is told to; else gives back what it got. */
static void answer(void *kept, const message *request, message *reply, volatile worker_state *state) {
    (void)kept;
    const char order = request->size ? (char)request->bytes[0] : 0;
    if (order == 'c') worker_enter(state, STAGE_RUNNING);
    if (order == 'c') raise(SIGSEGV);
    if (order == 'e') _exit(3);
    if (order == 'h')
        for (;;) pause();
    if (order == 's') raise(SIGSTOP);
    if (order == 'm')
        for (;;) memset(malloc(1 << 20), 1, 1 << 20);
    message_add(reply, request->bytes, request->size);
}

static void *begin(void *context) { return context; }

static worker_work work_of(void) {
    return (worker_work){
        .begin = begin, .answer = answer, .context = &errno, .cpu = -1, .most_bytes = (size_t)64 << 20};
}

static const double SECONDS[WORKER_STAGES] = {0.3, 0.3, 0.3};

static worker_news tell(worker *w, const char *order) {
    message request = {0};
    message_add(&request, order, strlen(order));
    cr_assert(worker_ask(w, &request, SECONDS));
    message_free(&request);
    worker_news news = {.event = WORKER_NOTHING};
    for (const double until = clock_seconds() + 60; news.event == WORKER_NOTHING && clock_seconds() < until;)
        news = workers_wait(&w, 1, 1);
    return news;
}

static void expect_an_answer(worker *w) {
    const worker_news news = tell(w, "anything");
    cr_assert_eq(news.event, WORKER_REPLIED);
    cr_assert(news.reply->size == 8 && memcmp(news.reply->bytes, "anything", 8) == 0);
}

static void expect_no_children(void) {
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
}

Test(worker, gives_back_its_answers_however_long) {
    const worker_work work = work_of();
    worker *w = worker_new(&work);
    for (int i = 0; i < 100; i++) expect_an_answer(w);
    char *many = malloc(MANY + 1);
    memset(many, 'x', MANY);
    many[MANY] = 0;
    const worker_news news = tell(w, many);
    cr_assert(news.event == WORKER_REPLIED && news.reply->size == MANY && memcmp(news.reply->bytes, many, MANY) == 0);
    free(many);
    worker_free(w);
    expect_no_children();
}

Test(worker, that_crashes_is_named_with_its_signal_and_what_it_was_doing) {
    const worker_work work = work_of();
    worker *w = worker_new(&work);
    for (int i = 0; i < 5; i++) {
        const worker_news news = tell(w, "crash");
        cr_assert(news.event == WORKER_DIED && news.signal == SIGSEGV && news.stage == STAGE_RUNNING);
        expect_an_answer(w);
    }
    worker_free(w);
    expect_no_children();
}

Test(worker, that_leaves_has_died_without_a_signal) {
    const worker_work work = work_of();
    worker *w = worker_new(&work);
    const worker_news news = tell(w, "exit");
    cr_assert(news.event == WORKER_DIED && news.signal == 0 && news.stage == STAGE_COMPILING);
    expect_an_answer(w);
    worker_free(w);
    expect_no_children();
}

Test(worker, that_hangs_or_is_stopped_is_killed) {
    const worker_work work = work_of();
    worker *w = worker_new(&work);
    cr_assert_eq(tell(w, "hang").event, WORKER_TOO_LATE);
    expect_no_children();
    expect_an_answer(w);
    cr_assert_eq(tell(w, "stop").event, WORKER_TOO_LATE);
    expect_an_answer(w);
    worker_free(w);
    expect_no_children();
}

Test(worker, that_eats_memory_is_killed) {
    const worker_work work = work_of();
    worker *w = worker_new(&work);
    worker_news news = tell(w, "memory");
    cr_assert(news.event == WORKER_TOO_LARGE || news.event == WORKER_TOO_LATE);
    expect_an_answer(w);
    worker_free(w);
    expect_no_children();
}

Test(worker, ends_with_its_parent) {
    int end[2];
    cr_assert_eq(pipe(end), 0);
    pid_t parent = fork();
    if (parent == 0) {
        const worker_work work = work_of();
        worker *w = worker_new(&work);
        message request = {0};
        message_add(&request, "hang", 4);
        worker_ask(w, &request, (const double[]){600, 600, 600});
        raise(SIGKILL);
    }
    close(end[1]);
    waitpid(parent, NULL, 0);
    char byte;
    alarm(30);
    cr_assert_eq(read(end[0], &byte, 1), 0, "whoever has the other end is gone");
    close(end[0]);
}

Test(worker, keeps_to_its_cpu_and_off_another) {
    int count, again;
    const int last = worker_cpu(0, &count), before = worker_cpu(1, &again);
    cr_assert(count >= 1 && (count == 1) == (last < 0));
    cr_assert(count == 1 || before < last, "others have others");
    cr_assert_eq(worker_cpu(count, &again), last, "around");
    worker_stay_off(last);
    worker_stay_off(-1);
    cr_assert(worker_cpu(0, &again) == last && again == count);
}
