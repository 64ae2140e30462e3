/* Databases of records as the verbs name them: read together, and written to. */
#ifndef CVK_CLI_DATABASE_H
#define CVK_CLI_DATABASE_H

#include "cli/session.h"
#include "records/database.h"

/* The records of all folders, each once, that --layer leaves. */
cli_exit database_gather(session *s, arena *a, char *const *folders, int count, record_list *list);
/* One file of all of them, whole or not at all, in a folder that is made if it is not there; its name says what is in
 * it, so the same records make the same file. `name` may be NULL. Without records none is written. */
cli_exit database_write(session *s, arena *a, const char *folder, const record_list *list, const char **name);
/* The same of those that are not there yet. */
cli_exit database_add(session *s, arena *a, const char *folder, const record_list *list);

/* A name like --layer's regular expression, or any where none is given; anything but CLI_DONE has been said. */
cli_exit database_pick(const cli_options *o, arena *a, const record_list *from, record_list *to);
/* A record's schedule in a few words, or as it stands where this convoke cannot read it. */
const char *database_brief(arena *a, const char *schedule);

#endif
