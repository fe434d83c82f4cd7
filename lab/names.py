#!/usr/bin/env python3
"""Caches of names, and clients that get two addresses.

resolver    the share of questions that unbound or dnsmasq answers from its cache, against r T / (1 + r T)
addresses   curl with a name of two addresses of which one refuses: does it try the other one?

The name server behind the resolver is part of this script. DNSMASQ, UNBOUND and CURL are the programs.
"""

import math
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from lab import Missing, main, program, version

ASKED, RESOLVER, WEB = 19201, 19202, 19203


class NameServer(threading.Thread):
    """Answers each question of an address with 127.0.0.9 and a time to live that the name tells: `ttl5-x.lab`."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", ASKED))
        self.questions = {}

    def run(self):
        while True:
            asked, of = self.socket.recvfrom(2000)
            name, end = read_name(asked)
            kind = struct.unpack(">H", asked[end : end + 2])[0]
            wanted = kind == 1 and name.startswith("ttl")
            if wanted:
                self.questions[name] = self.questions.get(name, 0) + 1
            head = asked[:2] + struct.pack(">HHHHH", 0x8400, 1, int(wanted), 0, 0)
            ttl = int(name[3:].split("-")[0]) if wanted else 0
            answer = b"\xc0\x0c" + struct.pack(">HHIH4B", 1, 1, ttl, 4, 127, 0, 0, 9) if wanted else b""
            self.socket.sendto(head + asked[12 : end + 4] + answer, of)


def read_name(message):
    """The name of the first question, in lower case, and where it ends."""
    parts, at = [], 12
    while message[at]:
        parts.append(message[at + 1 : at + 1 + message[at]].decode().lower())
        at += 1 + message[at]
    return ".".join(parts), at + 1


def question(number, name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


def dnsmasq(lab):
    options = ["-k", "-C", "/dev/null", "-p", RESOLVER, "--listen-address=127.0.0.1", "--bind-interfaces", "-R", "-S", f"127.0.0.1#{ASKED}", "-u", "root", "-x", lab.folder / "pid"]
    return lab.start([program("dnsmasq"), *options]), version([program("dnsmasq"), "-v"], "version")


def unbound(lab):
    path = lab.folder / "unbound.conf"
    path.write_text(
        f"""server:
  interface: 127.0.0.1@{RESOLVER}
  do-not-query-localhost: no
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
forward-zone:
  name: "lab"
  forward-addr: 127.0.0.1@{ASKED}
"""
    )
    return lab.start([program("unbound"), "-d", "-c", path]), version([program("unbound"), "-V"], "Version")


def resolver(lab):
    found = False
    for product, start in (("unbound", unbound), ("dnsmasq", dnsmasq)):
        try:
            process, told = start(lab)
        except Missing as missing:
            print(missing, file=sys.stderr)
            continue
        found = True
        server = NameServer()
        server.start()
        time.sleep(1)
        for ttl in lab.seconds((1, 5, 20), (1,)):
            for times in (0.2, 1.0, 3.0):
                hits(lab, server, product, told, ttl, times)
        lab.stop(process)
        server.socket.close()
    if not found:
        raise Missing("neither unbound nor dnsmasq is installed")


def hits(lab, server, product, told, ttl, times):
    """Asks at `times` questions a time to live, and adds the share that did not reach the name server."""
    name, dice = f"ttl{ttl}-{int(times * 10)}.lab", random.Random(7)
    asked, end = 0, time.monotonic() + lab.seconds(max(60, 20 * ttl), 10)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", RESOLVER))
        while time.monotonic() < end:
            time.sleep(dice.expovariate(times / ttl))
            asked += 1
            client.send(question(asked & 0xFFFF, name))
            if select.select([client], [], [], 2)[0]:
                client.recv(2000)
    share = 1 - server.questions.get(name, 0) / asked
    half = 2 * math.sqrt(max(share * (1 - share), 0.25 / asked) / asked)
    text = f"time to live {ttl} s, {times} questions in it on average"
    key = f"{product}-hit-ttl{ttl}-rt{times}"
    lab.add(key, product, told, text, "share answered from the cache", "share", share, max(0, share - half), share + half, "ci95", asked)


def addresses(lab):
    lab.server(WEB, workers=20, mean_ms=20, law="constant")
    # The server listens at 127.0.0.1 only, so that 127.0.0.2 refuses.
    clients = {
        "curl": lambda: ["--resolve", f"two.lab:{WEB}:127.0.0.2,127.0.0.1", "-s", "-o", "/dev/null", f"http://two.lab:{WEB}/"],
    }
    for product, options in clients.items():
        command, failed, n = [program(product), *options()], 0, lab.seconds(40, 5)
        for _ in range(n):
            failed += subprocess.run(command, capture_output=True, timeout=60).returncode != 0
        told = version([program(product), "--version"])
        text = "a name with two addresses, the first refuses"
        lab.add(f"two-addresses-refused-{product}", product, told, text, "failed requests", "count", float(failed), n=n)


EXPERIMENTS = {"resolver": resolver, "addresses": addresses}

if __name__ == "__main__":
    sys.exit(main("names", EXPERIMENTS, __doc__))
