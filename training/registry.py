"""A folder of models: its versions, the one in use, and what happened. `triage.in_use` reads the pointer."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triage.artefact import Artefact, open_artefact
from triage.batch.atomic import atomic
from triage.errors import ArtefactError, InputError
from triage.in_use import POINTER, SHIPPED, Pointer, Use, digest_of, model_folder, read_pointer

log = logging.getLogger(__name__)
HISTORY = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Version:
    """A model folder of the registry, and whether it is the one in use."""

    artefact: Artefact
    in_use: bool


class Registry:
    """Model folders side by side, `in_use.json` (replaced whole, so that a server can watch it) and `history.jsonl`."""

    def __init__(self, models: Path):
        self.models = models

    def in_use(self) -> Artefact | None:
        """The model in use, verified; None in a folder without models."""
        folder = model_folder(self.models)
        return open_artefact(folder) if folder != self.models else None

    def versions(self) -> list[Version]:
        """All models that can be opened, oldest first; a warning names the others."""
        used, opened = model_folder(self.models), []
        folders = [one for one in sorted(self.models.iterdir()) if digest_of(one)] if self.models.is_dir() else []
        for folder in folders:
            try:
                opened.append(Version(open_artefact(folder), folder == used))
            except ArtefactError as error:
                log.warning("left out: %s", error)
        return sorted(opened, key=lambda version: version.artefact.manifest.created)

    def use(self, model: Path, evidence: dict[str, Any]) -> Artefact:
        """Put a verified model into use; one from elsewhere is copied in first. `evidence` goes into the history."""
        artefact = self._add(open_artefact(model))
        pointer = read_pointer(self.models)
        earlier = (pointer.now, *pointer.earlier) if pointer else self._shipped()
        now = self._use_of(artefact.folder)
        self._write(Pointer(now=now, earlier=earlier))
        self._note("promoted", now, lineage=artefact.manifest.lineage, evidence=evidence)
        return artefact

    def roll_back(self) -> Artefact:
        """Put the model back into use that was in use before; InputError if there is none.

        The shipped one, where nothing was before and the model in use is missing or was changed.
        """
        pointer = read_pointer(self.models)
        if pointer is None:
            raise InputError(f"{self.models}: no earlier model to go back to")
        broken = digest_of(self.models / pointer.now.model) != pointer.now.digest
        shipped = tuple(use for use in self._shipped() if use.model != pointer.now.model)
        earlier = pointer.earlier or (shipped if broken else ())
        if not earlier:
            advice = f"; put {pointer.now.model} back, or remove {POINTER} and promote a model" if broken else ""
            raise InputError(f"{self.models}: no earlier model to go back to{advice}")
        before = earlier[0]
        folder = self.models / before.model
        artefact = open_artefact(folder)
        if digest_of(folder) != before.digest:
            raise ArtefactError(f"{folder}: not the model that was in use until {pointer.now.since}")
        now = self._use_of(folder)
        self._write(Pointer(now=now, earlier=earlier[1:]))
        self._note("rolled back", now, instead_of=pointer.now.model)
        return artefact

    def refused(self, model: Path, reasons: tuple[str, ...], evidence: dict[str, Any]) -> None:
        """Note in the history that a model was not put into use, and why."""
        self._note("refused", self._use_of(model), reasons=list(reasons), evidence=evidence)

    def _add(self, artefact: Artefact) -> Artefact:
        """The model inside the folder of models, under a name made of its own and its digest."""
        if artefact.folder.resolve().parent == self.models.resolve():
            return Artefact(self.models / artefact.folder.name, artefact.manifest, artefact.taxonomy)
        target = self.models / f"{artefact.manifest.name}-{digest_of(artefact.folder)[:12]}"
        if not target.exists():
            part = self.models / f".{target.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(artefact.folder, part)
            part.rename(target)
        return open_artefact(target)

    def _shipped(self) -> tuple[Use, ...]:
        folder = self.models / SHIPPED
        return (self._use_of(folder),) if digest_of(folder) else ()

    @staticmethod
    def _use_of(folder: Path) -> Use:
        return Use(model=folder.name, digest=digest_of(folder), since=datetime.now(UTC).isoformat(timespec="seconds"))

    def _write(self, pointer: Pointer) -> None:
        with atomic(self.models / POINTER) as part:
            part.write_text(pointer.model_dump_json(indent=1) + "\n", "utf-8")

    def _note(self, event: str, use: Use, **more: Any) -> None:
        line = json.dumps({"event": event, **use.model_dump(), **more}, ensure_ascii=False)
        self.models.mkdir(parents=True, exist_ok=True)
        with (self.models / HISTORY).open("a", encoding="utf-8") as history:
            history.write(line + "\n")
