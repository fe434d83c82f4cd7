#!/bin/sh
#SBATCH --job-name=outgrow-sweep
#SBATCH --array=1-{{ job.shards }}%{{ job.workers }}
#SBATCH --cpus-per-task={{ job.jobs }}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=outgrow-sweep-%A-%a.log
#
# {{ job.points }} points in {{ job.shards }} shards, at most {{ job.workers }} at once. Start it where sbatch is, with: sh FILE
# It submits itself as an array, and a job that merges the parts when all tasks have ended. A task that fails goes back into the
# queue, three times at most. The same again runs only what is missing; `sbatch --array=2,5 FILE` only these shards.

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  set -e
  array=$(sbatch --parsable "$0")
  sbatch --dependency=afterany:"${array%%;*}" --job-name=outgrow-merge --output=outgrow-merge-%j.log <<'END'
#!/bin/sh
{{ job.merge }}
END
  exit
fi

export OUTGROW_SHARDS={{ job.shards }}
{{ job.sweep }} --shard env --out {{ job.folder }}
code=$?
case $code in
  # Done, or wrong in a way that is the same the next time.
  0 | 2 | 3 | 4) ;;
  *) [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ] && scontrol requeue "$SLURM_JOB_ID" ;;
esac
exit $code
