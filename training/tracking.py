"""What happened during training, a line an event: a JSONL file, and MLflow where the user has set it up."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Track:
    """Appends events to `path`. With MLflow installed and MLFLOW_TRACKING_URI set, figures go there too."""

    def __init__(self, path: Path, run: str):
        self.path = path
        self._mlflow = _mlflow(run)
        path.parent.mkdir(parents=True, exist_ok=True)

    def __call__(self, event: str, **values: Any) -> None:
        """Note an event with its figures and settings; never the text of a case."""
        line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **values}
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        if self._mlflow is not None:
            numbers = {f"{event}.{name}": float(v) for name, v in values.items() if isinstance(v, int | float)}
            self._mlflow.log_metrics(numbers, step=values.get("epoch"))


def _mlflow(run: str) -> Any:
    """The client with a run begun, or None."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return None
    try:
        import mlflow
    except ModuleNotFoundError:
        return None
    mlflow.start_run(run_name=run)
    return mlflow
