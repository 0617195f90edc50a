import pytest

from triage.case import MAX_CHARACTERS, MAX_TURNS, Case
from triage.errors import InputError

REFUSED = [
    ("nothing", {}, "either text or turns"),
    ("both", {"text": "投诉", "turns": [{"speaker": "customer", "text": "投诉"}]}, "not both"),
    ("empty", {"text": ""}, "empty"),
    ("blank", {"text": " \n\u3000"}, "empty"),
    ("only NUL", {"text": "\0\0"}, "empty"),
    ("no turns", {"turns": []}, "empty"),
    ("too long", {"text": "投" * (MAX_CHARACTERS + 1)}, "50000 characters"),
    ("too long together", {"turns": [{"speaker": "agent", "text": "投" * 30_000}] * 2}, "50000 characters"),
    ("too many turns", {"turns": [{"speaker": "agent", "text": "嗯"}] * (MAX_TURNS + 1)}, "1000 turns"),
    ("turn without speaker", {"turns": [{"text": "投诉"}]}, "turns.0.speaker"),
    ("unknown speaker", {"turns": [{"speaker": "robot", "text": "投诉"}]}, "turns.0.speaker"),
    ("unknown channel", {"text": "投诉", "channel": "fax"}, "channel"),
    ("negative contacts", {"text": "投诉", "prior_contacts": -1}, "prior_contacts"),
    ("no date", {"text": "投诉", "created_at": "昨天"}, "created_at"),
    ("text is a number", {"text": 5}, "text"),
    ("UTF-8 read as Latin-1", {"text": "我要投诉你们的客服".encode().decode("latin-1")}, "garbled"),
    ("replacement characters", {"text": "\ufffd\ufffd\ufffd投\ufffd\ufffd诉\ufffd"}, "garbled"),
]
WORDS = "投投投"


@pytest.mark.parametrize(("row", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_with_the_field_and_without_the_text(row: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Case.read(row)
    assert WORDS not in str(caught.value)


def test_longest_allowed() -> None:
    assert Case.read({"text": "投" * MAX_CHARACTERS}).text


def test_accents_and_dots_are_not_garbled() -> None:
    assert Case.read({"text": "café······················好的"}).text


def test_prefixes_become_speakers_with_offsets_into_the_text() -> None:
    text = "客服：您好，请讲\n客户: 我的宽带又断了\n坐席01：您可以拨打12315"
    utterances = Case.from_text(text).utterances()
    assert [one.speaker for one in utterances] == ["agent", "customer", "agent"]
    assert [one.turn for one in utterances] == [0, 1, 2]
    assert all(text[one.offset : one.offset + len(one.text)] == one.text for one in utterances)
    assert utterances[1].text.strip() == "我的宽带又断了"


def test_one_prefix_alone_is_not_a_conversation() -> None:
    assert len(Case.from_text("客户：来电反映宽带断网，要求退费").utterances()) == 1


def test_an_unmarked_call_has_an_unknown_speaker() -> None:
    assert Case.read({"text": "喂你好我宽带断了", "channel": "call"}).utterances()[0].speaker == "unknown"
