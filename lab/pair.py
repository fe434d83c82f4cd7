#!/usr/bin/env python3
"""A pair of keepalived: how long the shared address is away.

killed     the master is killed
goodbye    the master is asked to end, and says goodbye

Needs root: the pair and the client stand in network namespaces on one bridge, which the script makes and removes.
KEEPALIVED is the program.
"""

import itertools
import signal
import subprocess
import sys
import time

from lab import main, program, version

SPACES = {"lab-master": 1, "lab-backup": 2, "lab-client": 3}
SWITCH, ADDRESS = "lab-switch", "10.99.0.100"

# Answers each datagram with the name that it is given.
ECHO = """
import socket, sys
socket_ = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); socket_.bind(("0.0.0.0", 9000))
while True:
    data, of = socket_.recvfrom(100)
    try: socket_.sendto(sys.argv[1].encode(), of)
    except OSError: pass
"""

# Asks the shared address a hundred times a second. Prints the time of each answer, and who gave it.
ASK = f"""
import socket, time
socket_ = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); socket_.settimeout(0.01)
while True:
    begin = time.monotonic()
    try:
        socket_.sendto(b"x", ("{ADDRESS}", 9000))
        print(time.monotonic(), socket_.recvfrom(100)[0].decode(), flush=True)
    except OSError: pass
    time.sleep(max(0, begin + 0.01 - time.monotonic()))
"""


def ip(*words, check=True):
    subprocess.run([program("ip"), *words], check=check, capture_output=not check)


def remove():
    for space in (*SPACES, SWITCH):
        ip("netns", "del", space, check=False)


def build():
    remove()
    ip("netns", "add", SWITCH)
    ip("-n", SWITCH, "link", "add", "bridge0", "type", "bridge")
    ip("-n", SWITCH, "link", "set", "bridge0", "up")
    for space, number in SPACES.items():
        ip("netns", "add", space)
        ip("-n", space, "link", "set", "lo", "up")
        ip("-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", f"port{number}", "netns", SWITCH)
        ip("-n", SWITCH, "link", "set", f"port{number}", "master", "bridge0", "up")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", space, "addr", "add", f"10.99.0.{number}/24", "dev", "eth0")


def inside(space, *command):
    return [program("ip"), "netns", "exec", space, *command]


def keepalived(lab, space, state, priority):
    path = lab.folder / f"{space}.conf"
    path.write_text(
        f"""vrrp_instance lab {{
  state {state}
  interface eth0
  virtual_router_id 77
  priority {priority}
  advert_int 1
  virtual_ipaddress {{ {ADDRESS}/24 dev eth0 }}
}}
"""
    )
    files = itertools.chain.from_iterable((option, lab.folder / f"{space}.{option[1]}") for option in ("-p", "-r"))
    return lab.start(inside(space, program("keepalived"), "-n", "-l", "-P", "-f", str(path), *map(str, files)))


def away(lab, how):
    """Seconds without an answer after each of several ends of the master."""
    found = []
    build()
    try:
        for space in ("lab-master", "lab-backup"):
            lab.start(inside(space, sys.executable, "-c", ECHO, space))
        backup = keepalived(lab, "lab-backup", "BACKUP", 100)
        lab.start(inside("lab-client", sys.executable, "-c", ASK), log="answers")
        for run in range(lab.seconds(12, 1)):
            master = keepalived(lab, "lab-master", "MASTER", 101)
            time.sleep(6 + 0.31 * run)
            moment = time.monotonic()
            master.send_signal(how)
            time.sleep(6)
            answers = [line.split() for line in (lab.folder / "answers").read_text().splitlines()]
            found += [float(at) - moment for at, who in answers if float(at) > moment and who == "lab-backup"][:1]
            lab.stop(master, signal.SIGKILL)
        lab.stop(backup)
    finally:
        remove()
    return found


def killed(lab):
    found = away(lab, signal.SIGKILL)
    product = ("keepalived", version([program("keepalived"), "--version"]), "advertisements each second, priority 100; the master is killed")
    lab.add("vrrp-killed", *product, "time until the other answers", "s", found)


def goodbye(lab):
    found = away(lab, signal.SIGTERM)
    product = ("keepalived", version([program("keepalived"), "--version"]), "advertisements each second, priority 100; the master ends")
    lab.add("vrrp-term", *product, "time until the other answers", "s", found)


EXPERIMENTS = {"killed": killed, "goodbye": goodbye}

if __name__ == "__main__":
    sys.exit(main("pair", EXPERIMENTS, __doc__))
