/* Manual pages, of the same tables as `--help`. */
#include "cli/options.h"
#include "cli/print.h"
#include "target/target.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text as roff reads it: what it would take for a command or a hyphen stands for itself. */
static void put(const char *text) {
    bool begins = true;
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        begins = *text == '\n';
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

static void put_section(const char *name) { printf(".SH %s\n", name); }

/* A paragraph under a tag of its own, which is a word and what follows it. */
static void put_tagged(const char *word, const char *argument, const char *about) {
    printf(".TP\n\\fB");
    put(word);
    printf("\\fR%s", argument ? " \\fI" : "");
    if (argument) put(argument);
    printf("%s\n", argument ? "\\fR" : "");
    put(about);
}

static void put_exits(void) {
    put_section("EXIT STATUS");
#define CLI_EXIT(name, number, about) put_tagged(#number, NULL, about "\n");
#include "cli/exits.def"
#undef CLI_EXIT
}

static void put_example(const char *example) {
    put_section("EXAMPLE");
    printf(".nf\n");
    put(example);
    printf("\n.fi\n");
}

static void put_options(int verb) {
    put_section("OPTIONS");
    const option_row *row;
    for (int i = 0; (row = option_at(i)); i++) {
        if (!(row->verbs & 1u << verb)) continue;
        put_tagged(row->word, row->argument, row->about);
        if (row->fallback && *row->fallback) {
            printf(" (default: ");
            put(row->fallback);
            putchar(')');
        }
        putchar('\n');
    }
}

static void put_targets(void) {
    put_section("TARGETS");
    const cvk_target *t;
    for (int i = 0; (t = target_row(i)); i++) {
        put_tagged(t->name, NULL, t->about);
        putchar('\n');
    }
}

/* The page's title, NAME and SYNOPSIS; `verb` is "" on the page of the command. */
static void put_head(const char *verb, const char *about, const char *synopsis) {
    const char *joint = *verb ? "-" : "";
    printf(".TH CONVOKE%s", joint);
    for (const char *c = verb; *c; c++) putchar(toupper((unsigned char)*c));
    printf(" 1 \"\" \"convoke %s\"\n", CVK_VERSION);
    put_section("NAME");
    printf("convoke%s%s \\- ", joint, verb);
    put(about);
    printf("\n.SH SYNOPSIS\n.B convoke%s%s\n", *verb ? " " : "", verb);
    put(synopsis);
    putchar('\n');
}

static void put_see_also(int of) {
    put_section("SEE ALSO");
    if (of >= 0) printf(".BR convoke (1)");
    const verb_row *row;
    bool first = of < 0;
    for (int i = 0; (row = verb_at(i)); i++) {
        if (i == of) continue;
        printf("%s.BR convoke\\-%s (1)", first ? "" : ",\n", row->name);
        first = false;
    }
    putchar('\n');
}

static void print_command(void) {
    put_head("", "a compiler for convolutions", "VERB ARGUMENT...");
    put_section("DESCRIPTION");
    put("Turns a YAML description of convolution layers into machine code for exactly those layers.\n");
    put_section("VERBS");
    const verb_row *row;
    for (int i = 0; (row = verb_at(i)); i++) {
        put_tagged(row->name, NULL, row->about);
        putchar('\n');
    }
    put_section("OPTIONS");
    put_tagged("--help, -h", NULL, "print a summary of this and exit; after a verb, one of that verb\n");
    put_tagged("--version, -V", NULL, "print the version and exit\n");
    put_exits();
    put_example("convoke check specs/resnet50.yaml");
    put_see_also(-1);
}

void print_manual(int verb) {
    if (verb < 0) {
        print_command();
        return;
    }
    const verb_row *row = verb_at(verb);
    char synopsis[128];
    snprintf(synopsis, sizeof synopsis, "%s [OPTION...]", row->operands);
    put_head(row->name, row->about, synopsis);
    put_section("DESCRIPTION");
    put(row->description);
    putchar('\n');
    put_options(verb);
    put_targets();
    put_exits();
    put_example(row->example);
    put_see_also(verb);
}
