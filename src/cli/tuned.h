/* --tuned: plans that a database knows become the schedules of their layers. */
#ifndef CVK_CLI_TUNED_H
#define CVK_CLI_TUNED_H

#include "cli/session.h"
#include "lab/network.h"
#include "records/known.h"

/* Opens what --tuned names; NULL where it is not given. Anything but CLI_DONE has been said. */
cli_exit tuned_open(session *s, arena *a, const known_plans **to);
/* A layer for a target, with its plan as its schedule if one is known; `known` may be NULL. What is missing is counted
 * in the session, for tuned_report. */
const cvk_spec *tuned_layer(session *s, arena *a, const known_plans *known, const cvk_spec *spec,
                            const cvk_target *target, const char **origin);
/* Says of how many layers nothing is known that holds here, and why, of the first. */
void tuned_report(const session *s);

/* All of that for the session's layers and its one target; `networks`: also for those that are in a network. They live
 * in the arena. */
cli_exit tuned_apply(session *s, arena *a, bool networks);

/* A network's steps, each kernel's layer with its plan. */
cli_exit tuned_network(session *s, arena *a, const session_file *file, ready_network *r);

#endif
