#!/usr/bin/env bash
# Three ranks of MPI write to one database; one is killed, the launcher ends the others, and a second launch ends the work.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
needs python3 mpirun
trap 'rm -rf "$scratch"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
launch() { mpirun -n 3 "${tune[@]}" --db "$scratch/shards" --shard auto >"$scratch/log" 2>&1; }
mpirun -n 2 true >"$scratch/log" 2>&1 || skip "mpirun does not run here: $(tail -n 1 "$scratch/log")"

one_process
launch &
midway() { (($(records "$scratch/shards") >= 6)); }
until_true midway || fail "nothing is recorded: $(cat "$scratch/log")"
kill_writer "$scratch/shards" || fail "it was over before a rank could be killed"
echo "a rank was killed after $(records "$scratch/shards") records"
wait
launch || fail "the second launch: $(cat "$scratch/log")"
expect_the_same "$scratch/shards"
