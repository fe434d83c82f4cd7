#!/bin/sh
# Runs the workloads side by side: outgrow with all its statistics, SimPy and Ciw. Nanoseconds of CPU time a customer, each
# the fastest of three runs in turn, and the mean response time in ms, which must agree; but Ciw's three tiers choose a replica
# at random, not in turn, and its mean is higher.
#
#   python3 -m venv target/peers && target/peers/bin/pip install -r benches/peers/requirements.txt
#   PYTHON=target/peers/bin/python benches/peers/run.sh [customers]
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
customers=${1:-50000}
rounds=3
cargo build --release --quiet

# The CPU time of outgrow is that of a long run less that of a short one: what remains is the simulation alone.
outgrow() {
    "$python" benches/peers/outgrow_cpu.py "$1" "$2"
}

for model in mm1 tiers; do
    for _ in $(seq "$rounds"); do
        echo "outgrow $(outgrow "$model" 1000000)"
        echo "SimPy $("$python" benches/peers/simpy_models.py "$model" "$customers")"
        echo "Ciw $("$python" benches/peers/ciw_models.py "$model" $((customers / 5)))"
    done | "$python" benches/peers/table.py "$model"
done
