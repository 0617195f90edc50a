"""A label as people write it: its code, or its Chinese or English name; several in one cell for a multi-label head."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping
from typing import Any

from triage.batch.cells import cell_text
from triage.errors import InputError, LabelError
from triage.privacy import mask_text
from triage.taxonomy import Code, Head, Taxonomy

SEPARATOR = ";"
_SEPARATORS = re.compile(r"[;；、,，|\n]+")
_SHOWN = 40
_NO_LABEL = {"", "无", "没有", "none", "-", "[]"}
_WHOLE = re.compile(r"(-?\d+)\.0+")
_SPLITS = {
    "train": "train training 训练 训练集",
    "dev": "dev development val valid validation 验证 验证集 开发 开发集",
    "test": "test testing 测试 测试集",
}
_SPLIT_OF = {name: split for split, names in _SPLITS.items() for name in names.split()}


def read_labels(given: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """Codes by head. A head that is absent, null or blank is unknown and left out; others are ignored.

    InputError names the head, what is allowed and what was given.
    """
    labels = {head.name: read_label(head, given.get(head.name)) for head in taxonomy.heads}
    return {name: value for name, value in labels.items() if value is not None}


def read_label(head: Head, value: object) -> Code | list[Code] | None:
    """The code, or for a multi-label head the codes, each once; None if nothing was said.

    For a multi-label head an empty list, `无`, `none` or `-` says that no label applies.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    parts = value if isinstance(value, list | tuple) else [value]
    if head.kind == "multi":
        return list(dict.fromkeys(code for part in parts for code in _codes(head, part)))
    if len(parts) != 1:
        raise InputError(f"{head.name}: exactly one label is allowed, given {_shown(list(parts))}")
    return _code(head, parts[0])


def _codes(head: Head, value: object) -> list[Code]:
    """One label, or several with a separator between them. A label may itself contain the separator."""
    found = find_code(head, value)
    if found is not None:
        return [found]
    parts = [part.strip() for part in _SEPARATORS.split(cell_text(value))]
    return [_code(head, part) for part in parts if part.lower() not in _NO_LABEL]


def _code(head: Head, value: object) -> Code:
    found = find_code(head, value)
    if found is None:
        allowed = ", ".join(f"{label.code} {label.zh}" for label in head.labels)
        raise LabelError(f"{head.name}: allowed are {allowed}; given {_shown(value)}")
    return found


def find_code(head: Head, value: object) -> Code | None:
    """The label that goes by this code, Chinese or English name, whatever its width and case; None if none does.

    A numeric code may be written as a float: `3.0`.
    """
    wanted = _plain(cell_text(value))
    for names in ("code", "zh", "en"):
        for label in head.labels:
            if _plain(str(getattr(label, names))) == wanted:
                return label.code
    whole = _WHOLE.fullmatch(wanted)
    return next((label.code for label in head.labels if whole and label.code == int(whole[1])), None)


def split_named(given: object) -> str:
    """`train`, `dev` or `test` by any of its names, empty if nothing was said; InputError for another name."""
    name = _plain(cell_text(given))
    if name and name not in _SPLIT_OF:
        raise InputError(f"split: allowed are train 训练, dev 验证, test 测试; given {_shown(given)}")
    return _SPLIT_OF.get(name, "")


def strictest(named: Container[str]) -> str:
    """Of the splits that are named the one that asks most: test, then dev, then train; empty if none is."""
    return next((split for split in ("test", "dev", "train") if split in named), "")


def _shown(value: object) -> str:
    """The beginning of what was given, masked: a text may have slipped into the column."""
    shown = mask_text(repr(value))
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().lower()
