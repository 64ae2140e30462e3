/* Folders to write to. */
#ifndef CVK_FILES_FOLDERS_H
#define CVK_FILES_FOLDERS_H

#include <stdbool.h>

/* Makes the folder and those above it that are not there. False: errno says why not. */
bool folders_make(const char *path);

#endif
