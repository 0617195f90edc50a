"""An output file that is either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from triage.errors import OutputError


def check_output(path: Path, inputs: Sequence[Path]) -> None:
    """OutputError if `path` cannot be a new file beside the inputs; nothing is touched."""
    if path.is_dir():
        raise OutputError(f"{path}: the output must be a file, given a folder")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist")
    if any(
        path.resolve() == given.resolve() or (path.exists() and given.exists() and path.samefile(given))
        for given in inputs
    ):
        raise OutputError(f"{path}: the output must not be an input or another output")


def check_outputs(paths: Sequence[Path | None], inputs: Sequence[Path]) -> None:
    """`check_output` for each path that is given; OutputError if two of them are one file."""
    given = [path for path in paths if path is not None]
    for number, path in enumerate(given):
        check_output(path, [*inputs, *given[:number]])


@contextmanager
def atomic(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """A temporary path that takes the place of `path` when the block ends well, and is removed when not.

    It lies beside `path`, or in a `folder` on the same disk.
    """
    target = path.resolve()
    part = (folder or target.parent) / f".{target.name}.{os.getpid()}.part"
    try:
        yield part
        _flush_to_disk(part)
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
