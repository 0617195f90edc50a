"""A workbook written without the time of writing, so that the same cells make the same bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.writer.excel import ExcelWriter

_BEGINNING = (1980, 1, 1, 0, 0, 0)
_COPIED_AT_ONCE = 1 << 20


class _DatelessZip(ZipFile):
    """An archive whose members all bear the first date that the format knows."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *args: Any, **kwargs: Any) -> None:
        super().writestr(_member(zinfo_or_arcname), data, *args, **kwargs)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        with Path(filename).open("rb") as source, self.open(_member(arcname), "w", force_zip64=True) as member:
            while piece := source.read(_COPIED_AT_ONCE):
                member.write(piece)


def _member(name: str) -> ZipInfo:
    info = ZipInfo(name, _BEGINNING)
    info.compress_type = ZIP_DEFLATED
    return info


def save(book: Workbook, path: Path) -> None:
    """Write and close the workbook."""
    book.properties.created = book.properties.modified = datetime(*_BEGINNING)
    ExcelWriter(book, _DatelessZip(path, "w", ZIP_DEFLATED, allowZip64=True)).save()
