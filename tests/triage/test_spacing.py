"""Spaces within words go, spaces between words stay, places stay known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.alignment import AlignedText
from triage.segment import Segmenter
from triage.spacing import join_words

SEGMENTER = Segmenter()
TEXTS = [
    ("我要投 诉你们", "我要投诉你们"),
    ("投 诉 你 们", "投诉 你们"),
    ("客服中心 您好", "客服中心 您好"),
    ("退 款 什么时候到账 没人告诉我", "退款 什么时候到账 没人告诉我"),
    ("都三十八周 疼得蹲地上了", "都三十八周 疼得蹲地上了"),
    ("没有空格", "没有空格"),
    ("iPhone 坏了 找 12315", "iPhone 坏了 找 12315"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "joined"), TEXTS)
def test_only_spaces_within_words_go(text: str, joined: str) -> None:
    assert join_words(AlignedText.of(text), SEGMENTER).text == joined


@given(st.text(alphabet="投诉退款客服你们没人 a1，", max_size=40))
def test_twice_is_once_and_characters_keep_their_places(text: str) -> None:
    once = join_words(AlignedText.of(text), SEGMENTER)
    assert join_words(once, SEGMENTER).text == once.text
    assert once.text.replace(" ", "") == text.replace(" ", "")
    assert [text[start] for start in once.starts] == list(once.text)
