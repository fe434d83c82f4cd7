# {{ job.points }} points in {{ job.shards }} shards. Start it with: snakemake --snakefile FILE --cores {{ job.workers * job.jobs }}
# Snakemake deletes the outputs of a job that failed. So the journals, from which a shard goes on, are no outputs here.

SHARDS = [f"{part:0{{ job.digits }}}" for part in range(1, {{ job.shards }} + 1)]

rule merge:
    input: expand({{ job.part }}, shard=SHARDS)
    output: {{ job.table }}
    shell: {{ job.merge }}

rule shard:
    output: {{ job.part }}
    threads: {{ job.jobs }}
    retries: 3
    shell: {{ job.sweep }}
