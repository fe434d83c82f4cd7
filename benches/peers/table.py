"""Reads lines of name, nanoseconds and mean response; prints the fastest of each and its ratio to the first."""

import sys

best = {}
for line in sys.stdin:
    name, nanos, mean = line.split()
    if name not in best or float(nanos) < best[name][0]:
        best[name] = (float(nanos), mean)
first = next(iter(best.values()))[0]
print(f"\n{sys.argv[1]:<12}{'ns/customer':>14}{'ratio':>10}{'mean response, ms':>20}")
for name, (nanos, mean) in best.items():
    print(f"{name:<12}{nanos:>14.0f}{nanos / first:>10.1f}{mean:>20}")
