/* Workers behind a pair of sockets each. A message is its size and its bytes. The parent never waits for a worker but
 * in workers_wait: it reads what there is, looks at clocks and at the workers' memory, and kills. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "tune/worker.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORKERS = 64, READ_BYTES = 1 << 16, LOOK_MILLISECONDS = 20 };
static const double LOOK_SECONDS = 20e-3, NOTICEABLE = 0.2;

struct worker {
    const worker_work *work;
    pid_t process; /* 0: none */
    int socket;
    volatile worker_state *state; /* shared with it */
    bool busy;
    double seconds[WORKER_STAGES]; /* that its stages may take */
    double grace;                  /* seconds in which the parent itself did not run, nor perhaps the worker */
    message reply;                 /* as far as it has come, its size before it */
    size_t usual_bytes;
};

/* ---- messages ---- */

bool message_add(message *m, const void *bytes, size_t size) {
    if (m->capacity - m->size < size) {
        size_t capacity = 2 * (m->size + size);
        unsigned char *grown = realloc(m->bytes, capacity);
        if (!grown) return false;
        m->bytes = grown;
        m->capacity = capacity;
    }
    if (size) memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
    return true;
}

void message_free(message *m) {
    free(m->bytes);
    *m = (message){0};
}

static bool send_all(int to, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = send(to, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static bool receive_all(int from, void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = recv(from, (char *)bytes + done, size - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static bool send_message(int to, const message *m) {
    return send_all(to, &m->size, sizeof m->size) && send_all(to, m->bytes, m->size);
}

/* ---- in the worker ---- */

static bool receive_message(int from, message *m) {
    size_t size;
    m->size = 0;
    if (!receive_all(from, &size, sizeof size)) return false;
    if (m->capacity < size) {
        unsigned char *grown = realloc(m->bytes, size);
        if (!grown) return false;
        m->bytes = grown;
        m->capacity = size;
    }
    m->size = size;
    return receive_all(from, m->bytes, size);
}

void worker_enter(volatile worker_state *state, worker_stage stage) {
    state->since = clock_seconds();
    state->stage = stage;
}

static void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* It ends with its parent, leaves no core, says nothing, and leaves Ctrl-C to its parent. */
static void settle(pid_t parent, const worker_work *work) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) signal(faults[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (work->cpu >= 0 && work->others) worker_stay_off(work->cpu);
    if (work->cpu >= 0 && !work->others) stay_on(work->cpu);
}

static _Noreturn void serve(const worker *w, int parent) {
    void *kept = w->work->begin ? w->work->begin(w->work->context) : w->work->context;
    message request = {0}, reply = {0};
    while (kept && receive_message(parent, &request)) {
        reply.size = 0;
        w->work->answer(kept, &request, &reply, w->state);
        if (!send_message(parent, &reply)) break;
    }
    _exit(0);
}

/* ---- in the parent ---- */

worker *worker_new(const worker_work *work) {
    worker *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->work = work;
    w->socket = -1;
    void *shared = mmap(NULL, sizeof *w->state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        free(w);
        return NULL;
    }
    w->state = shared;
    return w;
}

/* Its bytes of memory that are in use; 0: it is not known. */
static size_t resident_bytes(pid_t process) {
    char path[64];
    unsigned long all, resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)process);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    if (fscanf(f, "%lu %lu", &all, &resident) != 2) resident = 0;
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static bool start(worker *w) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return false;
    const pid_t parent = getpid();
    w->process = fork();
    if (w->process == 0) {
        close(pair[0]);
        settle(parent, w->work);
        serve(w, pair[1]);
    }
    int reason = errno;
    close(pair[1]);
    if (w->process < 0) {
        close(pair[0]);
        w->process = 0;
        errno = reason;
        return false;
    }
    w->socket = pair[0];
    w->usual_bytes = resident_bytes(getpid());
    return true;
}

/* Until the process has ended; gives what waitpid says. */
static int await(worker *w) {
    int how = 0;
    while (waitpid(w->process, &how, 0) < 0 && errno == EINTR) {
    }
    close(w->socket);
    w->process = 0;
    w->socket = -1;
    w->busy = false;
    return how;
}

static int end(worker *w) {
    if (!w->process) return 0;
    kill(w->process, SIGKILL);
    return await(w);
}

void worker_free(worker *w) {
    if (!w) return;
    end(w);
    munmap((void *)w->state, sizeof *w->state);
    message_free(&w->reply);
    free(w);
}

void worker_renew(worker *w) { end(w); }

bool worker_is_busy(const worker *w) { return w->busy; }

bool worker_ask(worker *w, const message *request, const double seconds[WORKER_STAGES]) {
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!w->process && !start(w)) return false;
        worker_enter(w->state, STAGE_COMPILING);
        w->reply.size = 0;
        w->grace = 0;
        memcpy(w->seconds, seconds, sizeof w->seconds);
        w->busy = true;
        if (send_message(w->socket, request)) return true;
        end(w); /* it died meanwhile, having nothing to do */
    }
    return false;
}

