/* Messages: copied one by one, in their order. */
#include "api/messages.h"

#include "base/diag.h"

void messages_append(cvk_diagnostics *to, const cvk_diagnostics *from) {
    for (size_t i = 0; i < cvk_diagnostics_count(from); i++) {
        const cvk_diagnostic *m = cvk_diagnostics_get(from, i);
        place at = {m->file, m->line, m->column};
        if (m->severity == CVK_SEVERITY_NOTE)
            diag_note(to, (diag_code)m->code, at, "%s", m->message);
        else
            diag_error(to, (diag_code)m->code, at, m->hint, "%s", m->message);
    }
}
