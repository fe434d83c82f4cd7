#!/usr/bin/env python3
"""What kernels do while nothing comes through between two machines that have a connection.

answer     the answer to a call is on its way when the silence begins
call       a call is sent over the connection after the silence has begun

Needs root: the two stand in network namespaces on one bridge, which the script makes and removes. The silence is a port that
leaves the bridge: both links stay up, and nobody is told.
"""

import json
import platform
import subprocess
import sys
import time

from lab import main, program
from pair import SWITCH, build, inside, ip, remove

# Answers each number with as many milliseconds of sleep, and then a letter.
ANSWERER = """
import socket, threading, time
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("0.0.0.0", 9000)); listener.listen()
def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(100):
        time.sleep(float(data) / 1000)
        connection.sendall(b"x")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

# For each number on a line: asks for that sleep, and prints the times at which it has asked and heard the answer.
ASKER = """
import socket, sys, time
connection = socket.create_connection(("10.99.0.2", 9000)); connection.settimeout(120)
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for line in sys.stdin:
    begin = time.monotonic()
    connection.sendall(line.encode()); connection.recv(9)
    print(begin, time.monotonic(), flush=True)
"""

PORT = ("-n", SWITCH, "link", "set", "port2")


def know_each_other():
    """Neither machine asks for the other's address: what is measured is the connection."""
    address = {}
    for space in ("lab-master", "lab-backup"):
        told = subprocess.run([program("ip"), "-j", "-n", space, "link", "show", "eth0"], capture_output=True, text=True, check=True)
        address[space] = json.loads(told.stdout)[0]["address"]
    for space, other, number in (("lab-master", "lab-backup", 2), ("lab-backup", "lab-master", 1)):
        ip("-n", space, "neigh", "replace", f"10.99.0.{number}", "lladdr", address[other], "dev", "eth0", "nud", "permanent")


def heard(lab, of, silence):
    """Seconds from each of several calls to its answer, where a silence ends so many seconds after the sending of the answer or the call."""
    found, asker = [], None
    build()
    try:
        know_each_other()
        lab.start(inside("lab-backup", sys.executable, "-c", ANSWERER))
        time.sleep(1)
        for _ in range(lab.seconds(5, 1)):
            command = inside("lab-master", sys.executable, "-c", ASKER)
            asker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

            def ask(ms):
                asker.stdin.write(f"{ms}\n")
                asker.stdin.flush()

            for _ in range(5):
                ask(0)
                asker.stdout.readline()
            time.sleep(0.5)
            if of == "answer":
                ask(300)
                time.sleep(0.15)
                ip(*PORT, "nomaster")
                time.sleep(0.15 + silence)
            else:
                ip(*PORT, "nomaster")
                ask(0)
                time.sleep(silence)
            ip(*PORT, "master", "bridge0")
            begin, end = map(float, asker.stdout.readline().split())
            found.append(end - begin)
            asker.stdin.close()
            asker.wait()
    finally:
        if asker:
            asker.kill()
        remove()
    return found


def measure(lab, of):
    for silence in (0.5, 1, 2, 3, 5, 10) if not lab.quick else (0.5,):
        what = "an answer, which took 0.3 s," if of == "answer" else "a call over an open connection"
        method = f"nothing comes through for {silence:g} s after {what} was sent"
        found = heard(lab, of, silence)
        lab.add(f"linux-silence-{of}-{silence:g}", "Linux", platform.release().split("-")[0], method, "time until the call is answered", "s", found)


def answer(lab):
    measure(lab, "answer")


def call(lab):
    measure(lab, "call")


EXPERIMENTS = {"answer": answer, "call": call}

if __name__ == "__main__":
    sys.exit(main("silence", EXPERIMENTS, __doc__))
