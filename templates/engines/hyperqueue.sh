#!/bin/sh
# {{ job.points }} points in {{ job.shards }} shards. Needs a HyperQueue server, and workers with outgrow on their PATH. Start it with: sh FILE
# The same again runs only what is missing.

hq submit --name=outgrow-sweep --array=1-{{ job.shards }} --cpus={{ job.jobs }} --env=OUTGROW_SHARDS={{ job.shards }} --wait -- \
  {{ job.sweep }} --shard env --out {{ job.folder }}
{{ job.merge }}
