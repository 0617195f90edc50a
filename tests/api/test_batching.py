"""The queue: what is joined, what is dropped, what is refused, and that the loop stays free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from api.batching import Answer, Batcher, Overloaded
from api.metrics import Metrics
from api.settings import ServiceSettings
from tests.fakes import GatedTriager
from triage.case import Case

Calls = list[list[str]]
Scene = Callable[[Batcher], Coroutine[Any, Any, None]]


def play(triager: GatedTriager, scene: Scene, **settings: Any) -> Calls:
    """The calls of the model, by the ids of their cases. The first call, for `busy`, waits until the gate opens."""

    def work(cases: Sequence[Case]) -> list[Answer]:
        return list(triager.pipe(cases))

    async def run() -> None:
        batcher = Batcher(work, ServiceSettings.model_validate({"auth": False, **settings}), Metrics())
        triager.gate.clear()
        busy = asyncio.create_task(batcher.submit(cases("busy")))
        await until(lambda: bool(triager.calls))
        await scene(batcher)
        triager.gate.set()
        await busy
        await batcher.close()
        assert batcher.load == 0

    asyncio.run(run())
    return triager.calls[1:]


def cases(*ids: str, length: int = 10) -> list[Case]:
    return [Case(id=name, text="差" * length) for name in ids]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def submitted(batcher: Batcher, *groups: Sequence[Case]) -> list[asyncio.Task[list[Answer]]]:
    tasks = [asyncio.create_task(batcher.submit(group)) for group in groups]
    await asyncio.sleep(0.02)
    return tasks


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({}, [["a", "b", "c1", "c2"]]),
        ({"call_cases": 3}, [["a", "b", "c1"], ["c2"]]),
        ({"call_cases": 1}, [["a"], ["b"], ["c1"], ["c2"]]),
        ({"call_characters": 120}, [["a", "b"], ["c1", "c2"]]),
        ({"call_characters": 1}, [["a"], ["b"], ["c1"], ["c2"]]),
    ],
)
def test_waiting_requests_are_joined(triager: GatedTriager, settings: dict[str, int], calls: Calls) -> None:
    async def scene(batcher: Batcher) -> None:
        await submitted(batcher, cases("a"), cases("b"), cases("c1", "c2"))

    assert play(triager, scene, **settings) == calls


def test_a_large_batch_holds_nobody_up(triager: GatedTriager) -> None:
    async def scene(batcher: Batcher) -> None:
        await submitted(batcher, cases("a1", "a2", "a3", "a4"), cases("b"))

    assert play(triager, scene, call_cases=2) == [["a1", "b"], ["a2", "a3"], ["a4"]]


def test_each_gets_its_own_answers_in_order(triager: GatedTriager) -> None:
    found: list[list[str]] = []

    async def scene(batcher: Batcher) -> None:
        tasks = await submitted(batcher, cases("a1", "a2", "a3"), cases("b"))
        triager.gate.set()
        found.extend([[answer.id for answer in answers] for answers in await asyncio.gather(*tasks)])

    play(triager, scene, call_cases=2)
    assert found == [["a1", "a2", "a3"], ["b"]]


def test_who_is_gone_is_dropped(triager: GatedTriager) -> None:
    async def scene(batcher: Batcher) -> None:
        gone, *_ = await submitted(batcher, cases("a1", "a2"), cases("b"))
        before = batcher.load
        gone.cancel()
        await asyncio.wait({gone})
        assert batcher.load < before

    assert play(triager, scene) == [["b"]]


def test_gone_while_running(triager: GatedTriager) -> None:
    async def scene(batcher: Batcher) -> None:
        half, *_ = await submitted(batcher, cases("a1", "a2", "a3"))
        triager.gate.set()
        await until(lambda: len(triager.calls) > 1)
        half.cancel()

    assert play(triager, scene, call_cases=1)[0] == ["a1"]


def test_over_capacity_is_refused_at_once(triager: GatedTriager) -> None:
    async def scene(batcher: Batcher) -> None:
        await submitted(batcher, cases("a"))
        with pytest.raises(Overloaded) as refusal:
            await batcher.submit(cases("b"))
        assert 1 <= refusal.value.retry_after <= 60

    assert play(triager, scene, queue_characters=130) == [["a"]]


def test_a_request_beyond_the_capacity_is_taken_when_nothing_waits(triager: GatedTriager) -> None:
    async def scene(batcher: Batcher) -> None:
        triager.gate.set()
        await until(lambda: batcher.load == 0)
        await submitted(batcher, cases("a", length=5_000))

    assert play(triager, scene, queue_characters=100) == [["a"]]


def test_close_answers_what_was_accepted(triager: GatedTriager) -> None:
    async def scene(batcher: Batcher) -> None:
        tasks = await submitted(batcher, cases("a"), cases("b"))
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.02)
        with pytest.raises(Overloaded):
            await batcher.submit(cases("late"))
        assert not closing.done()
        triager.gate.set()
        assert all([len(await task) == 1 for task in tasks])

    assert play(triager, scene) == [["a", "b"]]
