"""What a run is made of, so that it can go on after a crash: the same inputs, model, policy and settings."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from triage.artefact import sha256
from triage.batch.read import files_of
from triage.batch.table import Source
from triage.errors import InputError


def fingerprint(sources: Iterable[Source], mapping: Mapping[str, str], triager: str, batch_size: int) -> dict[str, Any]:
    """Everything that an answer depends on; `triager` is the digest of model, policy and lexicon."""
    return {
        "inputs": [{"name": source.path.name, "sha256": _digest(source)} for source in sources],
        "mapping": dict(mapping),
        "triager": triager,
        "batch size": batch_size,
        "program": version("complaint-triage"),
    }


def difference(now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """In what two fingerprints differ; empty if in nothing."""
    changed = [name for name in now if name != "inputs" and now[name] != before.get(name)]
    old = {one["name"]: one["sha256"] for one in before.get("inputs", [])}
    new = {one["name"]: one["sha256"] for one in now["inputs"]}
    files = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not files and now["inputs"] != before.get("inputs"):
        files = ["their order"]
    return ", ".join([*(["inputs (" + ", ".join(files[:3]) + ")"] if files else []), *changed])


def _digest(source: Source) -> str:
    """SHA-256 of a file, or of the names and contents of the files of a folder."""
    if source.path.is_file():
        return _sha256(source.path)
    digest = hashlib.sha256()
    for path in files_of(source):
        digest.update(os.fsencode(path.name) + b"\0" + _sha256(path).encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
