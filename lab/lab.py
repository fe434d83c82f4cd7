"""What all experiments share: processes, load, statistics, and the file of results.

An experiment is a function that takes a `Lab` and adds rows to it. A row has the keys of a comparison in
data/validation/real.json that describe a measurement, so that it can be copied there.
"""

import argparse
import contextlib
import csv
import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Quantile 0.975 of Student's t with 9 degrees of freedom: intervals come from ten batches.
T9 = 2.262


def program(name):
    """The path of a program. The variable of its name in capitals replaces it, and PATH is searched with sbin."""
    wanted = os.environ.get(name.upper().replace("-", "_"), name)
    found = shutil.which(wanted, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{name} is not installed; set {name.upper().replace('-', '_')} to its path")
    return found


class Missing(Exception):
    """A product that the experiment needs is not there."""


class Answer:
    """One request: when it was sent, how long it took, how it ended, and who answered."""

    def __init__(self, row):
        self.sent, self.ms = float(row["sent_s"]), float(row["ms"])
        self.outcome, self.server = row["outcome"], row["server"]

    @property
    def ok(self):
        return self.outcome == "200"


class Load:
    """A load that runs beside the experiment."""

    def __init__(self, process, path):
        self.process, self.path = process, path

    def answers(self):
        """Waits for its end. Returns all requests in the order in which they were sent."""
        if self.process.wait():
            raise RuntimeError(f"the load ended with {self.process.returncode}")
        with open(self.path, newline="") as file:
            return sorted((Answer(row) for row in csv.DictReader(file)), key=lambda answer: answer.sent)


class Lab:
    """Processes and files of one experiment. It ends the processes that it started, and no others."""

    def __init__(self, name, quick, out):
        self.name, self.quick, self.out = name, quick, out
        self.folder = Path(tempfile.mkdtemp(prefix=f"lab-{name}-"))
        os.chmod(self.folder, 0o755)
        self.processes, self.rows, self.loads = [], [], 0

    def seconds(self, full, quick):
        """A duration: the shorter one where the experiment is only tried out."""
        return quick if self.quick else full

    def start(self, command, log=None, **options):
        """Starts a process; its output goes to a file of the folder."""
        log = open(self.folder / (log or f"{len(self.processes)}.log"), "w")
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, **options)
        self.processes.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM):
        """Ends a process; a stopped one is continued first, so that it can end."""
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self):
        for process in reversed(self.processes):
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(self, port, workers=4, mean_ms=20.0, law="exponential", backlog=4096, name=None, seed=None, apart=False):
        """Starts the server of sleeping workers, and waits until it listens."""
        command = [sys.executable, HERE / "server.py", "--port", port, "--workers", workers, "--mean-ms", mean_ms]
        command += ["--law", law, "--backlog", backlog, "--name", name or f"s{port}"]
        command += ["--seed", port if seed is None else seed] + (["--apart"] if apart else [])
        process = self.start(command)
        self.wait_port(port)
        return process

    def wait_port(self, port, host="127.0.0.1", limit=20):
        """Waits until somebody listens at the port."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection((host, port), 0.5):
                return
            time.sleep(0.05)
        raise RuntimeError(f"nobody listens at port {port}")

    def load(self, port, seconds, **options):
        """Starts a load of `rate` a second, or of `users` who think for `think_ms`."""
        self.loads += 1
        path = self.folder / f"load-{self.loads}.csv"
        command = [sys.executable, HERE / "load.py", "--port", port, "--seconds", seconds, "--out", path]
        for key, value in options.items():
            command += [f"--{key.replace('_', '-')}", value]
        return Load(self.start(command), path)

    def add(self, key, system, version, method, quantity, unit, values, low=None, high=None, bounds=None, n=None, runs=1):
        """Adds a measured value: one number, or those of several runs, which give their mean and range."""
        values = values if isinstance(values, (list, tuple)) else [values]
        values = [value for value in values if value is not None and math.isfinite(value)]
        if not values:
            print(f"{key}: nothing was measured", file=sys.stderr)
            return
        if len(values) > 1:
            low, high, bounds, runs = min(values), max(values), "range", len(values)
        row = {"id": key, "system": system, "version": version, "method": method, "quantity": quantity, "unit": unit}
        row["measured"] = round(statistics.fmean(values), 4)
        if low is not None and high is not None:
            row |= {"low": round(low, 4), "high": round(high, 4), "bounds": bounds}
        row |= {"n": n if n is not None else len(values), "runs": runs}
        self.rows.append(row)
        print(json.dumps(row, ensure_ascii=False), flush=True)

    def add_response(self, key, system, version, method, answers, warmup_s=5.0):
        """Adds mean, with its interval from ten batches, and percentiles of the answers after a warm-up."""
        begin = answers[0].sent + (0 if self.quick else warmup_s)
        times = [answer.ms for answer in answers if answer.ok and answer.sent >= begin]
        low, high = interval(times)
        mean = statistics.fmean(times)
        common = (system, version, method)
        self.add(f"{key}-mean", *common, "mean response of the answered", "ms", mean, low, high, "ci95", len(times))
        for q in (50, 95, 99):
            self.add(f"{key}-p{q}", *common, f"p{q} of the response", "ms", percentile(times, q / 100), n=len(times))


def interval(values):
    """The 95 % interval of a mean, from ten batches in order of time."""
    size = len(values) // 10
    if size == 0:
        return None, None
    means = [statistics.fmean(values[at * size : (at + 1) * size]) for at in range(10)]
    half = T9 * statistics.stdev(means) / math.sqrt(10)
    return statistics.fmean(values) - half, statistics.fmean(values) + half


def percentile(values, q):
    """The smallest value that at least a share `q` of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else math.nan


def version(command, word=None):
    """The version that a program tells: the first word of its output with a digit and a dot, or the one after `word`."""
    told = subprocess.run(command, capture_output=True, text=True)
    words = (told.stdout + told.stderr).replace("/", " ").replace(",", " ").replace("=", " ").split()
    words = words[words.index(word) + 1 :] if word in words else words
    return next((one.strip("v()") for one in words if one.strip("v()")[:1].isdigit() and "." in one), "")


def main(name, experiments, description):
    """Runs the experiments that the command line names; all by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help=", ".join(experiments) + "; all by default")
    parser.add_argument("--quick", action="store_true", help="try it out: too short for figures that count")
    parser.add_argument("--out", type=Path, help="write the rows into this file, as JSON")
    args = parser.parse_args()
    unknown = [asked for asked in args.experiments if asked not in experiments]
    if unknown:
        parser.error(f"there is no experiment {unknown[0]}: {', '.join(experiments)}")
    # Whoever ends this process ends those that it started too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = []
    for asked in args.experiments or experiments:
        lab = Lab(f"{name}-{asked}", args.quick, args.out)
        try:
            experiments[asked](lab)
        except Missing as missing:
            print(f"{name} {asked}: {missing}", file=sys.stderr)
        finally:
            lab.close()
        rows += lab.rows
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return 0 if rows else 1
