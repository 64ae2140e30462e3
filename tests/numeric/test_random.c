/* Random layers, each with many plans. */
#include "campaign.h"
#include "random_chain.h"
#include "random_layer.h"

#include <criterion/criterion.h>

#ifndef CASES
#define CASES 700 /* fewer where sanitizers make each of them slow */
#endif

#ifndef CHAINS
#define CHAINS 120
#endif

static cvk_spec layer(draws *d, int number, const void *layers) {
    (void)number, (void)layers;
    return random_layer(d, "layer");
}

Test(numeric, random_layers) {
    campaign c = {.test = "numeric/random_layers",
                  .seed = (uint64_t)environment_number("CVK_SEED", 1),
                  .cases = (int)environment_number("CVK_CASES", CASES),
                  .layer = layer,
                  .plans = 7,
                  .other_plans = 2,
                  .walks = 1,
                  .percent_every_plan = 5};
    campaign_tally done;
    int failures = campaign_run(&c, &done);
    cr_assert_eq(failures, 0, "%d layers failed; see above", failures);
    cr_assert_geq(done.kernels, done.layers);
}

static cvk_spec chain(draws *d, int number, const void *layers) {
    (void)number, (void)layers;
    return random_chain(d, "chain");
}

/* In bands and one layer after another. */
Test(numeric, random_chains) {
    campaign c = {.test = "numeric/random_chains",
                  .seed = (uint64_t)environment_number("CVK_SEED", 1),
                  .cases = (int)environment_number("CVK_CASES", CHAINS),
                  .layer = chain,
                  .plans = 7,
                  .other_plans = 2,
                  .walks = 3,
                  .percent_every_plan = 2};
    campaign_tally done;
    int failures = campaign_run(&c, &done);
    cr_assert_eq(failures, 0, "%d chains failed; see above", failures);
    cr_assert_geq(done.kernels, done.layers);
}
