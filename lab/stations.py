#!/usr/bin/env python3
"""A server of four sleeping workers, without a product in between: queueing theory with a real network and real clocks.

open     exponential work of 20 ms at 100 and 160 requests a second
closed   twelve users who think for 40 ms
repeat   exponential work of 40 ms at 80 requests a second, three runs: the noise of the harness
listen   260 requests a second on a listen queue of 20: Linux drops what does not fit, and the client's kernel asks again
storm    a spike of eight seconds, with clients that try once or three times
harness  what the harness adds to constant work of 20 ms
"""

import statistics
import sys
import time

from lab import main, percentile

WORKERS = "server of sleeping workers"


def open_load(lab):
    for name, rate in (("rho05", 100), ("rho08", 160)):
        lab.server(18000 + rate)
        answers = lab.load(18000 + rate, lab.seconds(80, 4), rate=rate).answers()
        lab.add_response(f"queue-{name}", WORKERS, "", f"M/M/4: open Poisson, {rate}/s", answers)


def closed(lab):
    lab.server(18010)
    seconds = lab.seconds(80, 4)
    answers = lab.load(18010, seconds, users=12, think_ms=40).answers()
    method = "M/M/4: closed, 12 users, think 40 ms"
    lab.add_response("queue-closed12", WORKERS, "", method, answers)
    lab.add("queue-closed12-rate", WORKERS, "", method, "throughput", "1/s", len(answers) / seconds, n=len(answers))


def repeat(lab):
    for run in (1, 2, 3):
        lab.server(18020 + run, mean_ms=40, seed=run)
        answers = lab.load(18020 + run, lab.seconds(110, 4), rate=80, seed=run).answers()
        lab.add_response(f"queue-exp40-run{run}", WORKERS, "", f"M/M/4: exponential 40 ms, 80/s, run {run}", answers)


def listen(lab):
    for id_, apart in (("linux-backlog", False), ("linux-backlog-apart", True)):
        port = 18030 + apart
        lab.server(port, backlog=20, apart=apart)
        answers = lab.load(port, lab.seconds(30, 5), rate=260, timeout=20).answers()
        how = "workers wait for nothing but their work" if apart else "workers wait for requests"
        method = f"listen queue of 20, 260/s on 200/s, client gives up after 20 s; {how}"
        times = [answer.ms for answer in answers if answer.ok]
        n = len(answers)
        lab.add(f"{id_}-ok", "Linux", "", method, "answered", "count", len(times), n=n)
        lost = sum(answer.outcome == "timeout" for answer in answers)
        lab.add(f"{id_}-timeout", "Linux", "", method, "timed out at 20 s", "count", lost, n=n)
        first = min(answer.sent for answer in answers)
        ends = [answer.sent - first + answer.ms / 1000 for answer in answers if answer.ok]
        begin, end = lab.seconds(5, 1), lab.seconds(30, 5)
        rate = sum(begin <= at < end for at in ends) / (end - begin)
        lab.add(f"{id_}-rate", "Linux", "", method, "answered a second while the load lasts", "1/s", rate, n=n)
        median = percentile(times, 0.5)
        lab.add(f"{id_}-p50", "Linux", "", method, "median response of the answered", "ms", median, n=n)
        late = sum(ms > 8000 for ms in times) / max(1, len(times))
        lab.add(f"{id_}-late", "Linux", "", method, "share of the answers later than 8 s", "share", late, n=len(times))


def storm(lab):
    for tries in (1, 3):
        port = 18040 + tries
        lab.server(port, mean_ms=30)
        usual = lab.load(port, lab.seconds(75, 6), rate=90, timeout=1, tries=tries)
        time.sleep(lab.seconds(12, 1))
        spike = lab.load(port, lab.seconds(8, 1), rate=110, timeout=1, tries=tries, seed=2)
        answers = usual.answers() + spike.answers()
        share = sum(answer.ok for answer in answers) / len(answers)
        method = f"a spike of 8 s on 133/s; clients wait 1 s and try {tries} times"
        lab.add(f"metastable-retries-{tries - 1}", WORKERS, "", method, "share of requests answered in time", "share", share, n=len(answers))


def harness(lab):
    lab.server(18050, law="constant")
    answers = lab.load(18050, lab.seconds(30, 3), rate=15).answers()
    added = statistics.median(answer.ms for answer in answers if answer.ok) - 20
    lab.add("base-direct", "harness", "", "constant work of 20 ms", "median added", "ms", added, n=len(answers))


EXPERIMENTS = {"open": open_load, "closed": closed, "repeat": repeat, "listen": listen, "storm": storm, "harness": harness}

if __name__ == "__main__":
    sys.exit(main("stations", EXPERIMENTS, __doc__))
