"""Evidence: what comes first, that it lies where it says, and that it repeats no place before all were shown."""

from __future__ import annotations

from itertools import combinations

import pytest

from triage.case import Case
from triage.result import Evidence
from triage.triager import Triager

COMPLAINTS = [
    "我打了三次电话都没人管，你们到底想怎么样？再不解决我就打12315。",
    "冰箱坏了，修了三次还是不制冷，夏天的菜全坏了。售后一直推，退款退款退款，我要退款！",
    "师傅说好上午来，等到晚上也没来，打电话没人接，你们就是这样做生意的吗？",
]


@pytest.fixture(scope="module", params=COMPLAINTS)
def evidence(request: pytest.FixtureRequest, shipped: Triager) -> tuple[Evidence, ...]:
    return shipped(str(request.param)).evidence


def overlap(one: Evidence, other: Evidence) -> bool:
    return one.turn == other.turn and one.start < other.end and other.start < one.end


def test_the_first_three_are_different_places(evidence: tuple[Evidence, ...]) -> None:
    assert len(evidence) >= 3
    assert not any(overlap(one, other) for one, other in combinations(evidence[:3], 2))


def test_repeats_of_a_place_come_after_every_place(evidence: tuple[Evidence, ...]) -> None:
    repeats = [any(overlap(one, earlier) for earlier in evidence[:place]) for place, one in enumerate(evidence)]
    assert repeats == sorted(repeats)
    for group in (False, True):
        weights = [one.weight for one, repeat in zip(evidence, repeats, strict=True) if repeat is group]
        assert weights == sorted(weights, reverse=True)


def test_a_phrase_is_named_once_with_all_heads_it_supports(evidence: tuple[Evidence, ...], shipped: Triager) -> None:
    phrases = [one for one in evidence if one.source == "model"]
    assert len({(one.turn, one.start, one.end) for one in phrases}) == len(phrases)
    supported = [head for one in phrases for head in one.supports]
    assert all(1 <= supported.count(head) <= 2 for head in set(supported))
    assert set(supported) <= {head.name for head in shipped.taxonomy.heads if head.neutral is not None}


def test_every_signal_is_among_it_wherever_it_stands(shipped: Triager) -> None:
    kinds = [one.kind for one in shipped(COMPLAINTS[1]).evidence if one.source == "signal"]
    assert kinds.count("compensation_request") >= 2
    assert "regulator_threat" in {one.kind for one in shipped(COMPLAINTS[0]).evidence}


def test_what_decides_comes_before_what_is_told_by_the_way(shipped: Triager) -> None:
    story = "我是三号楼的住户，上周二在你们店买的洗衣机，颜色是白色的，放在阳台，"
    result = shipped(story + "漏水淹了地板没人管，态度恶劣，我要去12315投诉你们")
    assert all(one.start >= len(story) for one in result.evidence[:2])


def test_a_question_needs_no_evidence(shipped: Triager) -> None:
    assert shipped("你好，我想问一下话费怎么查").evidence == ()


def test_an_agent_is_no_evidence_where_nobody_marked_the_speaker(shipped: Triager) -> None:
    turns = ["我这宽带断了三天没人管，太气人了", "非常抱歉给您带来不便，我帮您登记加急处理", "每次都这么说，我要投诉"]
    case = Case.model_validate({"channel": "call", "turns": [{"speaker": "unknown", "text": one} for one in turns]})
    assert {one.turn for one in shipped(case).evidence} == {0, 2}
