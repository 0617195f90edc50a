import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.normalise import normalise

TABLE = [
    ("full width", "ＡＢ１２３！", "AB123!"),
    ("traditional", "投訴客服，後來乾淨了", "投诉客服,后来干净了"),
    ("zero width and BOM", "\ufeff投\u200b诉\u2060", "投诉"),
    ("NUL and control", "投\x00诉\x07", "投诉"),
    ("whitespace runs", "投诉 \t\n  你们\u3000吧", "投诉 你们 吧"),
    ("one character to several", "㈱…", "(株)..."),
    ("emoji kept", "气死了😡", "气死了😡"),
    ("strewn combining marks", "投\u0f7c诉\u0301你\u20dd", "投诉你"),
    ("empty", "", ""),
]


@pytest.mark.parametrize(("text", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(text: str, wanted: str) -> None:
    assert normalise(text).text == wanted


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_twice_is_once(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@given(st.text(st.sampled_from("投訴後Ａ１ 　\u200b\n…㈱x"), max_size=40))
def test_every_character_leads_back(text: str) -> None:
    aligned = normalise(text)
    assert len(aligned.text) == len(aligned.starts) == len(aligned.ends)
    for position, char in enumerate(aligned.text):
        start, end = aligned.to_original(position, position + 1)
        assert 0 <= start < end <= len(text)
        assert normalise(text[start:end]).text in ("", char) or char in normalise(text[start:end]).text


def test_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="non-empty"):
        normalise("投诉").to_original(1, 1)
