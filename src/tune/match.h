/* The end of a layer's search: the best few against the model's pick, in so many turns that chance is out. */
#ifndef CVK_TUNE_MATCH_H
#define CVK_TUNE_MATCH_H

#include "tune/crew.h"

/* Records what was crowned, or came nearest to it. `key` is the layer's. Nothing is held, and `to` is the last match or
 * has no plan, where the pick cannot be used, where the last match was among as many trials, or where it was stopped.
 */
cvk_status match_hold(const tune_setup *setup, crew *c, const search *s, const record *key, record *to);

#endif
