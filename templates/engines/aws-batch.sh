#!/bin/sh
# {{ job.points }} points in {{ job.shards }} shards. The image has outgrow and the AWS CLI in it, and the jobs may read and write the place TO.
# Start it with: QUEUE=my-queue TO=s3://my-bucket/sweep sh FILE
# A job that fails is tried three times. The same again runs only what is missing.
set -eu
{%- if let Some(files) = job.files %}
for file in {{ files }}; do aws s3 cp "$file" "$TO/scenario/"; done
{%- endif %}

aws batch register-job-definition --job-definition-name outgrow-sweep --type container --retry-strategy attempts=3 \
  --container-properties file:///dev/stdin <<'END'
{
  "image": {{ job.image }},
  "command": ["sh", "-c", {{ job.sweep }}],
  "resourceRequirements": [{ "type": "VCPU", "value": "{{ job.jobs }}" }, { "type": "MEMORY", "value": "1024" }]
}
END
aws batch submit-job --job-name outgrow-sweep --job-queue "$QUEUE" --job-definition outgrow-sweep \
  --array-properties size={{ job.shards }} --container-overrides "environment=[{name=TO,value=$TO}]"

# When all jobs have ended:
#   aws s3 cp --recursive "$TO/parts" {{ job.folder }}
#   {{ job.merge }}
