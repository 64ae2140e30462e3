/* Statuses as sentences: the rows of status.def as a table. */
#include <convoke/runtime.h>

static const char *const texts[] = {
#define CVK_STATUS(name, text) [CVK_##name] = (text),
#include <convoke/status.def>
#undef CVK_STATUS
};

const char *cvk_status_text(cvk_status status) {
    size_t row = (size_t)status;
    return row < sizeof texts / sizeof *texts ? texts[row] : "no such status";
}
