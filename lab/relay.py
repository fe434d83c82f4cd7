#!/usr/bin/env python3
"""A TCP relay that delays every byte by the same time each way. What is in transfer is lost when it is killed."""

import argparse
import asyncio
import contextlib

from server import in_time


async def pass_on(reader, writer, delay_s):
    """Reads at once, and writes each piece `delay_s` after it was read."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue()

    async def write():
        while (piece := await pieces.get()) is not None:
            at, data = piece
            await asyncio.sleep(max(0.0, at - loop.time()))
            writer.write(data)
            await writer.drain()
        writer.close()

    task = asyncio.create_task(write())
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            pieces.put_nowait((loop.time() + delay_s, data))
    pieces.put_nowait(None)
    with contextlib.suppress(OSError):
        await task


async def serve(args):
    async def connected(reader, writer):
        try:
            there, back = await asyncio.open_connection("127.0.0.1", args.to)
        except OSError:
            writer.close()
            return
        delay_s = args.delay_ms / 1000
        await asyncio.gather(pass_on(reader, back, delay_s), pass_on(there, writer, delay_s))

    async with await asyncio.start_server(connected, "127.0.0.1", args.port) as relay:
        await relay.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0)
    in_time()
    asyncio.run(serve(parser.parse_args()))
