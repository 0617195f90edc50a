"""The engine of many machines: Ray Data hands the numbers of shards to a pool of actors.

Rows and answers go by files in the journal's folder, which all machines must see under the same name. A shard's files
are the same whoever writes them and however often, so Ray may try again what a lost machine had begun.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import ray
import ray.data
from ray.exceptions import RayError

from triage.batch.journal import Journal
from triage.batch.shards import Answered, Loader, Shards, answer_shard
from triage.errors import EngineError

logging.getLogger("ray.data").setLevel(logging.ERROR)  # its bars stay; its log says the same every ten seconds


@dataclass(frozen=True, slots=True)
class RayData:
    """`load` holds paths; each of `workers` actors (0: as many as the cluster has cores) loads the model by it.

    `address` names a running cluster; without it Ray starts on this machine and ends with the run.
    """

    load: Loader
    address: str | None = None
    workers: int = 0

    def __call__(self, shards: Shards, journal: Journal) -> Generator[Answered]:
        waiting = []
        for shard in shards:
            if not journal.has(shard.number):
                journal.write_rows(shard.number, shard.rows)
                waiting.append({"shard": shard.number})
        if waiting:
            self._answer(waiting, shards.batch_size, journal)
        for shard in shards:
            yield shard, journal.answers(shard.number)

    def _answer(self, waiting: list[dict[str, int]], batch_size: int, journal: Journal) -> None:
        try:
            with ray.init(
                self.address or "local",
                num_cpus=None if self.address else self.workers or None,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            ):
                workers = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))  # type: ignore[no-untyped-call]
                done = ray.data.from_items(waiting, override_num_blocks=len(waiting)).map_batches(
                    _Actor,
                    batch_size=1,
                    num_cpus=1,
                    compute=ray.data.ActorPoolStrategy(size=min(workers, len(waiting))),
                    fn_constructor_args=(self.load, journal, batch_size),
                )
                for _ in done.iter_batches(batch_size=None):
                    pass
        except (RayError, ConnectionError, RuntimeError) as error:
            raise EngineError(
                f"Ray at {self.address or 'this machine'}: {type(error).__name__}; what was done is kept: add --resume"
            ) from error


class _Actor:
    """One process of the pool."""

    def __init__(self, load: Loader, journal: Journal, batch_size: int):
        self._triager, self._journal, self._batch_size = load(), journal, batch_size

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        for number in map(int, batch["shard"]):
            if not self._journal.has(number):
                answer_shard(self._triager, number, self._journal.rows(number), self._batch_size, self._journal)
        return batch
