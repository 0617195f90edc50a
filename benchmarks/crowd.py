"""Clients for load tests: HTTP/1.1 over plain asyncio streams, so that they cost little beside what they measure."""

import asyncio
import json
import math
import time
from dataclasses import dataclass
from itertools import cycle


@dataclass
class Answer:
    """Status, and seconds from the first byte sent to the last byte received."""

    status: int
    seconds: float


def percentile(answers: list[Answer], share: float) -> float:
    """Milliseconds that this share of the answers took at the most."""
    times = sorted(answer.seconds for answer in answers)
    return 1000 * times[math.ceil(share * len(times)) - 1] if times else math.nan


class Client:
    """One kept connection."""

    def __init__(self, port: int, key: str):
        self._port = port
        self._head = f"POST /v1/triage HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, text: str) -> Answer:
        """Send one contact and read the whole answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        body = json.dumps({"text": text}).encode()
        started = time.perf_counter()
        writer.write(
            f"{self._head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        received = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(received.partition("content-length: ")[2].partition("\r\n")[0]))
        return Answer(int(received.split()[1]), time.perf_counter() - started)


async def closed_loop(port: int, key: str, texts: list[str], clients: int, seconds: float) -> list[Answer]:
    """`clients` that each ask again as soon as they are answered."""
    answers: list[Answer] = []
    supply, end = cycle(texts), time.perf_counter() + seconds

    async def keep_asking() -> None:
        client = Client(port, key)
        while time.perf_counter() < end:
            answers.append(await client.ask(next(supply)))
            if answers[-1].status == 503:
                await asyncio.sleep(1)  # what Retry-After says

    await asyncio.gather(*(keep_asking() for _ in range(clients)))
    return answers


async def open_loop(port: int, key: str, texts: list[str], rate: float, seconds: float) -> list[Answer]:
    """`rate` requests a second, whether or not the earlier ones were answered."""
    idle: list[Client] = []
    answers: list[Answer] = []
    supply = cycle(texts)

    async def once() -> None:
        client = idle.pop() if idle else Client(port, key)
        answers.append(await client.ask(next(supply)))
        idle.append(client)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            group.create_task(once())
    return answers
