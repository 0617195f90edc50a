"""What remembering costs: processor time a contact for history and storing, and how many are stored a second.

python benchmarks/store.py [URL of an empty database]; by default a new SQLite file.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from api.asked import Asked
from api.memory import Memory, open_store
from api.scopes import EVERYBODY
from api.settings import ServiceSettings
from triage.case import Case
from triage.triager import Triager

CONTACTS = 512
CLIENTS = (1, 8, 64)
TEXT = "我的订单还没有发货，已经等了五天了，打了两次电话都说登记了，麻烦你们尽快处理。" * 5


async def remember(memory: Memory, triager: Triager, clients: int) -> None:
    """Each client sends one contact after another; the model's answer is taken as given."""
    result = triager(Case(text=TEXT))

    async def client(number: int) -> None:
        for contact in range(CONTACTS // clients):
            case = Case(id=f"{clients}-{number}-{contact}", text=TEXT, customer_key=f"C-{number}")
            async with memory.permitted(Asked(EVERYBODY, "/v1/triage", None, "")) as permit:
                rows = await memory.recall([case])
                await memory.keep(rows, [result], permit)

    wall, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(client, range(clients)))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{clients:3} clients: {processor / CONTACTS * 1000:.2f} ms of processor a contact, {CONTACTS / wall:.0f}/s")


async def main(url: str) -> None:
    """The figures for each number of clients."""
    settings = ServiceSettings.model_validate(
        {"database_url": url, "secret": "for the benchmark only" * 2, "auth": False}
    )
    database, hashed = open_store(settings)
    memory = Memory(database, settings, hashed)
    triager = Triager.load(threads=1)
    for clients in CLIENTS:
        await remember(memory, triager, clients)
    await memory.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'triage.db'}"))
