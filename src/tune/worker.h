/* A worker: a process of its own for work that may crash, hang or eat all memory. It is forked from this one, which has
 * to have a single thread, so it knows what its parent knew then; requests and replies are bytes. When it dies, or is
 * killed for what it did, the next request gets a new one. */
#ifndef CVK_TUNE_WORKER_H
#define CVK_TUNE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; of malloc. */
typedef struct message {
    unsigned char *bytes;
    size_t size, capacity;
} message;

/* False: out of memory, and the message is as it was. */
bool message_add(message *m, const void *bytes, size_t size);
void message_free(message *m);

/* What a worker is doing, by its own word. Each may take its time, and says what a worker died of. */
typedef enum worker_stage { STAGE_COMPILING, STAGE_JUDGING, STAGE_RUNNING, WORKER_STAGES } worker_stage;

/* Shared with the parent. */
typedef struct worker_state {
    worker_stage stage;
    double since; /* by clock_seconds */
} worker_state;

void worker_enter(volatile worker_state *state, worker_stage stage);

typedef struct worker_work {
    /* In the worker: called once for what it is to keep between requests. NULL: nothing, or out of memory. */
    void *(*begin)(void *context);
    /* In the worker: from a request to a reply, telling the parent what is being done. */
    void (*answer)(void *kept, const message *request, message *reply, volatile worker_state *state);
    void *context;
    int cpu; /* -1: any; else it stays there, or with `others` everywhere but there */
    bool others;
    size_t most_bytes; /* of memory in use beyond the parent's; 0: any */
} worker_work;

typedef struct worker worker;

/* No process yet. `work` stays where it is. NULL: out of memory. */
worker *worker_new(const worker_work *work);
/* Kills it. */
void worker_free(worker *w);
/* Kills its process, whatever it is at: the next request gets a new one. */
void worker_renew(worker *w);
/* Hands over a request; no stage may take longer than its seconds. One at a time. False: no worker can be made; errno.
 */
bool worker_ask(worker *w, const message *request, const double seconds[WORKER_STAGES]);
bool worker_is_busy(const worker *w);

typedef enum worker_event {
    WORKER_NOTHING, /* the time to wait has passed, or a signal came */
    WORKER_REPLIED,
    WORKER_DIED,     /* by a signal, or by itself */
    WORKER_TOO_LATE, /* and was killed */
    WORKER_TOO_LARGE /* and was killed */
} worker_event;

typedef struct worker_news {
    worker_event event;
    int which;            /* of the workers */
    int signal;           /* of WORKER_DIED: which; 0: it left */
    worker_stage stage;   /* what it was at */
    const message *reply; /* the worker's, until it is asked again */
} worker_news;

/* Keeps the calling process away from a CPU, or with `cpu` -1 lets it go where it might go when it first called. */
void worker_stay_off(int cpu);
/* Of the CPUs that this process may run on, counted from the last, around and around; -1: there is but one. `count`
 * gets how many. */
int worker_cpu(int from_last, int *count);

/* Waits until something happens to one of them that are busy, at most so many seconds. */
worker_news workers_wait(worker *const *workers, int count, double seconds);

#endif
