"""Runs one of the scenario files of the benchmark; prints nanoseconds of CPU time a customer and the mean response."""

import json
import resource
import subprocess
import sys

FILES = {"mm1": ("benches/models/mm1.toml", 80), "tiers": ("benches/models/three-tiers.toml", 2560)}


def run(path, seconds):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = ["target/release/outgrow", "run", path, "--duration", f"{seconds}s", "--jobs", "1", "--json", "-"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, json.loads(output)


path, rate = FILES[sys.argv[1]]
customers = int(sys.argv[2])
short, _ = run(path, 1)
long, result = run(path, customers / rate)
mean = result["metrics"]["response_ms"]["mean"]["mean"]
print(f"{(long - short) / customers * 1e9:.0f} {mean:.3f}")
