/* Lines of "address size name" for perf. The file's name can be foreseen and /tmp is open to all, so a link or somebody
 * else's file is left alone. */
#include "jit/tools.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void perf_map_add(const char *name, const void *address, size_t size) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (file < 0) return;
    struct stat s;
    int length =
        snprintf(line, sizeof line, "%llx %zx convoke:%s\n", (unsigned long long)(uintptr_t)address, size, name);
    bool fits = length > 0 && (size_t)length < sizeof line;
    if (fits && fstat(file, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid()) {
        ssize_t written = write(file, line, (size_t)length); /* one line at once: threads do not mix */
        (void)written;
    }
    close(file);
}
