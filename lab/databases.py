#!/usr/bin/env python3
"""PostgreSQL with one standby, Redis, and PgBouncer in front of PostgreSQL.

commit     median time of a commit by synchronous_commit, with no delay between the nodes and with 20 ms for both ways
stopped    the standby that must confirm stands still for 12 s: how long a commit waits
lost       the primary is killed under 100 writes/s: acknowledged writes that the standby lacks, with and without a delay
follow     the primary is restarted: how long until the standby follows again
redis      Redis is killed under 200 writes/s with appendfsync everysec: acknowledged writes that are gone
pool       PgBouncer with 5 connections, exponential 40 ms, at 100/s and for 12 s at 150/s

PostgreSQL refuses to run as root: as root the scripts start it as the user `postgres`. PGBIN is the folder of its
programs; PGBOUNCER and REDIS_SERVER are the other programs.
"""

import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

from lab import HERE, Missing, main, program, version

PRIMARY, STANDBY, RELAY, POOL = 19101, 19102, 19103, 19104


def binary(name):
    """A program of PostgreSQL."""
    places = [os.environ.get("PGBIN", ""), os.path.dirname(os.path.realpath(shutil.which("initdb") or "")), "/usr/lib/postgresql/15/bin"]
    for place in places:
        if place and os.path.exists(f"{place}/{name}"):
            return f"{place}/{name}"
    raise Missing(f"{name} of PostgreSQL is not installed; set PGBIN")


def postgres_user():
    """Options of a process that must not run as root."""
    return {"user": "postgres", "group": "postgres", "cwd": "/tmp"} if os.geteuid() == 0 else {"cwd": "/tmp"}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, **postgres_user())
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")


