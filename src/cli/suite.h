/* A suite: the layers of a session, as the options change them; and what is said of the layers of each file together.
 */
#ifndef CVK_CLI_SUITE_H
#define CVK_CLI_SUITE_H

#include "cli/table.h"

/* Gives all layers the accuracy and the layout that the options ask for. Copies live in the arena. */
cli_exit suite_override(session *s, arena *a);

/* One figure of every layer. */
typedef struct suite_figure {
    const char *name;  /* for programs */
    const char *about; /* for people */
    const char *format;
    bool greatest_is_worst;
    double *value; /* one a layer; NAN: this layer has none */
} suite_figure;

/* Geometric means and worst layers, file by file and, if there are several, of all: on stdout, if it is for people, and
 * as JSON. `layers` are those that the values belong to. Figures that no layer has are left out. */
json_t *suite_report(const session *s, const session_layer *const *layers, size_t count, const suite_figure *figures,
                     size_t figure_count);

#endif
