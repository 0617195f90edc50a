"""Clauses: where they end, and whose words they are."""

from __future__ import annotations

from typing import Any

import pytest

from triage.case import Case
from triage.clauses import clauses
from triage.prepare import Prepared, prepare
from triage.segment import Segmenter
from triage.signals import load_lexicon

SEGMENTER = Segmenter()
AGENT_WORDS = load_lexicon().agent_words


def cut(*turns: tuple[str, str]) -> tuple[list[Prepared], list[str]]:
    case = Case.model_validate({"turns": [{"speaker": speaker, "text": text} for speaker, text in turns]})
    utterances = prepare(case, SEGMENTER)
    found = []
    for position, first, last in clauses(utterances, AGENT_WORDS):
        said = utterances[position]
        found.append(said.text[said.words[first].start : said.words[last - 1].end])
    return utterances, found


@pytest.mark.parametrize(
    ("speaker", "text", "wanted"),
    [
        (
            "customer",
            "打了三次电话，没人管！！！再不解决我就打12315",
            ["打了三次电话", "没人管", "再不解决我就打12315"],
        ),
        ("customer", "十个小时 没一个人给我打电话", ["十个小时", "没一个人给我打电话"]),
        ("customer", "网速3.5兆。慢", ["网速3.5兆", "慢"]),
        ("customer", "……，。！", []),
        ("customer", "🙂", ["🙂"]),
        ("customer", "您这边怎么回事", ["您这边怎么回事"]),
        ("agent", "很抱歉，马上处理", []),
        ("unknown", "我要投诉。请您稍等。没人管", ["我要投诉", "没人管"]),
    ],
)
def test_where_clauses_end(speaker: str, text: str, wanted: list[str]) -> None:
    assert cut((speaker, text))[1] == wanted


def test_long_runs_are_cut_between_words_and_nothing_is_lost() -> None:
    text = "我闺蜜叫我报警我想先问问你们能不能管得住他半夜在我家楼下按喇叭影响邻居休息" * 3
    utterances, found = cut(("unknown", text))
    assert "".join(found) == text
    assert all(8 <= len(one) <= 28 for one in found)
    ends = {word.end for word in utterances[0].words}
    assert {sum(map(len, found[:count])) for count in range(1, len(found) + 1)} <= ends


def test_clauses_come_in_order_of_speech_and_do_not_overlap() -> None:
    turns: list[Any] = [("customer", "没人管，算了"), ("agent", "好的"), ("unknown", "行吧，随便")]
    places = clauses(cut(*turns)[0], AGENT_WORDS)
    assert places == sorted(places)
    assert len({(one.utterance, one.first) for one in places}) == len(places) == 4
