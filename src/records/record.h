/* A record: one line of JSON that says what a tuner tried and what came of it. records/fields.def has the members. */
#ifndef CVK_RECORDS_RECORD_H
#define CVK_RECORDS_RECORD_H

#include "spec/spec.h"
#include "target/goal.h"

typedef enum record_kind { RECORD_TRIAL, RECORD_MATCH, RECORD_KINDS } record_kind;

/* The words of Kernel Tuner's T4 results, for why a configuration has no time. */
typedef enum record_outcome {
    OUTCOME_CORRECT,
    OUTCOME_TIMEOUT,     /* it hung, or took so many times the best */
    OUTCOME_COMPILE,     /* the compiler refused it, crashed, or outgrew its memory */
    OUTCOME_RUNTIME,     /* it crashed, outgrew its memory or left its buffers */
    OUTCOME_CORRECTNESS, /* another result than the interpreter's, or one that is not proven */
    OUTCOME_CONSTRAINTS, /* the plan does not fit its layer */
    OUTCOMES
} record_outcome;

typedef const char *record_TEXT;
typedef double record_NUMBER; /* NAN: there is none */
typedef int64_t record_INTEGER;
typedef bool record_FLAG;
typedef record_kind record_KIND;
typedef record_outcome record_OUTCOME;

/* Texts are never NULL, and are somebody else's. */
typedef struct record {
#define RECORD(member, kind, about) record_##kind member;
#include "records/fields.def"
#undef RECORD
} record;

typedef enum record_type {
    RECORD_TEXT,
    RECORD_NUMBER,
    RECORD_INTEGER,
    RECORD_FLAG,
    RECORD_KIND,
    RECORD_OUTCOME
} record_type;

/* A row of the table. */
typedef struct record_field {
    const char *name, *about;
    record_type type;
    size_t offset;
} record_field;

/* NULL past the end. */
const record_field *record_field_row(int index);
extern const char *const record_kind_words[RECORD_KINDS];
extern const char *const record_outcome_words[OUTCOMES];

/* No text, no numbers. */
record record_new(void);
/* The members that make two records of one thing: the layer but for its name and its schedule, the target, the threads,
 * this machine, this LLVM and this convoke. Arena-owned. */
record record_of(arena *a, const cvk_spec *spec, goal aim);
/* The same without a layer: this machine, this LLVM and this convoke. */
record record_of_now(arena *a);
/* Whether what one record says holds where the other does. */
bool record_same_key(const record *a, const record *b);
bool record_same_version(const record *a, const record *b);

/* One line without its end, from malloc; NULL: out of memory. The same record gives the same bytes. */
char *record_print(const record *r);
/* Numbers become what a line has of them: who decides by a record decides alike when it is read back. */
void record_settle(record *r);
/* Reads a line back; texts go to the arena. Members that are not known are ignored. False: it is no record. */
bool record_parse(arena *a, const char *line, size_t length, record *r);

/* The plans of a schedule's text, arena-owned; false: it is none that this convoke reads. */
bool record_plan(arena *a, const char *schedule, layer_plan *plan);
/* The layer of a record's text; NULL: none that this convoke reads. Arena-owned. */
const cvk_spec *record_spec(arena *a, const record *r);

#endif
