/* Reader: one layer while it is read. spec/read.c walks the file, spec/read_field.c reads a value. */
#ifndef CVK_SPEC_READER_H
#define CVK_SPEC_READER_H

#include "spec/fields.h"
#include "spec/report.h"

/* What a layer says before its words are resolved to numbers. */
typedef struct draft {
    cvk_spec spec;
    padding_word padding;
    direction direction;
    bool depthwise, output_padding; /* whether these words are said */
    bool unknown_kind;              /* what is said of it is no kind */
    bool layout;                    /* whether one is said */
    int input, operand_count;       /* in a file with `inputs`, tensors of its graph */
    int operand[MOST_POST_OPS];     /* of post-ops, in their order */
    place operand_at[MOST_POST_OPS];
    place at[FIELDS]; /* of each value; of the layer where a key is absent */
} draft;

typedef struct reader {
    report *report;
    arena *arena;           /* of what the layer keeps */
    const char *owner;      /* "layers[2]" or "defaults" */
    const field_row *field; /* being read */
    bool inherited;         /* its value is from `defaults` */
    bool complete;          /* every value so far is known, so the rules can be applied */
    int rank;               /* 0 until `input` is known, and in `defaults` */
    struct edges *edges;    /* NULL in a file without `inputs`, whose layers do not feed one another */
    draft draft;
} reader;

/* Reads the value of r->field into the draft. */
void read_field(reader *r, const node *value);

/* Refuses a value: the message follows the path of the field. Clears `complete`. */
void refuse(reader *r, diag_code code, const node *at, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Parts of a value, refused where they are not what they should be: false, and -1. */
bool read_decimal(reader *r, const node *n, double *value);
int read_word(reader *r, const node *n, const word_list *list);
void read_post_ops(reader *r, const node *n);

/* True for [A-Za-z_][A-Za-z0-9_]*. */
bool is_name(const char *word);

/* Reads the whole document into `network`, whose arena it uses. */
void spec_read(struct cvk_network *network, const node *root, report *r);

#endif
