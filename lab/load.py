#!/usr/bin/env python3
"""A load on an HTTP server: an open Poisson stream, or users who think. Each request has a connection of its own.

It writes a CSV file: when the request was sent (CLOCK_MONOTONIC), how long it took with all its tries, how it ended (an
HTTP status, refused, reset, closed or timeout), who answered, and the number of tries.
"""

import argparse
import asyncio
import csv
import random
import time

from server import in_time


async def once(args, number):
    """One try: its outcome, and who answered."""
    length = "Content-Length: 0\r\n" if args.method == "POST" else ""
    head = f"{args.method} /{number} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n{length}\r\n"
    writer = None
    try:
        async with asyncio.timeout(args.timeout):
            reader, writer = await asyncio.open_connection(args.host, args.port)
            writer.write(head.encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        names = [line.split(":", 1)[1].strip() for line in answer if line.lower().startswith("x-server:")]
        return answer[0].split(" ", 2)[1], names[0] if names else ""
    except TimeoutError:
        return "timeout", ""
    except asyncio.IncompleteReadError:
        return "closed", ""
    except ConnectionRefusedError:
        return "refused", ""
    except OSError:
        return "reset", ""
    finally:
        if writer is not None:
            writer.close()


async def request(args, number, out):
    sent = time.monotonic()
    for tries in range(1, args.tries + 1):
        outcome, server = await once(args, number)
        if outcome == "200":
            break
        if tries < args.tries:
            await asyncio.sleep(args.backoff_ms / 1000 * 2 ** (tries - 1))
    out.writerow([f"{sent:.6f}", f"{(time.monotonic() - sent) * 1000:.3f}", outcome, server, tries])


async def stream(args, dice, out):
    """Requests at the moments of a Poisson process, whatever becomes of those before."""
    begin = time.monotonic()
    at, number, running = dice.expovariate(args.rate), 0, set()
    while at < args.seconds:
        await asyncio.sleep(max(0.0, begin + at - time.monotonic()))
        number += 1
        task = asyncio.create_task(request(args, number, out))
        running.add(task)
        task.add_done_callback(running.discard)
        at += dice.expovariate(args.rate)
    await asyncio.gather(*running)


async def population(args, dice, out):
    """Users who each think, ask, and wait for the answer."""
    end = time.monotonic() + args.seconds

    async def user(dice):
        number = 0
        while True:
            await asyncio.sleep(dice.expovariate(1000 / args.think_ms))
            if time.monotonic() >= end:
                return
            number += 1
            await request(args, number, out)

    await asyncio.gather(*(user(random.Random(dice.random())) for _ in range(args.users)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, help="requests a second, at most 300")
    parser.add_argument("--users", type=int)
    parser.add_argument("--think-ms", type=float, default=100)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--timeout", type=float, default=20, help="of each try, in seconds")
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--backoff-ms", type=float, default=100, help="before the first further try; it doubles")
    parser.add_argument("--method", choices=("GET", "POST"), default="GET")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if (args.rate is None) == (args.users is None) or (args.rate or 0) > 300:
        parser.error("either --rate, up to 300, or --users")
    in_time()
    with open(args.out, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sent_s", "ms", "outcome", "server", "tries"])
        kind = stream if args.users is None else population
        asyncio.run(kind(args, random.Random(args.seed), out))


if __name__ == "__main__":
    main()
