"""The state of an interrupted training run: one file, either whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from triage.batch.atomic import atomic


class Checkpoint:
    """Keeps the latest state in `path`."""

    def __init__(self, path: Path):
        self.path = path

    def save(self, **parts: Any) -> None:
        """Replace what is kept by `parts`: tensors, numbers, strings and dictionaries of them."""
        with atomic(self.path) as part:
            torch.save(parts, part)

    def load(self) -> dict[str, Any] | None:
        """What was kept last, on the CPU; None if nothing was."""
        if not self.path.exists():
            return None
        state: dict[str, Any] = torch.load(self.path, weights_only=True, map_location="cpu")
        return state
