"""Under what a model was made: commit, versions, processor, time. It goes into the lineage of the model."""

from __future__ import annotations

import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from triage.cores import cores

_PACKAGES = ("torch", "transformers", "tokenizers", "scikit-learn", "numpy", "onnxruntime")
_GIT = ("git", "rev-parse", "HEAD")


def commit() -> str | None:
    """The commit of the code, with `+` if something is uncommitted; None outside a checkout."""
    folder = Path(__file__).parent

    def ask(*words: str) -> str:
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    try:
        return ask(*_GIT) + ("+" if ask("git", "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def environment() -> dict[str, Any]:
    """Versions, and what the work ran on."""
    gpus = torch.cuda.device_count()
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "cores": cores(),
        "gpus": [torch.cuda.get_device_name(number) for number in range(gpus)],
    }


class Clock:
    """Wall-clock and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def spent(self) -> dict[str, float]:
        """Minutes of wall-clock, hours of processor cores."""
        return {
            "minutes": round((time.monotonic() - self._wall) / 60, 2),
            "core_hours": round((time.process_time() - self._cpu) / 3600, 4),
        }
