#!/usr/bin/env python3
"""Why the listen queue of `stations.py listen` answers sooner than that of the model: a computation, which measures nothing.

Attempts to connect come to 4 workers of 20 ms and a listen queue with room for 21 connections, at 260/s for 30 s. An attempt that finds
no room is dropped, and sent again 1, 2, 3, 4, 5, 7 and 11 s later. One that finds room is answered. Its confirmation comes a round
trip later, with the request. If it finds no room then, the connection is half open: the request is sent again 0.2, 0.4, 0.8, 1.6 s and
so on later. Clients give up after 20 s.

exact      each timer rings when it is due, as those of clients on machines of their own do on the whole
wheel      all clients stand on one machine, whose kernel rings a timer in steps of 4 ms up to 252 ms, of 32 ms up to 2 s, of 256 ms up
           to 16 s (kernel/time/timer.c of Linux, with 250 ticks a second)
"""

import argparse
import heapq
import math
import random
import statistics
import sys

WORKERS, WORK_S, ROOM, RATE, SECONDS, PATIENCE_S = 4, 0.02, 21, 260, 30, 20
CONNECTS_S = [1, 1, 1, 1, 1, 2, 4, 8, 16]
STEPS_S = [(0.252, 0.004), (2.016, 0.032), (16.1, 0.256), (math.inf, 2.048)]


def ring(now, pause, wheel):
    """When a timer rings that is set now."""
    step = next(step for limit, step in STEPS_S if pause < limit)
    return math.ceil((now + pause) / step) * step if wheel else now + pause


class Queue:
    """The clients, the network and the server."""

    def __init__(self, round_trip, wheel, seed):
        self.half, self.wheel, self.dice = round_trip / 2, wheel, random.Random(seed)
        self.events, self.number, self.begun, self.took = [], 0, {}, {}
        self.busy, self.waiting = 0, []

    def at(self, time, what, client, tries=0):
        self.number += 1
        heapq.heappush(self.events, (time, self.number, what, client, tries))

    def run(self):
        time = self.dice.expovariate(RATE)
        while time < SECONDS:
            self.begun[len(self.begun)] = time
            self.at(time + self.half, self.connect, len(self.begun) - 1)
            time += self.dice.expovariate(RATE)
        while self.events:
            now, _, what, client, tries = heapq.heappop(self.events)
            what(now, client, tries)
        return sorted(self.took.values())

    def is_full(self):
        return self.busy == WORKERS and len(self.waiting) >= ROOM

    def again(self, now, what, client, tries, pause):
        if now - self.begun[client] < PATIENCE_S:
            self.at(ring(now - self.half, pause, self.wheel) + self.half, what, client, tries + 1)

    def connect(self, now, client, tries):
        if self.is_full():
            self.again(now, self.connect, client, tries, CONNECTS_S[min(tries, 8)])
        else:
            self.at(now + 2 * self.half, self.request, client)

    def request(self, now, client, tries):
        if self.is_full():
            self.again(now, self.request, client, tries, (0.2 + 2 * self.half) * 2 ** max(0, tries - 1))
        elif now - self.begun[client] < PATIENCE_S:
            self.waiting.append(client)
            self.take(now)

    def take(self, now):
        while self.busy < WORKERS and self.waiting:
            self.busy += 1
            self.at(now + self.dice.expovariate(1 / WORK_S), self.answer, self.waiting.pop(0))

    def answer(self, now, client, _):
        self.busy -= 1
        took = now + self.half - self.begun[client]
        if took < PATIENCE_S:
            self.took[client] = took
        self.take(now)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--round-trip-ms", type=float, default=0.5)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    for name, wheel in (("exact", False), ("wheel", True)):
        queues = [Queue(args.round_trip_ms / 1000, wheel, seed) for seed in range(args.runs)]
        took = [queue.run() for queue in queues]
        answered = statistics.fmean(map(len, took))
        asked = statistics.fmean(len(queue.begun) for queue in queues)
        median = statistics.fmean(map(statistics.median, took))
        late = statistics.fmean(sum(time > 8 for time in one) / len(one) for one in took)
        print(f"{name}: {asked:.0f} asked, {answered:.0f} answered, median {median:.3f} s, {late:.1%} later than 8 s")


if __name__ == "__main__":
    sys.exit(main())
