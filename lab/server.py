#!/usr/bin/env python3
"""A server whose work is a sleep: each of its workers accepts a connection, sleeps, answers and closes.

The queue in front of the workers is the kernel's listen queue, first come, first served. The path /health is answered at
once, by the same workers. The header X-Server tells who answered. With --apart no worker waits for a request: a connection
that comes without one is watched apart until it has it.
"""

import argparse
import contextlib
import os
import queue
import random
import select
import socket
import threading
import time


def in_time():
    """Asks for the real-time class: a sleep must end when it should, also while other processes work."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))


def read_head(connection):
    """The head of a request; empty if the other side has closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            return b""
        head += part
    return head


class Apart:
    """A listener that gives out connections whose request is there. The others are watched by a thread of their own."""

    def __init__(self, listener):
        self.listener, self.ready, self.watched = listener, queue.SimpleQueue(), {}
        self.poll = select.epoll()
        listener.setblocking(False)
        threading.Thread(target=self.watch).start()

    def watch(self):
        while True:
            for number, _ in self.poll.poll():
                self.poll.unregister(number)
                self.ready.put(self.watched.pop(number))

    def accept(self):
        while True:
            with contextlib.suppress(queue.Empty):
                return self.ready.get_nowait(), None
            try:
                connection, _ = self.listener.accept()
            except BlockingIOError:
                with contextlib.suppress(queue.Empty):
                    return self.ready.get(timeout=0.002), None
                continue
            connection.setblocking(True)
            if select.select([connection], [], [], 0)[0]:
                return connection, None
            self.watched[connection.fileno()] = connection
            self.poll.register(connection.fileno(), select.EPOLLIN | select.EPOLLONESHOT)


def work(listener, draw, name):
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Server: {name}\r\nConnection: close\r\n\r\nok".encode()
    while True:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            head = read_head(connection)
            if not head:
                continue
            if head.split(b" ", 2)[1] != b"/health":
                time.sleep(draw())
            connection.sendall(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--law", choices=("exponential", "constant"), default="exponential")
    parser.add_argument("--mean-ms", type=float, default=20)
    parser.add_argument("--backlog", type=int, default=4096)
    parser.add_argument("--name", default="server")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--apart", action="store_true")
    args = parser.parse_args()
    in_time()
    mean, dice = args.mean_ms / 1000, random.Random(args.seed)
    draw = (lambda: mean) if args.law == "constant" else (lambda: dice.expovariate(1 / mean))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((args.host, args.port))
    listener.listen(args.backlog)
    if args.apart:
        listener = Apart(listener)
    threads = [threading.Thread(target=work, args=(listener, draw, args.name)) for _ in range(args.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
