/* Reader: one layer while it is read. spec/read.c walks the file, spec/read_field.c reads a value. */
#ifndef CVK_SPEC_READER_H
#define CVK_SPEC_READER_H

#include "spec/constants.h"
#include "spec/fields.h"
#include "spec/report.h"

/* What a layer says before its words are resolved to numbers. */
typedef struct draft {
    cvk_spec spec;
    padding_word padding;
    direction direction;
    constants constants;
    bool depthwise, output_padding; /* whether these words are said */
    bool unknown_kind;              /* what is said of it is no kind */
    const node *pooled;             /* the post-ops among which a pool stands, and where: it and what follows it are */
    size_t pool_at;                 /* layers of a chain; NULL: none */
    const node *then;               /* the layers that follow; NULL: none */
    place at[FIELDS];               /* of each value; of the layer where a key is absent */
} draft;

typedef struct reader {
    report *report;
    arena *arena;           /* of what the layer keeps */
    const char *owner;      /* "layers[2]" or "defaults" */
    const field_row *field; /* being read */
    bool inherited;         /* its value is from `defaults` */
    bool complete;          /* every value so far is known, so the rules can be applied */
    int rank;               /* 0 until `input` is known, and in `defaults` */
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
/* Those from number `first` on. */
void read_post_ops_from(reader *r, const node *n, size_t first);
/* The pool that a post-op is, or LAYER_CONVOLUTION where it is none. */
layer_kind post_op_pool(const node *n);

/* Words of a complete draft become numbers, and the layer is judged as a whole. */
void settle(reader *r);
/* The chain that begins with a settled layer, where others follow: `fallback` as in a document, by field. */
void read_chain(reader *r, const node *const *fallback);

/* True for [A-Za-z_][A-Za-z0-9_]*. */
bool is_name(const char *word);

/* Reads the whole document into `network`, whose arena it uses. */
void spec_read(struct cvk_network *network, const node *root, report *r);

#endif
