#!/bin/sh
#SBATCH --job-name=outgrow-sweep
#SBATCH --array=1-8%4
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=outgrow-sweep-%A-%a.log
#
# 200 points in 8 shards, at most 4 at once. Start it where sbatch is, with: sh FILE
# It submits itself as an array, and a job that merges the parts when all tasks have ended. A task that fails goes back into the
# queue, three times at most. The same again runs only what is missing; `sbatch --array=2,5 FILE` only these shards.

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  set -e
  array=$(sbatch --parsable "$0")
  sbatch --dependency=afterany:"${array%%;*}" --job-name=outgrow-merge --output=outgrow-merge-%j.log <<'END'
#!/bin/sh
outgrow sweep merge all.csv parts/
END
  exit
fi

export OUTGROW_SHARDS=8
outgrow sweep mine.toml --vary users.rate=20/s..95/s:200 --trials 2 --duration 2min --warmup 10s --jobs 1 --shard env --out parts/
code=$?
case $code in
  # Done, or wrong in a way that is the same the next time.
  0 | 2 | 3 | 4) ;;
  *) [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ] && scontrol requeue "$SLURM_JOB_ID" ;;
esac
exit $code
