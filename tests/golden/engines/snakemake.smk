# 200 points in 8 shards. Start it with: snakemake --snakefile FILE --cores 4
# Snakemake deletes the outputs of a job that failed. So the journals, from which a shard goes on, are no outputs here.

SHARDS = [f"{part:03}" for part in range(1, 8 + 1)]

rule merge:
    input: expand("parts/part-{shard}-of-008.csv", shard=SHARDS)
    output: "all.csv"
    shell: "outgrow sweep merge all.csv parts/"

rule shard:
    output: "parts/part-{shard}-of-008.csv"
    threads: 1
    retries: 3
    shell: "outgrow sweep mine.toml --vary users.rate=20/s..95/s:200 --trials 2 --duration 2min --warmup 10s --jobs 1 --shard {wildcards.shard}/8 --out parts/"
