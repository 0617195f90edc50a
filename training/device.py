"""Where the network is trained: on a GPU if there is one."""

from __future__ import annotations

import torch


def default_device() -> torch.device:
    """The first CUDA device, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
