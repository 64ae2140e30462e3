#!/usr/bin/env bash
# Three tasks of a Slurm array, one of them killed midway and requeued, make the trials of one process.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
export PATH=$PATH:/usr/sbin:/sbin
needs python3 munged slurmctld slurmd sbatch scontrol squeue
started=()
finish() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null; done
    rm -rf "$scratch"
}
trap finish EXIT
chmod 755 "$scratch"
mkdir "$scratch"/{run,state,spool}
host=$(hostname -s)
export SLURM_CONF=$scratch/run/slurm.conf
socket=$scratch/run/munge.socket

(umask 077; head -c 1024 /dev/urandom >"$scratch/run/munge.key")
munged --foreground --force --key-file="$scratch/run/munge.key" --socket="$socket" --pid-file="$scratch/run/munged.pid" \
    --log-file="$scratch/run/munged.log" --seed-file="$scratch/run/munged.seed" >"$scratch/run/munged.out" 2>&1 &
started+=($!)
until_true test -S "$socket" || skip "munge does not run here: $(tail -n 1 "$scratch/run/munged.out")"

port=$((20000 + RANDOM % 20000))
cat >"$SLURM_CONF" <<END
ClusterName=convoke
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$socket
CryptoType=crypto/munge
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/run/slurmctld.pid
SlurmdPidFile=$scratch/run/slurmd.pid
SlurmctldLogFile=$scratch/run/slurmctld.log
SlurmdLogFile=$scratch/run/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=3 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP
END
slurmctld -D -i >"$scratch/run/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D -N "$host" >"$scratch/run/slurmd.out" 2>&1 &
started+=($!)
idle() { sinfo -h -o %T 2>/dev/null | grep -q idle; }
seconds=40 until_true idle || skip "slurm does not run here: $(grep -hE 'error|fatal' "$scratch"/run/slurm*.{out,log} | tail -n 2 | tr '\n' ' ')"

one_process

# The job script of docs/experiments.md, for one spec.
cat >"$scratch/job.sh" <<END
#!/bin/bash
#SBATCH --array=1-3
#SBATCH --requeue
${tune[*]} --db "$scratch/shard\$SLURM_ARRAY_TASK_ID" --shard auto
END
job=$(sbatch --parsable --output="$scratch/out.%a" --export=ALL "$scratch/job.sh") || fail "sbatch"

midway() { (($(records "$scratch/shard2") >= 3)); }
until_true midway || fail "task 2 does not begin: $(cat "$scratch"/out.* "$scratch"/run/slurmd.log | tail -n 5)"
kill_writer "$scratch/shard2" || fail "task 2 was over before it could be killed"
killed=$(records "$scratch/shard2")
echo "task 2 was killed after $killed records"
over() { [[ -z $(squeue -h -j "$job" 2>/dev/null) ]]; }
until_true over || fail "the array does not end: $(squeue)"
# A requeue may meet the end of the task's first run and be lost, so it is asked for again where nothing comes of it.
complete() { over && (($(records "$scratch/shard2") > killed)); }
for attempt in 1 2 3; do
    scontrol requeue "${job}_2" || fail "requeue"
    scontrol update "JobId=${job}_2" StartTime=now || fail "StartTime" # it would begin two minutes later
    seconds=40 until_true complete && break
done
complete || fail "the requeued task does not end: $(squeue; tail -n 5 "$scratch"/out.2; scontrol show job "${job}_2")"
expect_the_same "$scratch"/shard1 "$scratch"/shard2 "$scratch"/shard3
