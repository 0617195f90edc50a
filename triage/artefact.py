"""A model folder: declared layout, format number, hash of every file. What it does not know it refuses; no pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from triage.errors import ArtefactError, SettingsError
from triage.in_use import MANIFEST, model_folder
from triage.settings_file import Settings
from triage.taxonomy import Taxonomy, load_taxonomy

FORMAT = 1
REQUIRED = ("taxonomy.yaml", "tokenizer.json", "model.onnx", "wide.npz")


class HeadCalibration(Settings):
    """What turns logits of one head into probabilities and labels.

    Probabilities are those of `logits / temperature + bias`; `weights` multiply them before the best label is taken;
    `threshold` is for multi-label heads.
    """

    temperature: Annotated[float, Field(gt=0)] = 1.0
    bias: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5


class Manifest(Settings):
    """What is in the folder and how it is to be used. `files` maps names to sha256."""

    format: Literal[1]
    name: str
    version: str
    created: str
    segmenter: Literal["rjieba", "jieba"]
    words: tuple[str, ...]
    window: Annotated[int, Field(ge=16)]
    roles: Annotated[int, Field(ge=1, le=3)]
    heads: dict[str, HeadCalibration]
    lineage: dict[str, Any] = {}
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Artefact:
    """An opened and verified model folder."""

    folder: Path
    manifest: Manifest
    taxonomy: Taxonomy

    def path(self, name: str) -> Path:
        """Path of a file of the folder."""
        return self.folder / name

    @property
    def metrics(self) -> dict[str, Any]:
        """Figures measured when the model was made; empty if it came without."""
        path = self.path("metrics.json")
        return json.loads(path.read_text("utf-8")) if "metrics.json" in self.manifest.files else {}


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_artefact(folder: Path) -> Artefact:
    """Verify and open a model folder; of a folder of models, the one in use.

    Raises ArtefactError if it is missing, of another format, incomplete, or a file differs from its hash.
    """
    folder = model_folder(folder)
    manifest = _read_manifest(folder)
    missing = [name for name in REQUIRED if name not in manifest.files]
    if missing:
        raise ArtefactError(f"model {folder}: a model folder holds {', '.join(REQUIRED)}; missing {', '.join(missing)}")
    for name, expected in manifest.files.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ArtefactError(f"model {folder}: file {name} is listed in {MANIFEST} but is not there")
        if sha256(path) != expected:
            raise ArtefactError(f"model {folder}: file {name} is not the one that was saved (sha256 differs)")
    try:
        taxonomy = load_taxonomy(folder / "taxonomy.yaml")
    except SettingsError as error:
        raise ArtefactError(str(error)) from error
    heads = {head.name for head in taxonomy.heads}
    if heads != set(manifest.heads):
        raise ArtefactError(f"model {folder}: taxonomy has heads {sorted(heads)}; given {sorted(manifest.heads)}")
    return Artefact(folder, manifest, taxonomy)


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtefactError(f"model {folder}: no {MANIFEST}; expected a folder written by triage train")
    try:
        raw = json.loads(path.read_text("utf-8"))
        if isinstance(raw, dict) and raw.get("format") != FORMAT:
            raise ArtefactError(f"model {folder}: format {FORMAT} is understood; given {raw.get('format')!r}")
        return Manifest.model_validate(raw)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtefactError(f"model {folder}: {MANIFEST} is not readable JSON: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise ArtefactError(f"model {folder}: {MANIFEST}: {wrong}") from error


def seal(folder: Path, settings: Mapping[str, Any]) -> Artefact:
    """Write the manifest of a finished folder, hashing every file in it, and open the result.

    `settings` are the manifest's fields without `format` and `files`.
    """
    files = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST}
    manifest = Manifest(format=FORMAT, files=files, **settings)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
    return open_artefact(folder)
