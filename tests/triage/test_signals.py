"""Signals: the tables of examples, speakers, withdrawal, spans, and what a broken table says."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from triage.case import Case, Speaker
from triage.errors import SettingsError
from triage.normalise import normalise
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.signals import Signal, SignalFinder, load_lexicon
from triage.signals.lexicon import DEFAULT_LEXICON
from triage.signals.phrase import PhraseError, compile_frames, compile_phrases, parse_list

EXAMPLES = Path(__file__).parent / "signal_examples"
TABLES: dict[str, dict[str, list[str]]] = {
    file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted(EXAMPLES.glob("*.yaml"))
}
LEXICON = load_lexicon()
FINDER = SignalFinder(LEXICON)
SEGMENTER = Segmenter(words=())
THREATS = sorted(code for code, kind in LEXICON.kinds.items() if kind.withdrawable)


def find(**case: Any) -> list[Signal]:
    return FINDER(prepare(Case.read(case), SEGMENTER))


def kinds(**case: Any) -> set[str]:
    return {signal.kind for signal in find(**case)}


def turns(*said: tuple[Speaker, str]) -> list[dict[str, str]]:
    return [{"speaker": speaker, "text": text} for speaker, text in said]


def rows(side: str) -> list[tuple[str, str]]:
    return [(kind, text) for kind, table in TABLES.items() for text in table[side]]


def test_every_kind_has_a_table_of_at_least_twelve_and_twelve() -> None:
    assert set(TABLES) == set(LEXICON.kinds)
    assert all(len(table[side]) >= 12 for table in TABLES.values() for side in ("hits", "misses"))


@pytest.mark.parametrize(("kind", "text"), rows("hits"))
def test_hit(kind: str, text: str) -> None:
    assert kind in kinds(text=text)


@pytest.mark.parametrize(("kind", "text"), rows("misses"))
def test_miss(kind: str, text: str) -> None:
    assert kind not in kinds(text=text)


@pytest.mark.parametrize("text", [text for _, text in rows("hits")])
def test_agent_words_are_no_signal(text: str) -> None:
    assert find(turns=turns(("customer", "我想问一下"), ("agent", text))) == []


@pytest.mark.parametrize(
    "line",
    [
        "您可以拨打12315反映这个情况",
        "请问您已经报警了吗我这边帮您登记",
        "这边建议您到法院起诉对方",
        "我帮您申请平台介入您看可以吗",
    ],
)
def test_unmarked_lines_that_sound_like_an_agent_are_no_threat(line: str) -> None:
    assert not kinds(turns=turns(("unknown", line))) & set(THREATS)


def test_unmarked_customer_lines_count() -> None:
    found = kinds(turns=turns(("unknown", "您好请讲"), ("unknown", "你们不退我就打幺二三幺五")))
    assert "regulator_threat" in found


def test_two_people_in_one_unmarked_line() -> None:
    signals = find(turns=turns(("unknown", "您可以拨打12315 我就是要去法院起诉你们")))
    assert {signal.kind for signal in signals} & set(THREATS) == {"court_threat"}


@pytest.mark.parametrize(
    ("threat", "withdrawal"),
    [
        ("我要打12315", "那我就不投诉了，谢谢"),
        ("再不退我去12315", "算了我不去12315了"),
        ("我马上曝光你们", "刚才说曝光是气话"),
        ("我要起诉你们", "行，起诉的话我收回"),
        ("我报警了啊", "当我没说"),
        ("我黑猫已经投诉了", "投诉我撤了，麻烦你们"),
    ],
)
def test_a_threat_taken_back_is_gone(threat: str, withdrawal: str) -> None:
    said = turns(("customer", threat), ("agent", "马上为您处理"), ("customer", withdrawal))
    assert kinds(turns=said[:2]) & set(THREATS)
    assert not kinds(turns=said) & set(THREATS)


def test_a_threat_after_the_withdrawal_counts() -> None:
    said = turns(("customer", "那就不投诉了"), ("customer", "你们又骗我，我现在就去12315"))
    assert "regulator_threat" in kinds(turns=said)


@pytest.mark.parametrize("text", ["你们让我撤诉，不可能", "想让我撤投诉？我去12315", "再不处理就不是不投诉了的事"])
def test_refusing_to_withdraw_withdraws_nothing(text: str) -> None:
    assert "court_threat" in kinds(turns=turns(("customer", "我要起诉你们"), ("customer", text)))


def test_despair_cannot_be_taken_back() -> None:
    assert "self_harm" in kinds(turns=turns(("customer", "我不想活了"), ("customer", "没有，当我没说")))


def test_settled_counts_near_the_end_only() -> None:
    filler: tuple[Speaker, str] = ("customer", "我还有一个问题没弄懂")
    assert "settled" not in kinds(turns=turns(("customer", "好的谢谢"), *[filler] * 8))
    assert "settled" in kinds(turns=turns(*[filler] * 8, ("customer", "好的谢谢")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("今天不退我就打12315", "打12315"),
        ("今天不退我就打１２３１５", "打１２３１５"),
        ("今天不退我就打\u200b12\u200b315", "打\u200b12\u200b315"),
        ("你們不處理我就去法院起訴", "去法院起訴"),
        ("订单号　是  8\n我要去12315投诉", "去12315投诉"),
        ("ＴＭＤ等了三个小时", "ＴＭＤ"),
    ],
)
def test_span_points_into_the_original(text: str, said: str) -> None:
    spans = [(signal, text[signal.start : signal.end]) for signal in find(text=text)]
    assert said in [original for _, original in spans]
    assert all(normalise(original).text == signal.text for signal, original in spans)


def test_span_points_into_the_case_text_of_a_prefixed_conversation() -> None:
    text = "客户：我要投诉到工信部\n客服：您可以拨打12315\n客户：再见"
    (signal,) = [signal for signal in find(text=text) if signal.kind == "regulator_threat"]
    assert text[signal.start : signal.end] == signal.text == "投诉到工信部"


def test_no_identifier_in_the_words_of_a_signal() -> None:
    signals = find(text="骗子怎么知道我13800138000的号码")
    assert signals
    assert all("13800138000" not in signal.text for signal in signals)


def test_signals_are_sorted_and_repeatable() -> None:
    case = {"turns": turns(("customer", "我要起诉你们，也打12315"), ("customer", "我还要找记者曝光"))}
    signals = find(**case)
    assert signals == sorted(signals, key=lambda signal: (signal.turn, signal.start)) == find(**case)


def test_lexicon_names_every_kind() -> None:
    assert LEXICON.version
    assert all(kind.zh and kind.en for kind in LEXICON.kinds.values())


@pytest.mark.parametrize(
    ("text", "found"),
    [("甲乙", True), ("甲丙", True), ("甲 丁丁 丙", True), ("甲。丙", False), ("幺二三幺五", True), ("912315", False)],
)
def test_notation(text: str, found: bool) -> None:
    pattern = compile_phrases(["甲(乙|…<末>)", "12315"], {"末": parse_list(["丙"], {})})
    assert (pattern.search(text) is not None) is found


@pytest.mark.parametrize("phrase", ["(甲", "甲)", "…甲", "(甲|)", "<没有>", "甲<", "……………甲", ""])
def test_a_broken_phrase_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError):
        compile_phrases([phrase], {})


def test_a_frame_has_one_star() -> None:
    with pytest.raises(PhraseError, match="once"):
        compile_frames(["没有"], {})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  - 烧炭", "  - (烧炭", r"phrase .*without its \)"),
        ('  - "*……哈哈"', '  - "*……(哈哈"', r"phrase .*without its \)"),
        ('  - "*……哈哈"', '  - "*……*哈哈"', r"phrase .*has \* once"),
        ("  轻生: [自杀", "  轻生: [<没有>自杀", r"phrase .*unknown list <没有>"),
        ("code: self_harm", "code: selfharm", r"code: must be the file's name self_harm"),
        ("vetoes: []", "vetoes: [negatoin]", r"vetoes: allowed are .*given 'negatoin'"),
        ("zh: 轻生倾向", "zhh: 轻生倾向", r"zhh: "),
    ],
)
def test_a_broken_table_is_named_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = copytree(DEFAULT_LEXICON, tmp_path / "lexicon")
    table = folder / "kinds" / "self_harm.yaml"
    text = table.read_text("utf-8")
    line = text[: text.index(old)].count("\n") + 1
    table.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError, match=rf"self_harm\.yaml:{line}: {says}"):
        load_lexicon(folder)
