/* A kernel that leaves its buffers meets a guard page: the last words say whose it was. */
#ifndef CVK_CLI_FAULT_H
#define CVK_CLI_FAULT_H

/* Until fault_expect_none: a fault ends the program with CLI_WRONG and the words "PATH: layer NAME touched memory
 * outside its buffers; plan PLAN". */
void fault_expect(const char *path, const char *name, const char *plan);
void fault_expect_none(void);

#endif
