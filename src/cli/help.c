/* `--help`, of the command and of each verb, from the tables. */
#include "cli/options.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_COLUMN = 20, TARGET_COLUMN = 22 };

/* Text with each line indented by two. */
static void print_indented(const char *text) {
    while (*text) {
        size_t length = strcspn(text, "\n");
        printf("  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_exits(void) {
    printf("\nEXIT STATUS\n");
#define CLI_EXIT(name, number, about) printf("  %d  %s\n", number, about);
#include "cli/exits.def"
#undef CLI_EXIT
}

static void print_options(int verb) {
    printf("\nOPTIONS\n");
    const option_row *row;
    for (int i = 0; (row = option_at(i)); i++) {
        if (!(row->verbs & 1u << verb)) continue;
        int width = printf("  %s%s%s", row->word, row->argument ? " " : "", row->argument ? row->argument : "");
        printf("%*s%s", width < OPTION_COLUMN ? OPTION_COLUMN - width : 1, "", row->about);
        if (row->fallback && *row->fallback) printf(" (default: %s)", row->fallback);
        putchar('\n');
    }
}

static void print_target_rows(void) {
    printf("\nTARGETS\n");
    const cvk_target *t;
    for (int i = 0; (t = target_row(i)); i++) printf("  %-*s%s\n", TARGET_COLUMN, t->name, t->about);
}

void help_verb(int verb) {
    const verb_row *row = verb_at(verb);
    printf("convoke %s - %s\n\nSYNOPSIS\n  convoke %s %s [OPTION...]\n\nDESCRIPTION\n", row->name, row->about,
           row->name, row->operands);
    print_indented(row->description);
    print_options(verb);
    print_target_rows();
    print_exits();
    printf("\nEXAMPLE\n");
    print_indented(row->example);
}

void help_command(void) {
    printf(
        "convoke - a compiler for convolutions\n\nSYNOPSIS\n  convoke VERB ARGUMENT...\n  convoke VERB --help, or -h, or convoke help [VERB]\n"
        "  convoke --version, or -V\n\nDESCRIPTION\n  Turns a YAML description of convolution layers into machine code for\n"
        "  exactly those layers.\n\nVERBS\n");
    const verb_row *row;
    for (int i = 0; (row = verb_at(i)); i++) printf("  %-*s%s\n", OPTION_COLUMN - 2, row->name, row->about);
    print_exits();
    printf("\nEXAMPLE\n  convoke check specs/resnet50.yaml\n");
}
