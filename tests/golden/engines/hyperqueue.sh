#!/bin/sh
# 200 points in 8 shards. Needs a HyperQueue server, and workers with outgrow on their PATH. Start it with: sh FILE
# The same again runs only what is missing.

hq submit --name=outgrow-sweep --array=1-8 --cpus=1 --env=OUTGROW_SHARDS=8 --wait -- \
  outgrow sweep mine.toml --vary users.rate=20/s..95/s:200 --trials 2 --duration 2min --warmup 10s --jobs 1 --shard env --out parts/
outgrow sweep merge all.csv parts/
