"""Ask a service again and again, as several clients do, and tell how it answers.

    python benchmarks/load.py PORT PATH CLIENTS SECONDS < BODIES

BODIES is a JSON list of request bodies. Each client keeps one connection and asks its next question
as soon as it is answered. A request is lost if it is not answered with status 200 and predictions.
Only the standard library is used, with streams of asyncio: a question costs this process about
0.1 ms, so that the service has the rest of the machine.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from itertools import cycle, islice


@dataclass
class Tally:
    """What became of the requests."""

    lost: int = 0
    latencies: list[float] = field(default_factory=list)
    """Seconds until each answer that came."""


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    """Send one request; tell whether its answer holds predictions."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    return head.split(b" ", 2)[1] == b"200" and b'"predictions"' in body


async def be_client(port: int, requests: list[bytes], first: int, end: float, tally: Tally) -> None:
    """Ask one question after the other until ``end``; begin with the one at ``first``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in islice(cycle(requests), first, None):
        began = time.perf_counter()
        if began >= end:
            break
        try:
            tally.lost += not await ask(reader, writer, request)
        except (OSError, EOFError):
            tally.lost += 1
            break
        tally.latencies.append(time.perf_counter() - began)
    writer.close()


async def run_clients(
    port: int, path: str, clients: int, seconds: float, bodies: list[object]
) -> dict[str, float]:
    """Let clients ask for some seconds."""
    requests = [write_request(path, json.dumps(body).encode()) for body in bodies]
    tally, began = Tally(), time.perf_counter()
    await asyncio.gather(
        *(be_client(port, requests, first, began + seconds, tally) for first in range(clients))
    )
    taken = time.perf_counter() - began
    return {
        "requests": len(tally.latencies),
        "lost": tally.lost,
        "rate": len(tally.latencies) / taken,
        "median": statistics.median(tally.latencies),
    }


def write_request(path: str, body: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    port, path, clients, seconds = sys.argv[1:]
    told = run_clients(int(port), path, int(clients), float(seconds), json.load(sys.stdin))
    print(json.dumps(asyncio.run(told)))
