"""Hints at agent lapses: what is one, what only looks like one, and where it lies."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from training.lapses import measure
from triage.case import Case
from triage.errors import SettingsError
from triage.lapses import LapseFinder, load_lapses
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.signals import Signal, SignalFinder, load_lexicon
from triage.signals.lexicon import DEFAULT_LEXICON

LEXICON = load_lexicon()
SIGNALS, LAPSES = SignalFinder(LEXICON), LapseFinder(load_lapses(LEXICON.kinds))
SEGMENTER = Segmenter(words=())


def find(*said: str) -> list[Signal]:
    """`坐` and `客` begin a turn of agent and customer."""
    speakers = {"坐": "agent", "客": "customer", "未": "unknown"}
    turns: list[dict[str, Any]] = [{"speaker": speakers[turn[0]], "text": turn[1:]} for turn in said]
    utterances = prepare(Case.read({"turns": turns}), SEGMENTER)
    return LAPSES(utterances, SIGNALS(utterances))


HITS = {
    "wrong_info": ("客要手续费吗", "坐刚才我说错了，要收五块"),
    "unsure": ("客能退吗", "坐这个我也不太清楚"),
    "promise_open": ("客什么时候修", "坐我们会尽快给您回复的"),
    "promise_broken": ("客说昨天来没来", "坐抱歉，昨天师傅忘了给您安排"),
    "passing_around": ("客快递坏了", "坐这个不归我们管，您找卖家"),
    "cold": ("客怎么又坏了", "坐那您想怎么样"),
    "interrupting": ("客我昨天去你们店里", "坐你先别说了，单号多少"),
    "no_regard": ("客我爸上周去世了，想销户", "坐请本人来办理"),
    "no_apology": ("客说好三天退款到现在都没退", "坐您的单子在处理"),
    "hung_up": ("客我还没说完", "坐不跟你说了，我挂了"),
}
MISSES = {
    "wrong_info": ("客我是不是填错了", "坐如果您看错了可以改"),
    "unsure": ("客能退吗", "坐我不确定，我现在帮您核实一下"),
    "promise_open": ("客什么时候修", "坐我们会尽快修，最晚明天下午五点前"),
    "promise_broken": ("客我忘了密码", "坐您是不是忘了，我帮您重置"),
    "passing_around": ("客快递坏了", "坐您不用找卖家，我帮您联系"),
    "cold": ("客你们是不是没办法", "坐我没办法马上确认，我帮您查"),
    "interrupting": ("客我昨天去你们店里", "坐您慢慢说，我在听"),
    "no_regard": ("客我爸上周去世了，想销户", "坐请您节哀，我帮您办"),
    "no_apology": ("客说好三天退款到现在都没退", "坐非常抱歉，今天就退"),
    "hung_up": ("客好的谢谢再见", "坐那我先挂了"),
}


def test_every_kind_has_a_hit_and_a_miss() -> None:
    assert set(HITS) == set(MISSES) == set(LAPSES.lapses)


@pytest.mark.parametrize("kind", HITS)
def test_hit(kind: str) -> None:
    assert kind in {one.kind for one in find(*HITS[kind])}


@pytest.mark.parametrize("kind", MISSES)
def test_miss(kind: str) -> None:
    assert kind not in {one.kind for one in find(*MISSES[kind])}


REPROACHED = {
    "interrupting": ("客我昨天去你们店里", "坐哦那您报一下单号", "客你让我说完"),
    "cold": ("客放哪里了", "坐短信里写了", "客你这是什么态度"),
}


@pytest.mark.parametrize("kind", REPROACHED)
def test_what_the_customer_complains_of_is_the_turn_before(kind: str) -> None:
    said = REPROACHED[kind]
    assert [one.turn for one in find(*said) if one.kind == kind] == [1]
    assert kind not in {one.kind for one in find(said[0], "客" + said[1][1:], said[2])}
    assert kind not in {one.kind for one in find(*said[:2], "未" + said[2][1:])}


def test_a_greeting_gives_no_cause_to_complain_of_it() -> None:
    assert find("坐您好", "客你先听我说完再回答，我怕忘") == []


def test_a_reproach_in_the_customers_own_words_calls_for_an_apology() -> None:
    reproach, answer = "客你们把日期报错了我白请了两天假", "坐给您改到二十五号"
    assert "no_apology" in {one.kind for one in find(reproach, answer)}
    assert "no_apology" not in {one.kind for one in find("坐让您久等了真对不起", reproach, answer)}


@pytest.mark.parametrize("speaker", ["客", "未"])
@pytest.mark.parametrize("kind", HITS)
def test_only_words_marked_as_the_agents_count(kind: str, speaker: str) -> None:
    assert find(*(speaker + turn[1:] for turn in HITS[kind])) == []


def test_a_single_text_has_no_lapses() -> None:
    utterances = prepare(Case.read({"text": "客服说不归我们管，那您想怎么样"}), SEGMENTER)
    assert LAPSES(utterances, SIGNALS(utterances)) == []


def test_the_place_is_in_the_original_turn() -> None:
    (hint,) = find("客快递碎了", "坐喂　１３８００１３８０００，那您想怎么样")
    assert (hint.turn, hint.kind, hint.speaker) == (1, "cold", "agent")
    assert "喂　１３８００１３８０００，那您想怎么样"[hint.start : hint.end] == "那您想怎么样"


def test_a_warning_makes_ending_the_call_right() -> None:
    rude, warned = "客你个傻逼", "坐先生请文明用语，再这样我只能结束通话"
    assert "hung_up" in {one.kind for one in find(rude, "坐我挂了啊")}
    assert "hung_up" not in {one.kind for one in find(rude, warned, rude, "坐那我先挂了")}


def test_figures_on_the_labelled_conversations(root: Path) -> None:
    tuned = measure([root / "data" / "lapses" / "tune.jsonl"])["all"]
    held_out = measure([root / "data" / "lapses" / name for name in ("held_out.jsonl", "held_out_2.jsonl")])["all"]
    assert (tuned.precision or 0) > 0.95
    assert (tuned.recall or 0) > 0.9
    assert (held_out.precision or 0) > 0.8
    assert (held_out.recall or 0) > 0.85
    assert held_out.in_turn >= 0.85 * held_out.right


def test_scored_contacts_carry_them_beside_the_contract(shipped: Any) -> None:
    turns = [{"speaker": "customer", "text": "快递碎了"}, {"speaker": "agent", "text": "那您想怎么样"}]
    result = shipped(Case.read({"id": "T-1", "turns": turns}))
    assert "agent_lapses" not in result.to_dict()
    assert result.to_row()["agent_lapses"] == [
        {"kind": "cold", "turn": 1, "start": 0, "end": 6, "text": "那您想怎么样"}
    ]
    assert shipped.info["lapses"]["cold"] == "态度生硬冷漠"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("after: [grief, self_harm]", "after: [greif]", r"after: allowed are .*given 'greif'"),
        ("unsaid:", "earlier:", "a lapse needs phrases, or after and unsaid"),
        ("  - 节哀", "  - (节哀", r"without its \)"),
    ],
)
def test_a_broken_table_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = copytree(DEFAULT_LEXICON, tmp_path / "lexicon")
    table = folder / "lapses" / "no_regard.yaml"
    table.write_text(table.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError, match=rf"no_regard\.yaml:\d+: .*{says}"):
        load_lapses(LEXICON.kinds, folder)
