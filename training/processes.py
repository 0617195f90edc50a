"""The processes that train one network together: one on a CPU or a GPU, or several that a launcher started."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TypeVar

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
from accelerate.utils import broadcast_object_list

Value = TypeVar("Value")
_PATIENCE = timedelta(hours=12)  # how long the others wait while one chooses on dev


@cache
def processes() -> Accelerator:
    """This process among those that train together; on the CPU where there is no CUDA device."""
    # an encoder may have parts that no head uses
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(
        cpu=not torch.cuda.is_available(),
        mixed_precision="no",
        kwargs_handlers=[unused, InitProcessGroupKwargs(timeout=_PATIENCE)],
    )


def shared(value: Value) -> Value:
    """The value that the main process gives, in all of them; they wait for it."""
    values = [value]
    broadcast_object_list(values)
    return values[0]