/* Reads what there is. 1: the reply is whole; 0: not yet; -1: there is nobody to send it. */
static int read_reply(worker *w) {
    static unsigned char bytes[READ_BYTES];
    ssize_t n;
    while ((n = recv(w->socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        if (!message_add(&w->reply, bytes, (size_t)n)) return -1;
    size_t size;
    if (w->reply.size >= sizeof size) {
        memcpy(&size, w->reply.bytes, sizeof size);
        if (w->reply.size == sizeof size + size) return 1;
    }
    return n == 0 || (errno != EAGAIN && errno != EINTR) ? -1 : 0;
}

/* The reply without its size. */
static const message *take_reply(worker *w) {
    w->reply.size -= sizeof(size_t);
    memmove(w->reply.bytes, w->reply.bytes + sizeof(size_t), w->reply.size);
    w->busy = false;
    return &w->reply;
}

/* What is left of one that died, or is to die. */
static worker_news bury(worker *w, int which, worker_event event) {
    worker_news news = {.event = event, .which = which, .stage = w->state->stage};
    int how = event == WORKER_DIED ? await(w) : end(w);
    if (event == WORKER_DIED && WIFSIGNALED(how)) news.signal = WTERMSIG(how);
    return news;
}

static bool is_too_large(const worker *w) {
    return w->work->most_bytes && resident_bytes(w->process) > w->usual_bytes + w->work->most_bytes;
}

/* A stage that began meanwhile is read with the time of the one before at worst. */
static bool is_too_late(const worker *w) {
    const double since = w->state->since;
    return clock_seconds() > since + w->seconds[w->state->stage] + w->grace;
}

/* What has happened to one that is busy. */
static worker_news look_at(worker *w, int which) {
    int whole = read_reply(w);
    if (whole > 0) return (worker_news){.event = WORKER_REPLIED, .which = which, .reply = take_reply(w)};
    if (whole < 0) return bury(w, which, WORKER_DIED);
    if (is_too_late(w)) return bury(w, which, WORKER_TOO_LATE);
    if (is_too_large(w)) return bury(w, which, WORKER_TOO_LARGE);
    return (worker_news){.event = WORKER_NOTHING};
}

/* False: interrupted. Where the process was stopped meanwhile, its workers will have been, too. */
static bool wait_a_moment(worker *const *workers, int count) {
    struct pollfd sockets[MOST_WORKERS];
    for (int i = 0; i < count; i++) sockets[i] = (struct pollfd){workers[i]->busy ? workers[i]->socket : -1, POLLIN, 0};
    const double begin = clock_seconds();
    bool waited = poll(sockets, (nfds_t)count, LOOK_MILLISECONDS) >= 0;
    const double lost = clock_seconds() - begin - LOOK_SECONDS;
    for (int i = 0; i < count && lost > NOTICEABLE; i++) workers[i]->grace += lost;
    return waited;
}

worker_news workers_wait(worker *const *workers, int count, double seconds) {
    const double until = clock_seconds() + seconds;
    for (;;) {
        for (int i = 0; i < count; i++) {
            worker_news news = workers[i]->busy ? look_at(workers[i], i) : (worker_news){.event = WORKER_NOTHING};
            if (news.event != WORKER_NOTHING) return news;
        }
        if (clock_seconds() >= until || !wait_a_moment(workers, count)) return (worker_news){.event = WORKER_NOTHING};
    }
}

/* ---- CPUs ---- */

/* Those that this process might run on when it was first asked. */
static cpu_set_t own_cpus(void) {
    static cpu_set_t own;
    static bool asked;
    if (!asked) CPU_ZERO(&own);
    if (!asked) sched_getaffinity(0, sizeof own, &own);
    asked = true;
    return own;
}

int worker_cpu(int from_last, int *count) {
    const cpu_set_t own = own_cpus();
    *count = CPU_COUNT(&own);
    int skip = *count > 1 ? from_last % *count : -1;
    for (int i = CPU_SETSIZE - 1; i >= 0 && skip >= 0; i--)
        if (CPU_ISSET((size_t)i, &own) && skip-- == 0) return i;
    return -1;
}

void worker_stay_off(int cpu) {
    cpu_set_t set = own_cpus();
    if (cpu >= 0) CPU_CLR((size_t)cpu, &set);
    if (CPU_COUNT(&set)) sched_setaffinity(0, sizeof set, &set);
}
