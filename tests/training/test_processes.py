"""Several processes train the network that one process trains."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the 'train' extra")
pytest.importorskip("accelerate", reason="several processes need accelerate, of the 'train' extra")
from safetensors.torch import load_file  # noqa: E402

from tests.training.tiny import examples  # noqa: E402
from training.finetune import Example, share  # noqa: E402

if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
    pytest.skip("processes on a CPU need torch with gloo", allow_module_level=True)

# added to all scores of a softmax alike: nothing but rounding moves them
WITHOUT_EFFECT = ("key.bias", "attention.bias")


def launched(folder: Path, count: int) -> None:
    folder.mkdir()
    line = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(count),
        "-m",
        "tests.training.tiny",
        str(folder),
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, *line], cwd=root, capture_output=True, text=True, timeout=120)  # noqa: S603
    assert done.returncode == 0, done.stderr


def test_two_processes_train_the_network_of_one(tmp_path: Path) -> None:
    for count in (1, 2):
        launched(tmp_path / str(count), count)
    alone = load_file(tmp_path / "1/0.safetensors")
    for process in (0, 1):
        together = load_file(tmp_path / f"2/{process}.safetensors")
        for name in (name for name in alone if not name.endswith(WITHOUT_EFFECT)):
            assert (alone[name] - together[name]).norm() <= 0.03 * alone[name].norm(), name
    epochs = [(tmp_path / str(count) / "epochs").read_text().splitlines() for count in (1, 2)]
    assert len(epochs[0]) == len(epochs[1]) > 0


SHARES: list[tuple[Sequence[float], int, list[int]]] = [
    ([1, 1, 1, 1], 1, [4]),
    ([1, 1, 1, 1], 2, [2, 2]),
    ([1, 0.5, 1, 1, 0.5], 2, [3, 2]),
    ([1, 1], 4, [1, 1, 1, 1]),
]


@pytest.mark.parametrize(("weights", "count", "sizes"), SHARES)
def test_shares_weigh_what_the_batch_weighs(weights: Sequence[float], count: int, sizes: list[int]) -> None:
    """The mean over processes of the weighted sum of losses is the weighted mean of the batch."""
    first = examples()[0]
    batch = [Example(first.encoded, np.array([row], dtype=np.float32), weight) for row, weight in enumerate(weights)]
    parts = [share(batch, process, count) for process in range(count)]
    assert [len(part) for part in parts] == sizes
    sums = [sum(one.weight * float(one.targets[0]) for one in part) for part in parts]
    assert np.mean(sums) == pytest.approx(np.average(range(len(weights)), weights=weights))
