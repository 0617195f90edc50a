"""`triage score` with a triager that is slow and needs no model, in worker processes. A program for tests.

The environment variable `FILE_BYTES` bounds the size of every file, as a full disk would.
"""

from __future__ import annotations

import os
import resource
from typing import Any

from tests.fakes import load_slow
from triage import cli
from triage.batch.local import Local


def make_engine(_: object, triager: Any, *__: object) -> Local:
    return Local(triager, load_slow, workers=2)


if __name__ == "__main__":
    if "FILE_BYTES" in os.environ:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["FILE_BYTES"]), resource.RLIM_INFINITY))
    cli.load_triager = lambda *_: load_slow()
    cli.make_engine = make_engine
    cli.main()
