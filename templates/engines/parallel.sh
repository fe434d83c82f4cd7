#!/bin/bash
# {{ job.points }} points in {{ job.shards }} shards, {{ job.workers }} at once. Needs GNU parallel. Start it with: bash FILE
# A shard that fails is tried three times. The same again runs only what is missing.

shard() {
  {{ job.sweep }} --shard "$1"/{{ job.shards }} --out {{ job.folder }}
}
export -f shard
export PARALLEL_SHELL="$BASH"

parallel --jobs {{ job.workers }} --retries 3 shard ::: {1..{{ job.shards }}}
{{ job.merge }}
