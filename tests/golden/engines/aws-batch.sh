#!/bin/sh
# 200 points in 8 shards. The image has outgrow and the AWS CLI in it, and the jobs may read and write the place TO.
# Start it with: QUEUE=my-queue TO=s3://my-bucket/sweep sh FILE
# A job that fails is tried three times. The same again runs only what is missing.
set -eu
for file in mine.toml; do aws s3 cp "$file" "$TO/scenario/"; done

aws batch register-job-definition --job-definition-name outgrow-sweep --type container --retry-strategy attempts=3 \
  --container-properties file:///dev/stdin <<'END'
{
  "image": "outgrow:0.1.0",
  "command": ["sh", "-c", "aws s3 cp --recursive \"$TO/scenario\" . && aws s3 cp --recursive \"$TO/parts\" parts/; outgrow sweep mine.toml --vary users.rate=20/s..95/s:200 --trials 2 --duration 2min --warmup 10s --jobs 1 --shard env --out parts/; code=$?; aws s3 cp --recursive parts/ \"$TO/parts\" && exit $code"],
  "resourceRequirements": [{ "type": "VCPU", "value": "1" }, { "type": "MEMORY", "value": "1024" }]
}
END
aws batch submit-job --job-name outgrow-sweep --job-queue "$QUEUE" --job-definition outgrow-sweep \
  --array-properties size=8 --container-overrides "environment=[{name=TO,value=$TO}]"

# When all jobs have ended:
#   aws s3 cp --recursive "$TO/parts" parts/
#   outgrow sweep merge all.csv parts/
