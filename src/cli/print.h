/* What `convoke print` prints to standard output, each made of the tables that also drive the command. */
#ifndef CVK_CLI_PRINT_H
#define CVK_CLI_PRINT_H

void print_schema(void);
void print_bash(void);
void print_zsh(void);
void print_fish(void);
/* What --target takes: the rows of targets.def, and the CPUs with the row each stands for. */
void print_targets(void);
void print_cpus(void);
/* What --peer takes: the peers there are and where, and what the others need. */
void print_peers(void);
/* The manual page of a verb, in roff's man macros; -1: of the command itself. */
void print_manual(int verb);

#endif
