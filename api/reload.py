"""Another model takes over while the service runs: loaded and tried beside the old one, refused if it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.answering import answer_all
from api.logs import get_logger
from api.metrics import Metrics
from triage.case import Case, Turn
from triage.errors import TriageError
from triage.result import TriageResult

if TYPE_CHECKING:
    from triage.batch.shards import CaseTriager

logger = get_logger(__name__)
# Of several kinds and lengths, so that what is made when it is first needed is there before the first customer.
SELF_TEST = (
    Case(id="self-test-ticket", text="等了三天没有人回复，麻烦处理一下。"),
    Case(
        id="self-test-letter",
        text="我已经打了好几次电话，每次都说登记，说好的退款到现在也没有到账，客服之间互相推来推去。你们领导是谁？让他给我回电话。"
        "再不处理我就打12315，找记者曝光，要么法院见。我要你们道歉，还要赔偿我的损失，明天之前给我答复，不然以后再也不用你们家的了。",
    ),
    Case(
        id="self-test-call",
        channel="call",
        turns=(
            Turn(speaker="agent", text="您好，请问有什么可以帮您？"),
            Turn(speaker="customer", text="上个月的账单不对，多扣了三十块钱，我昨天就打过电话了。"),
            Turn(speaker="agent", text="非常抱歉，我这边帮您查一下，请稍等，处理好之后会有专人联系您。"),
            Turn(speaker="customer", text="又是等，算了，随便你们吧，反正每次都这样，没用的。"),
        ),
    ),
)
Print = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where triagers come from: `load` makes one from the files, and those in the folders, at `paths`."""

    load: Callable[[], CaseTriager]
    paths: tuple[Path, ...] = ()


class Reloader:
    """Makes a triager anew from `source`; `take_over` puts it in the place of the old one, on the event loop."""

    def __init__(self, source: Source, take_over: Callable[[CaseTriager], None], metrics: Metrics):
        self._source = source
        self._take_over = take_over
        self._metrics = metrics
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> bool:
        """Whether the new model has taken over; if not, the old one stays and the log says why."""
        async with self._one_at_a_time:
            try:
                triager = await asyncio.to_thread(self._tried)
            except Exception as error:
                known = isinstance(error, TriageError)  # its message speaks of files, another's may hold anything
                logger.error("reload refused", reason=str(error) if known else type(error).__name__)
                self._metrics.reloaded("refused")
                return False
            self._take_over(triager)
            self._metrics.reloaded("done")
            return True

    async def watch(self, seconds: float) -> None:
        """Reload whenever the files of the source have changed; looks every so many seconds, for ever."""
        seen = await asyncio.to_thread(fingerprint, self._source.paths)
        while True:
            await asyncio.sleep(seconds)
            now = await asyncio.to_thread(fingerprint, self._source.paths)
            if now != seen:
                seen = now
                await self()

    def _tried(self) -> CaseTriager:
        triager = self._source.load()
        for answer in answer_all(triager, SELF_TEST):
            if not isinstance(answer, TriageResult):
                raise TriageError(f"self-test: {answer.detail}")
        return triager


def fingerprint(paths: Iterable[Path]) -> Print:
    """Names, sizes and times of the files at the paths and in the folders; a link counts as what it points to."""
    files = [file for path in paths for file in (path.resolve().iterdir() if path.is_dir() else [path.resolve()])]
    return frozenset((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file())
