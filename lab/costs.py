#!/usr/bin/env python3
"""What statements of a real PostgreSQL cost: a log and busy times for `outgrow fit`, beside the costs of each class measured alone.

postgres: three classes of statements over sixteen sessions, whose rates swing at different times; then the same at twice the load.
It needs PostgreSQL 15 and root. The files are written into the folder of `--out`, which therefore must be given.
"""

import math
import queue
import random
import sys
import threading
import time

from databases import Node, PRIMARY, Session, postgres_version
from lab import main, percentile

# The rows that a statement of each class counts, its requests a second, and the seconds of its swing.
CLASSES = {"view": (25_000, 40.0, 120.0), "search": (70_000, 20.0, 75.0), "buy": (200_000, 6.0, 45.0)}
SESSIONS = 16
SWING = 0.6
# Length of a window of busy times, seconds.
WINDOW = 2.0


def statement(name):
    return f"select count(*) from generate_series(1, {CLASSES[name][0]})"


def busy_s(node):
    """Seconds for which all processes of the server have held a core."""
    total = 0
    for process in node.processes():
        try:
            total += int(open(f"/proc/{process}/schedstat").read().split()[0])
        except OSError:
            pass
    return total / 1e9


def alone(node, sessions, name, times):
    """The core time of one statement, in ms, when nothing else runs."""
    for _ in range(20):
        sessions[0].ask(statement(name))
    before = busy_s(node)
    for _ in range(times):
        sessions[0].ask(statement(name))
    return (busy_s(node) - before) / times * 1000


def arrivals(seconds, factor, seed):
    """The moments and classes of a Poisson stream by class, in order."""
    draw = random.Random(seed)
    found = []
    for name, (_, rate, period) in CLASSES.items():
        most, at = rate * factor * (1 + SWING), 0.0
        while True:
            at += draw.expovariate(most)
            if at >= seconds:
                break
            if draw.random() * (1 + SWING) < 1 + SWING * math.sin(2 * math.pi * at / period):
                found.append((at, name))
    return sorted(found)


def play(node, sessions, seconds, factor, seed):
    """Sends the stream. Returns the log and the busy times as lists of rows."""
    todo, log, cores = queue.Queue(), [], []
    begin = time.monotonic() + 0.2

    def work(session):
        while (item := todo.get()) is not None:
            at, name = item
            session.ask(statement(name))
            log.append((at, name, time.monotonic() - begin - at))

    def watch():
        last = busy_s(node)
        for window in range(int(seconds / WINDOW)):
            time.sleep(max(0.0, begin + (window + 1) * WINDOW - time.monotonic()))
            now = busy_s(node)
            cores.append((window * WINDOW, (now - last) / WINDOW))
            last = now

    workers = [threading.Thread(target=work, args=(session,)) for session in sessions]
    watcher = threading.Thread(target=watch)
    time.sleep(max(0.0, begin - time.monotonic()))
    for thread in [*workers, watcher]:
        thread.start()
    for at, name in arrivals(seconds, factor, seed):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        todo.put((at, name))
    for _ in workers:
        todo.put(None)
    for thread in [*workers, watcher]:
        thread.join()
    return sorted(log), cores


def write(lab, name, log, cores):
    folder = lab.out.parent
    with open(folder / f"{name}.log.csv", "w") as file:
        file.write("t_s,class,duration_s\n" + "".join(f"{at:.6f},{kind},{took:.6f}\n" for at, kind, took in log))
    with open(folder / f"{name}.pg.csv", "w") as file:
        file.write("t_s,busy cores\n" + "".join(f"{at:.1f},{value:.5f}\n" for at, value in cores))


def postgres(lab):
    if lab.out is None:
        sys.exit("costs: --out FILE says where the log and the busy times go")
    node = Node(lab, "node", PRIMARY, "jit = off\nmax_parallel_workers_per_gather = 0\n")
    sessions = [Session(lab, PRIMARY) for _ in range(SESSIONS)]
    system, seen = "PostgreSQL", postgres_version()
    for session in sessions:
        session.ask("select 1")
    seconds = lab.seconds(600, 60)
    method = "core time of its processes by the kernel, one statement after another"
    for name in CLASSES:
        values = [alone(node, sessions, name, lab.seconds(200, 20)) for _ in range(3)]
        lab.add(f"costs-{name}", system, seen, method, f"core time of a {name}", "ms", values)
    for name, factor in (("one", 1.0), ("two", 2.0)):
        log, cores = play(node, sessions, seconds, factor, seed=int(factor))
        write(lab, name, log, cores)
        how = f"{SESSIONS} sessions, three classes, {len(log) / seconds:.0f}/s on average"
        times = [took * 1000 for _, _, took in log]
        for q in (50, 95, 99):
            lab.add(f"costs-{name}-p{q}", system, seen, how, f"p{q} of the response", "ms", percentile(times, q / 100), n=len(times))
        lab.add(f"costs-{name}-busy", system, seen, how, "busy cores", "1", sum(value for _, value in cores) / len(cores))


if __name__ == "__main__":
    sys.exit(main("costs", {"postgres": postgres}, __doc__))
