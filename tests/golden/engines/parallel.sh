#!/bin/bash
# 200 points in 8 shards, 4 at once. Needs GNU parallel. Start it with: bash FILE
# A shard that fails is tried three times. The same again runs only what is missing.

shard() {
  outgrow sweep mine.toml --vary users.rate=20/s..95/s:200 --trials 2 --duration 2min --warmup 10s --jobs 1 --shard "$1"/8 --out parts/
}
export -f shard
export PARALLEL_SHELL="$BASH"

parallel --jobs 4 --retries 3 shard ::: {1..8}
outgrow sweep merge all.csv parts/
