/* Cosines of binary parts of a turn are the nearest doubles there are, on every machine. */
#include "base/turn.h"

#include <criterion/criterion.h>
#include <math.h>

/* Of 100 digits, those that the long double function of a C library gets wrong among them. */
Test(turn, cosines_are_the_nearest_doubles) {
    static const struct {
        int64_t part;
        int halvings;
        double cosine;
    } known[] = {
        {0, 0, 1},
        {1, 1, -1},
        {1, 2, 0},
        {1, 3, 0x1.6a09e667f3bcdp-1},
        {245, 10, 0x1.1440134d709b3p-4},
        {679, 10, -0x1.09e907417c5e1p-1},
        {1535, 11, -0x1.921f8becca4bap-9},
        {1017, 12, 0x1.5fda037ac05e1p-7},
        {1037, 12, -0x1.46b4381fce81bp-6},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_expect_eq(turn_cosine(known[i].part, known[i].halvings), known[i].cosine, "row %zu", i);
}

Test(turn, cosines_have_the_symmetries_of_a_turn_to_the_last_bit) {
    enum { HALVINGS = 11, TURN = 1 << HALVINGS };
    for (int64_t i = 0; i < TURN; i++) {
        const double c = turn_cosine(i, HALVINGS), s = turn_cosine(i - TURN / 4, HALVINGS);
        cr_assert_eq(turn_cosine(-i, HALVINGS), c);
        cr_assert_eq(turn_cosine(i + TURN, HALVINGS), c);
        cr_assert_eq(turn_cosine(i + TURN / 2, HALVINGS), -c);
        cr_assert_eq(turn_cosine(2 * i, HALVINGS + 1), c);
        cr_assert_leq(fabs(c * c + s * s - 1), 0x1p-52);
    }
}
