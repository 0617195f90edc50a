"""Which model of a folder of models is in use: one small file, replaced whole, that a server can watch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from triage.errors import ArtefactError
from triage.settings_file import Settings

POINTER = "in_use.json"
MANIFEST = "manifest.json"
SHIPPED = "default"


class Use(Settings):
    """A model that is or was in use: its subfolder, the SHA-256 of its manifest, since when (ISO 8601)."""

    model: str
    digest: str
    since: str


class Pointer(Settings):
    """What `in_use.json` says: the model in use, and those before it, the latest first."""

    format: int = 1
    now: Use
    earlier: tuple[Use, ...] = ()


def read_pointer(models: Path) -> Pointer | None:
    """What is in use in a folder of models; None if nothing was ever promoted. ArtefactError if it cannot be read."""
    path = models / POINTER
    try:
        return Pointer.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ArtefactError(f"{path}: written by triage promote; it cannot be read: {type(error).__name__}") from None


def model_folder(path: Path) -> Path:
    """The model folder meant by `path`: itself, or, for a folder of models, the one in use there.

    Where nothing was ever promoted that is `default`. Raises ArtefactError if the model in use is missing, or not the
    one that was promoted.
    """
    if (path / MANIFEST).is_file():
        return path
    pointer = read_pointer(path)
    if pointer is None:
        return path / SHIPPED if (path / SHIPPED / MANIFEST).is_file() else path
    folder = path / pointer.now.model
    if Path(pointer.now.model).name == pointer.now.model and digest_of(folder) == pointer.now.digest:
        return folder
    problem = "is not the model that was promoted" if digest_of(folder) else "is missing"
    raise ArtefactError(
        f"{path / POINTER}: {folder}, the model in use, {problem}; put it back, or go back to the model before it: "
        f"triage promote --rollback --models {path}"
    )


def digest_of(folder: Path) -> str:
    """SHA-256 of the manifest of a model folder, which holds those of all other files; empty if there is none."""
    path = folder / MANIFEST
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
