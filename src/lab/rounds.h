/* A match in rounds, each the turns of a process of its own. The turns of one process have in common where its memory
 * lies and what else the machine did in that moment: they say how well that process can be measured, and not what the
 * next finds. Rounds say so. */
#ifndef CVK_LAB_ROUNDS_H
#define CVK_LAB_ROUNDS_H

#include "lab/turns.h"

/* So many that a challenger may lose one of them and have won the match against two others'. */
enum { ROUNDS = 12 };

/* Of each round its medians. */
typedef struct rounds {
    int count, turns;
    double challenger[ROUNDS], incumbent[ROUNDS], ratio[ROUNDS];
} rounds;

typedef struct rounds_verdict {
    double challenger, incumbent; /* seconds a run: medians of the rounds' */
    double ratio;                 /* the median of the rounds' */
    double low, high;             /* between which one more round's ratio falls, 95 times in 100 */
    int rounds, turns;
    int wins;      /* rounds whose ratio is below 1 */
    double chance; /* that of so many rounds as many or more were won if either were as likely to win: the sign test */
} rounds_verdict;

void rounds_add(rounds *r, const turns_verdict *round);
rounds_verdict rounds_judge(const rounds *r);

/* What each takes: together as long as turns_of_match. */
extern const turns_wanted turns_of_round;

#endif
