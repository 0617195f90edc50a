"""The service under load, beside the bare network and a plain transformers service. Run: python benchmarks/load.py

One worker, contacts of 200 characters from `data/cases`. `--write docs/performance.md` puts the figures between the
marks of that page; `--install` also measures the size of the serving install (makes a virtual environment).
"""

import argparse
import asyncio
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from crowd import Answer, closed_loop, open_loop, percentile

ROOT = Path(__file__).parent.parent
KEY = "load"
CHARACTERS = 200
SECONDS = 8.0
SERVICE = [sys.executable, "-c", "from triage.cli import main; main()", "serve", "--workers", "1", "--port"]
PEER = [sys.executable, "benchmarks/peer.py", "models/default"]
BARE = """
import json, sys, time
from triage import Case, Triager
triager = Triager.load("models/default", threads=1)
encoded = [triager._front(Case(text=text)).encoded for text in json.load(sys.stdin)]
started, busy, calls = time.perf_counter(), time.process_time(), 0
while time.perf_counter() - started < 4:
    for one in encoded:
        triager._classifier.forward(one)
    calls += len(encoded)
print(calls / (time.perf_counter() - started), 1000 * (time.process_time() - busy) / calls)
"""


def contacts() -> list[str]:
    """Real openings of the cases of the repository, filled up to the same length."""
    rows = [json.loads(line) for file in sorted((ROOT / "data/cases").glob("*.jsonl")) for line in file.open("rb")]
    texts = [row["text"] for row in rows if len(row.get("text") or "") >= CHARACTERS // 2]
    return [(text + "。" + other)[:CHARACTERS] for text, other in zip(texts, reversed(texts), strict=True)][:200]


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, psutil.Process, float]]:
    """Port, process, and seconds from start to ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    environment = os.environ | {"TRIAGE_API_KEYS": KEY}
    process = subprocess.Popen([*command, str(port)], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").read()
                break
            except OSError:
                time.sleep(0.01)
        yield port, psutil.Process(process.pid), time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def bare_rate(texts: list[str]) -> tuple[float, float]:
    """Contacts a second of the network alone, and the CPU milliseconds of one."""
    command = [sys.executable, "-c", BARE]
    given = json.dumps(texts)
    done = subprocess.run(command, cwd=ROOT, input=given, text=True, check=True, capture_output=True)  # noqa: S603
    rate, cpu = map(float, done.stdout.split())
    return rate, cpu


def row(name: str, answers: list[Answer], seconds: float) -> list[str]:
    done = [answer for answer in answers if answer.status == 200]
    times = [f"{percentile(done, share):.0f}" for share in (0.5, 0.95, 0.99)]
    return [name, f"{len(done) / seconds:.0f}", *times]


def measure(name: str, command: list[str], texts: list[str], rows: list[list[str]]) -> tuple[float, dict[str, str]]:
    """Requests a second at 8 clients, and what else there is to know. Adds a row for each number of clients."""
    rates, calm = {}, 0.0
    with serving(command) as (port, process, start):
        asyncio.run(closed_loop(port, KEY, texts, 4, 2))
        for clients in (1, 8, 64):
            before = sum(process.cpu_times()[:2])
            answers = asyncio.run(closed_loop(port, KEY, texts, clients, SECONDS))
            rows.append(row(f"{name}, {clients} clients", answers, SECONDS))
            done = [answer for answer in answers if answer.status == 200]
            cpu = sum(process.cpu_times()[:2]) - before
            rates[clients], calm = len(done) / SECONDS, percentile(done, 0.99)
        facts = {
            "CPU time of a contact, ms": f"{1000 * cpu / len(done):.1f}",
            "memory under load, MB": f"{process.memory_info().rss / 1e6:.0f}",
            "start to ready, s": f"{start:.2f}",
        }
        if command is SERVICE:
            facts |= overload(port, texts, 2 * rates[8], calm)
    return rates[8], facts


def overload(port: int, texts: list[str], rate: float, calm: float) -> dict[str, str]:
    """Twice what it can do: how the accepted fare beside 64 clients, and how quickly the rest is refused."""
    answers = asyncio.run(open_loop(port, KEY, texts, rate, SECONDS))
    taken = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 503]
    if len(taken) + len(refused) != len(answers):
        raise RuntimeError(f"answers other than 200 and 503: {Counter(answer.status for answer in answers)}")
    refusals = " / ".join(f"{percentile(refused, share):.0f}" for share in (0.5, 0.99, 1))
    return {
        "p99 of the accepted at twice the capacity, ms": f"{percentile(taken, 0.99):.0f} "
        f"({percentile(taken, 0.99) / calm:.2f} of that at 64 clients)",
        "refused at twice the capacity": f"{len(refused) / len(answers):.0%}",
        "time to refuse, p50 / p99 / max, ms": refusals,
    }


def install_megabytes() -> float:
    """Disk space of `pip install '.[serve]'` in a new environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "-q", "-c", "constraints.txt", ".[serve]"]
        subprocess.run(pip, cwd=ROOT, check=True)  # noqa: S603
        return sum(file.lstat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--install", action="store_true")
    options = parser.parse_args()
    texts = contacts()
    bare, bare_cpu = bare_rate(texts)
    rows: list[list[str]] = []
    rate, facts = measure("triage serve", SERVICE, texts, rows)
    _, peer = measure("FastAPI and transformers", PEER, texts, rows)
    facts = {
        "bare network, contacts a second": f"{bare:.0f}",
        "CPU time of a contact in the bare network, ms": f"{bare_cpu:.1f}",
        "share of the bare rate at 8 clients": f"{rate / bare:.0%}",
        **facts,
        **{f"{name} (FastAPI and transformers)": value for name, value in peer.items()},
    }
    if options.install:
        facts["size of the serving install, MB"] = f"{install_megabytes():.0f}"
    page = "\n\n".join(
        (
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; one worker, "
            f"one thread, {len(texts)} contacts of {CHARACTERS} characters; clients on the same machine.",
            table(["", "requests/s", "p50 ms", "p95 ms", "p99 ms"], rows),
            table(["", ""], [list(fact) for fact in facts.items()]),
        )
    )
    print(page)
    if options.write:
        text = options.write.read_text("utf-8")
        marked = re.sub(r"(?s)(<!-- load -->\n).*(\n<!-- /load -->)", lambda found: found[1] + page + found[2], text)
        options.write.write_text(marked, "utf-8")


if __name__ == "__main__":
    main()
