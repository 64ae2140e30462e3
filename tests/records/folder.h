/* What the tests of records share: a folder that is gone afterwards, and records to put there. */
#ifndef CVK_TESTS_RECORDS_FOLDER_H
#define CVK_TESTS_RECORDS_FOLDER_H

#include "records/database.h"

#include <criterion/criterion.h>

typedef struct folder {
    char path[64];
} folder;

folder folder_make(void);
void folder_remove(const folder *f);
/* The one file of a folder of one; the test fails if there is not exactly one. */
const char *folder_file(const folder *f, arena *a);

/* A trial of a layer, told from others by its number. */
record trial_record(int64_t number);
cvk_network *parse_layer(const char *yaml);
extern const char one_layer[];
/* Its first layer's plan by the model. */
cvk_plan model_plan(arena *a, const cvk_spec *spec, goal aim, int rank);

long amount(const char *variable, long otherwise);

#endif
