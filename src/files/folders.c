/* Folders are made from the first down. Those above may be there and not ours to make, so only the last one's failure
 * is one. */
#include "files/folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool make(const char *path) { return mkdir(path, 0777) == 0 || errno == EEXIST; }

bool folders_make(const char *path) {
    char *part = strdup(path);
    if (!part) return false;
    for (char *slash = part + strspn(part, "/"); (slash = strchr(slash, '/'));) {
        *slash = '\0';
        make(part);
        *slash = '/';
        slash += strspn(slash, "/");
    }
    bool made = make(part);
    int reason = errno;
    free(part);
    errno = reason;
    return made;
}