class Node:
    """A PostgreSQL node in a folder of its own."""

    def __init__(self, lab, name, port, settings="", source=None):
        self.lab, self.port, self.folder = lab, port, lab.folder / name
        self.folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        if source is None:
            run([binary("initdb"), "-D", self.folder, "-A", "trust", "-U", "postgres", "--no-sync"])
            with open(self.folder / "postgresql.conf", "a") as file:
                file.write(
                    "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nshared_buffers = 32MB\n"
                    f"autovacuum = off\ncheckpoint_timeout = 30min\nmax_connections = 200\n{settings}"
                )
        else:
            copy = ["-h", "127.0.0.1", "-p", str(PRIMARY), "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "--no-sync"]
            run([shutil.which("pg_basebackup") or binary("pg_basebackup"), "-D", self.folder, *copy])
            with open(self.folder / "postgresql.auto.conf", "a") as file:
                file.write(f"primary_conninfo = 'host=127.0.0.1 port={source} user=postgres'\n")
        self.process = None
        self.boot()

    def boot(self):
        command = [binary("postgres"), "-D", self.folder, "-p", str(self.port)]
        self.process = self.lab.start(command, **postgres_user())
        end = time.monotonic() + 30
        while subprocess.run([*client(self.port), "-c", "select 1"], capture_output=True).returncode:
            if time.monotonic() > end:
                raise RuntimeError("PostgreSQL does not start")
            time.sleep(0.1)

    def processes(self):
        """The ids of all its processes, the first one last."""
        first = self.process.pid
        children = open(f"/proc/{first}/task/{first}/children").read().split()
        return [int(child) for child in children] + [first]

    def signal(self, how):
        for process in self.processes():
            try:
                os.kill(process, how)
            except ProcessLookupError:
                pass

    def kill(self):
        """Ends all its processes at the same moment, as when the machine is gone."""
        found = self.processes()
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for process in found:
                try:
                    os.kill(process, how)
                except ProcessLookupError:
                    pass
        self.process.wait()
        (self.folder / "postmaster.pid").unlink(missing_ok=True)


def client(port):
    return [program("psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", "postgres", "-AtXq"]


def sql(port, statement):
    """Runs a statement on a connection of its own. Returns the lines of the answer."""
    done = subprocess.run([*client(port), "-c", statement], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.split()


class Session:
    """A connection that answers one statement after another. Each statement must answer with one line."""

    def __init__(self, lab, port):
        self.process = subprocess.Popen(
            [*client(port), "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
        )
        lab.processes.append(self.process)

    def ask(self, statement):
        """The answer, and its time in milliseconds. The answer is empty if the connection is gone or the statement wrong."""
        begin = time.monotonic()
        try:
            self.process.stdin.write(f"{statement};\n")
            answer = self.process.stdout.readline().strip()
        except OSError:
            answer = ""
        return answer, (time.monotonic() - begin) * 1000


def pair(lab, settings="", delay_ms=None):
    """A primary with a table, and its standby behind a relay if there is a delay."""
    primary = Node(lab, "primary", PRIMARY, settings)
    source, relay = PRIMARY, None
    if delay_ms is not None:
        relay = lab.start([sys.executable, HERE / "relay.py", "--port", RELAY, "--to", PRIMARY, "--delay-ms", delay_ms])
        lab.wait_port(RELAY)
        source = RELAY
    sql(PRIMARY, "set synchronous_commit = local; create table t (n int primary key, at timestamptz default clock_timestamp())")
    standby = Node(lab, "standby", STANDBY, source=source)
    end = time.monotonic() + 30
    while not sql(PRIMARY, "select 1 from pg_stat_replication where state = 'streaming'"):
        if time.monotonic() > end:
            raise RuntimeError("the standby does not follow")
        time.sleep(0.1)
    return primary, standby, relay


def postgres_version():
    return version([binary("postgres"), "--version"])


def commit(lab):
    for rtt in (0, 20):
        primary, standby, relay = pair(lab, "synchronous_standby_names = '*'\n", rtt / 2 if rtt else None)
        session, dice, number = Session(lab, PRIMARY), random.Random(1), 0
        for mode in ("off", "local", "remote_write", "on", "remote_apply"):
            session.ask(f"select set_config('synchronous_commit', '{mode}', false)")
            times, end = [], time.monotonic() + lab.seconds(20, 2)
            while time.monotonic() < end:
                number += 1
                answer, ms = session.ask(f"insert into t values ({number}) returning n")
                if answer != str(number):
                    raise RuntimeError(f"PostgreSQL answers {answer}")
                times.append(ms)
                time.sleep(dice.expovariate(40))
            text = f"synchronous_commit = {mode}, {rtt} ms for both ways, 40/s"
            key = f"postgres-commit-rtt{rtt}-{mode.replace('_', '-')}"
            lab.add(key, "PostgreSQL", postgres_version(), text, "median commit", "ms", statistics.median(times), n=len(times))
        clean(lab, primary, standby, relay)


def clean(lab, primary, standby, relay=None):
    for node in (standby, primary):
        if node.process.poll() is None:
            node.kill()
        shutil.rmtree(node.folder)
    if relay is not None:
        lab.stop(relay)


def stopped(lab):
    primary, standby, _ = pair(lab, "synchronous_standby_names = '*'\n")
    session, lasts = Session(lab, PRIMARY), lab.seconds(12, 3)
    session.ask("insert into t values (1) returning n")
    standby.signal(signal.SIGSTOP)
    timer = threading.Timer(lasts, standby.signal, (signal.SIGCONT,))
    timer.start()
    waited = session.ask("insert into t values (2) returning n")[1]
    timer.join()
    text = f"the standby stands still for {lasts} s"
    lab.add("postgres-sync-standby-stopped", "PostgreSQL", postgres_version(), text, "the waiting commit takes", "ms", waited)
    clean(lab, primary, standby)


def writes(lab, rate, stop, acknowledged):
    """Writes with four sessions at `rate` a second until `stop` is set; notes each acknowledged number."""
    lock, last = threading.Lock(), [0]

    def write(dice):
        session = Session(lab, PRIMARY)
        while not stop.is_set():
            time.sleep(dice.expovariate(rate / 4))
            with lock:
                last[0] += 1
                number = last[0]
            answer, _ = session.ask(f"insert into t values ({number}) returning n")
            if answer != str(number):
                return
            acknowledged.append(number)

    threads = [threading.Thread(target=write, args=(random.Random(seed),)) for seed in range(4)]
    for thread in threads:
        thread.start()
    return threads


def lost(lab):
    for name, delay, relay_dies in (("transfer", 250, True), ("arrive", 250, False), ("none", None, False)):
        found = []
        for _ in range(lab.seconds(5, 1)):
            primary, standby, relay = pair(lab, "", delay)
            stop, acknowledged = threading.Event(), []
            threads = writes(lab, 100, stop, acknowledged)
            time.sleep(lab.seconds(6, 2))
            primary.kill()
            if relay_dies:
                lab.stop(relay, signal.SIGKILL)
            stop.set()
            for thread in threads:
                thread.join()
            time.sleep(2)
            present = {int(line) for line in sql(STANDBY, "select n from t")}
            found.append(len(set(acknowledged) - present))
            clean(lab, primary, standby, relay)
        text = f"the primary is killed under 100 writes/s, {delay or 0} ms one way" + (", what is in transfer is lost" if relay_dies else "")
        lab.add(f"postgres-lost-{name}", "PostgreSQL", postgres_version(), text, "acknowledged writes lost", "count", [float(one) for one in found])


def follow(lab):
    found = []
    for _ in range(lab.seconds(3, 1)):
        primary, standby, _ = pair(lab)
        primary.kill()
        time.sleep(2)
        primary.boot()
        sql(PRIMARY, "insert into t values (1)")
        begin, session = time.monotonic(), Session(lab, STANDBY)
        while session.ask("select count(*) from t")[0] != "1" and time.monotonic() < begin + 60:
            time.sleep(0.02)
        found.append(time.monotonic() - begin)
        clean(lab, primary, standby)
    text = "the primary is killed and restarted after 2 s"
    lab.add("postgres-follows-again", "PostgreSQL", postgres_version(), text, "time until the standby follows again (from the first write)", "s", found)


def redis(lab):
    found = []
    command = [program("redis-server"), "--port", PRIMARY, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--dir"]
    for at in range(lab.seconds(6, 2)):
        folder = lab.folder / f"redis-{at}"
        folder.mkdir()
        process = lab.start([*command, folder])
        lab.wait_port(PRIMARY)
        acknowledged, dice, end = 0, random.Random(at), time.monotonic() + lab.seconds(10, 2) + random.random()
        with socket.create_connection(("127.0.0.1", PRIMARY)) as connection:
            while time.monotonic() < end:
                connection.sendall(b"INCR n\r\n")
                acknowledged = int(connection.recv(100)[1:])
                time.sleep(dice.expovariate(200))
            process.kill()
            process.wait()
        process = lab.start([*command, folder])
        lab.wait_port(PRIMARY)
        with socket.create_connection(("127.0.0.1", PRIMARY)) as connection:
            connection.sendall(b"GET n\r\n")
            kept = int(connection.recv(100).split(b"\r\n")[1])
        found.append(float(acknowledged - kept))
        lab.stop(process)
    text = "the process is killed under 200 writes/s, appendfsync everysec"
    lab.add("redis-everysec", "Redis", version([program("redis-server"), "--version"]), text, "acknowledged writes lost", "count", found)


def pool(lab):
    Node(lab, "primary", PRIMARY)
    folder = lab.folder
    (folder / "users.txt").write_text('"postgres" ""\n')
    (folder / "pool.ini").write_text(
        f"""[databases]
postgres = host=127.0.0.1 port={PRIMARY}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {POOL}
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 5
max_client_conn = 2000
unix_socket_dir =
"""
    )
    lab.start([program("pgbouncer"), folder / "pool.ini"], **postgres_user())
    lab.wait_port(POOL)
    for name, rate, seconds in (("rho08", 100, lab.seconds(80, 4)), ("over", 150, lab.seconds(12, 3))):
        times, dice, threads = [], random.Random(3), []
        sessions = [Session(lab, POOL) for _ in range(60 if name == "rho08" else 600)]

        def ask(session, work_s, asked):
            if session.ask(f"select 1 from pg_sleep({work_s:.6f})")[0] == "1":
                times.append((time.monotonic() - asked) * 1000)
                sessions.append(session)

        begin = at = time.monotonic()
        while at < begin + seconds:
            at += dice.expovariate(rate)
            time.sleep(max(0.0, at - time.monotonic()))
            if sessions:
                thread = threading.Thread(target=ask, args=(sessions.pop(), dice.expovariate(1 / 0.04), time.monotonic()))
                thread.start()
                threads.append(thread)
        answered = len(times) / seconds
        for thread in threads:
            thread.join()
        text = f"5 connections, exponential 40 ms, {rate}/s for {seconds} s"
        product = ("PgBouncer", version([program("pgbouncer"), "--version"]), text)
        lab.add(f"pgbouncer-{name}-mean", *product, "mean response", "ms", statistics.fmean(times), n=len(times))
        if name == "over":
            lab.add("pgbouncer-over-rate", *product, "answered", "1/s", answered, n=len(times))


EXPERIMENTS = {"commit": commit, "stopped": stopped, "lost": lost, "follow": follow, "redis": redis, "pool": pool}

if __name__ == "__main__":
    sys.exit(main("databases", EXPERIMENTS, __doc__))
