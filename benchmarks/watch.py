"""A command run to its end, with its memory and processor time written down as it goes.

What is written stays when the command is killed, so that a run which goes on another day is measured as a whole.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_SECONDS_BETWEEN = 1.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds and seconds of processor time of all sittings together, and the memory (PSS, bytes) at each look."""

    seconds: float
    processor: float
    memory: list[int]

    def curve(self, points: int = 10) -> list[int]:
        """Memory at equal steps of the time, the first and the last left out."""
        return [self.memory[len(self.memory) * point // points] for point in range(1, points)]


def watch(command: list[str | Path], log: Path, environment: dict[str, str] | None = None) -> Usage:
    """Run the command; SystemExit if it fails. `log` gets a line a second, after those of an earlier sitting."""
    started = time.time()
    with (
        log.open("a", encoding="ascii", buffering=1) as lines,
        subprocess.Popen(command, env={**os.environ, **(environment or {})}) as process,  # noqa: S603
    ):
        while process.poll() is None:
            memory, processor = used_by(process.pid)
            if memory:
                lines.write(f"{started} {time.time() - started} {processor} {memory}\n")
            time.sleep(_SECONDS_BETWEEN)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command[:6]))} … ended with {process.returncode}")
    return read(log)


def read(log: Path) -> Usage:
    """What the lines of all sittings say."""
    looks = [list(map(float, line.split())) for line in log.read_text("ascii").splitlines()]
    ends = [list(sitting)[-1] for _, sitting in groupby(looks, key=lambda look: look[0])]
    return Usage(sum(end[1] for end in ends), sum(end[2] for end in ends), [int(look[3]) for look in looks])


def used_by(parent: int) -> tuple[int, float]:
    """Memory and processor seconds of a process and of all that it started and that has not ended."""
    memory, ticks, open_ends = 0, 0, [parent]
    while open_ends:
        process = Path("/proc") / str(open_ends.pop())
        try:
            lines = (process / "smaps_rollup").read_text().splitlines()
            memory += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
            ticks += sum(map(int, (process / "stat").read_text().rsplit(")", 1)[1].split()[11:15]))
            open_ends += map(int, (process / "task" / process.name / "children").read_text().split())
        except (OSError, StopIteration):
            continue
    return memory, ticks / _TICK
