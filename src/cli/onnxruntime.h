/* A rival of whole networks: npm's onnxruntime-node runs the model, in a process of its own, a run at a time. */
#ifndef CVK_CLI_ONNXRUNTIME_H
#define CVK_CLI_ONNXRUNTIME_H

#include "cli/session.h"

#include <stdio.h>
#include <sys/types.h>

#define ONNXRUNTIME "onnxruntime"

typedef struct onnxruntime {
    pid_t process; /* 0: there is none */
    FILE *to, *from;
    char version[32];
} onnxruntime;

/* The model, with inputs like those of the table of `batch` images; it has run once. Anything but CLI_DONE has been
 * explained on stderr. */
cli_exit onnxruntime_open(const char *model, const cvk_network_info *info, int64_t batch, uint32_t threads, arena *a,
                          onnxruntime *o);
/* Seconds of a run by its own clock, after one that is not counted; NAN: it is gone. Between runs it is stopped: its
 * threads would go on looking for work, on the CPUs that others are timed on. */
double onnxruntime_run(onnxruntime *o);
void onnxruntime_close(onnxruntime *o);

#endif
