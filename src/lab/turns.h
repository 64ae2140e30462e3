/* A challenger against an incumbent: both timed in turns, so that a machine that drifts moves both, and judged by the
 * turns' ratios. What trials, matches and effort `measure` decide by. */
#ifndef CVK_LAB_TURNS_H
#define CVK_LAB_TURNS_H

#include "lab/measure.h"

enum { TURNS_MOST = 201, TURNS_FEWEST = 2 };

/* How many turns to take. */
typedef struct turns_wanted {
    int least, most;
    double seconds; /* of all turns: once they took as long, `least` are enough */
    double
        spread; /* > 0: but only where the quartiles of their ratios are no further apart, as a share of the median */
    double hopeless; /* > 0: a challenger that loses each of its first n turns by a share of more than hopeless / n²
                        gets no more, from TURNS_FEWEST on */
} turns_wanted;

/* Seconds a run in each turn. */
typedef struct turns {
    int count;
    double challenger[TURNS_MOST], incumbent[TURNS_MOST];
} turns;

typedef struct turns_verdict {
    double challenger, incumbent; /* seconds a run: medians */
    double ratio, low, high;      /* of the turns' ratios the median, the first quartile and the third */
    int turns, wins;              /* in which the challenger was faster; what is equal is none */
    double chance; /* that of so many turns as many or more were won if either were as likely to win: the sign test */
} turns_verdict;

void turns_take(const measured *challenger, const measured *incumbent, const turns_wanted *wanted, turns *to);
/* With the challenger's times multiplied by `handicap`. */
turns_verdict turns_judge(const turns *t, double handicap);
/* Of `count` throws of a coin, `wins` heads or more; exact but for rounding. */
double turns_chance(int wins, int count);

/* What a match takes, and the chance below which it is won: where several challenge one incumbent, each gets its share
 * of it. */
extern const turns_wanted turns_of_match;
extern const double turns_match_level;

#endif
