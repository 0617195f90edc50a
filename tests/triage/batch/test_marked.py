"""What may be shown of a case."""

from __future__ import annotations

from typing import Any

import pytest

from triage.batch.marked import mark, mask_result, printable
from triage.case import Case
from triage.privacy import mask_original, mask_text
from triage.result import Evidence

PHONE = "13800138000"
TEXTS = [
    f"我的手机号是{PHONE},打12315",
    "幺三八零零幺三八零零零是我",
    "邮箱 a.b@example.com 卡号 6222 0000 1111 2222",
    "全角138001380OO",
    "",
    "没有号码",
]


@pytest.mark.parametrize("text", TEXTS)
def test_mask_original_is_mask_text(text: str) -> None:
    assert mask_original(text).text == mask_text(text)


def _evidence(start: int, end: int, turn: int = 0) -> Evidence:
    return Evidence(turn, start, end, "?", "k", (), "signal")


@pytest.mark.parametrize(
    ("text", "start", "end", "words"),
    [
        (TEXTS[0], 18, 24, "打12315"),
        (TEXTS[0], 0, 2, "我的"),
        (TEXTS[0], 4, 9, "号是[手机号]"),
        (TEXTS[0], 10, 12, "[手机号]"),
        (TEXTS[0], 16, 19, "[手机号],打"),
        (TEXTS[0], 90, 99, ""),
    ],
)
def test_evidence_is_masked_in_context(text: str, start: int, end: int, words: str, fake_triager: Any) -> None:
    case = Case(text=text)
    result = fake_triager(case)
    object.__setattr__(result, "evidence", (_evidence(start, end),))
    (one,) = mask_result(case, result).evidence
    assert one.text == words
    assert (one.start, one.end) == (start, end)
    (turn,) = mark(case, [one])
    assert "".join(piece.text for piece in turn.pieces if piece.evidence) == words
    assert "".join(piece.text for piece in turn.pieces) == mask_text(text)


def test_spans_of_prefixed_text_find_their_turn() -> None:
    text = "客户:没人管\n客服:您好"
    turns = mark(Case(text=text), [_evidence(3, 6)])
    assert [(turn.speaker, turn.pieces[0].text.strip()) for turn in turns] == [
        ("customer", "没人管"),
        ("agent", "您好"),
    ]
    assert turns[0].pieces[0].evidence


def test_overlapping_evidence_shares_a_piece() -> None:
    (turn,) = mark(Case(text="abcdef"), [_evidence(0, 4), _evidence(2, 6)])
    assert [(piece.text, len(piece.evidence)) for piece in turn.pieces] == [("ab", 1), ("cd", 2), ("ef", 1)]


@pytest.mark.parametrize("bad", ["\x1b[31m", "\x00", "\x07", "\u202e", "\x9b", "\ud800"])
def test_printable_keeps_no_control(bad: str) -> None:
    assert printable(f"a{bad}b\r\nc\t") == f"a{bad.lstrip(bad[0])}b\nc\t"
