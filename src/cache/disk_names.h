/* The names of files in the disk cache. */
#ifndef CVK_CACHE_DISK_NAMES_H
#define CVK_CACHE_DISK_NAMES_H

#define DISK_ENTRY_END ".cvk"
#define DISK_TEMPORARY ".writing-"
#define DISK_LOCK ".lock"
#define DISK_FIGURES_END ".figures" /* lab/calibration.h */
#define DISK_FIGURES_LOCK ".measuring"

enum { DISK_NAME_SIZE = 64 };

#endif
