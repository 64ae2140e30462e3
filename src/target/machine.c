/* Read from /proc/cpuinfo, whose lines differ between architectures. */
#include "target/machine.h"

#include <stdio.h>
#include <string.h>

static const char *const KINDS[] = {"vendor_id", "cpu family",      "model",       "model name", "stepping",
                                    "uarch",     "CPU implementer", "CPU variant", "CPU part",   "CPU revision",
                                    "mvendorid", "marchid",         "mimpid",      "isa"};

static bool tells_kind(const char *line) {
    size_t length = strcspn(line, "\t:");
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (strlen(KINDS[i]) == length && strncmp(line, KINDS[i], length) == 0) return true;
    return false;
}

/* The first of the CPUs ends with an empty line. */
void machine_print_cpu(text *out) {
    char line[512];
    FILE *f = fopen("/proc/cpuinfo", "re");
    bool first = true;
    while (f && fgets(line, sizeof line, f) && *line != '\n') {
        const char *value = strchr(line, ':');
        if (!value || !tells_kind(line)) continue;
        value += 1 + (value[1] == ' ');
        text_add(out, "%s%.*s", first ? "" : ", ", (int)strcspn(value, "\n"), value);
        first = false;
    }
    if (f) fclose(f);
}
