import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.errors import SettingsError
from triage.segment import ENGINES, Segmenter, domain_words

SEGMENTERS = {engine: Segmenter(engine) for engine in ENGINES}
TABLE = [
    ("我要去金融监管局投诉", "金融监管局"),
    ("别踢皮球", "踢皮球"),
    ("转人工", "转人工"),
    ("连续包月怎么关", "连续包月"),
    ("电话是[手机号]", "[手机号]"),
    ("真行啊[呵呵]", "[呵呵]"),
    ("打12315", "12315"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("text", "word"), TABLE)
def test_domain_words_stay_whole(engine: str, text: str, word: str) -> None:
    assert word in [found.text for found in SEGMENTERS[engine](text)]


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60)
@given(text=st.text(st.sampled_from("我要投诉你们12315[呵呵] \n金融监管局abC😡,。"), max_size=50))
def test_words_join_back_to_the_text(engine: str, text: str) -> None:
    words = SEGMENTERS[engine](text)
    assert "".join(word.text for word in words) == text
    assert all(text[word.start : word.end] == word.text for word in words)


def test_dictionary_has_no_doubles() -> None:
    words = domain_words()
    assert len(words) == len(set(words)) > 100


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"allowed are rjieba, jieba; given 'thulac'"):
        Segmenter("thulac")  # type: ignore[arg-type]
