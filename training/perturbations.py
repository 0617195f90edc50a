"""Changes that leave the meaning alone must leave the answer alone; threats that are put in must be found."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import cache

from opencc import OpenCC

from training.cases import LabelledCase
from training.evaluate import in_labels
from triage.case import Case, Turn
from triage.result import HeadResult, RowError
from triage.triager import Triager

Change = Callable[[str, random.Random], str]
_HOMOPHONES = str.maketrans(
    "在再的得做作账帐联连记计以已象像带戴申身终中", "再在得的作做帐账连联计记已以像象戴带身申中终"
)
_FILLERS = ("嗯", "那个", "就是说", "呃", "啊", "这个")
_CITIES = ("杭州", "成都", "武汉", "沈阳", "西安", "厦门", "长沙", "郑州")
_NAMES = re.compile(r"(?<=姓)[王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗]")
_THREATS = (
    "再不解决我就打12315投诉",
    "我已经联系电视台的记者了",
    "我会向金融监管局反映这件事",
    "下周我就去法院起诉你们",
)


def _traditional(text: str, _: random.Random) -> str:
    return str(_converter().convert(text))


@cache
def _converter() -> OpenCC:
    return OpenCC("s2t")


def _full_width(text: str, _: random.Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" and char not in "[]" else char for char in text)


def _fillers(text: str, rng: random.Random) -> str:
    clauses = re.split(r"(?<=[,.?!，。？！ ])", text)
    return "".join(
        rng.choice(_FILLERS) + clause if len(clause) > 4 and rng.random() < 0.3 else clause for clause in clauses
    )


def _homophones(text: str, rng: random.Random) -> str:
    return "".join(char.translate(_HOMOPHONES) if rng.random() < 0.5 else char for char in text)


def _no_punctuation(text: str, _: random.Random) -> str:
    return re.sub(r"[,.?!;:，。？！；：、~…]+", "", text) or text


def _spaced(text: str, rng: random.Random) -> str:
    return "".join(char + (" " if rng.random() < 0.1 else "") for char in text)


def _typos(text: str, rng: random.Random) -> str:
    chars = list(text)
    for place in range(len(chars) - 1):
        if rng.random() < 0.02 and all("\u4e00" <= char <= "\u9fff" for char in chars[place : place + 2]):
            chars[place], chars[place + 1] = chars[place + 1], chars[place]
    return "".join(chars)


def _emoji(text: str, rng: random.Random) -> str:
    return text + rng.choice(("🙂", "🌹", "☀️", "📞"))


def _swapped(text: str, rng: random.Random) -> str:
    text = re.sub("|".join(_CITIES), lambda _: rng.choice(_CITIES), text)
    text = _NAMES.sub(lambda _: rng.choice("王李张刘陈"), text)
    return re.sub(r"(?<!\d)[3-9]\d{2}(?=元|块)", lambda found: str(int(found[0]) + rng.randint(1, 9)), text)


PERTURBATIONS: dict[str, Change] = {
    "traditional": _traditional,
    "full width": _full_width,
    "fillers": _fillers,
    "homophones": _homophones,
    "no punctuation": _no_punctuation,
    "spaced words": _spaced,
    "typos": _typos,
    "emoji": _emoji,
    "other names, cities, amounts": _swapped,
    "polite opening": lambda text, _: "您好，打扰一下，" + text,
}

_MILD = 1
_ONCE = {"emoji", "polite opening"}


def perturbed(case: Case, change: Change, rng: random.Random, first_only: bool = False) -> Case:
    """The case with what the customer (or an unknown speaker) says changed; `first_only`: only the first such turn."""
    if case.turns is None:
        return case.model_copy(update={"text": change(case.text or "", rng)})
    turns, done = [], False
    for turn in case.turns:
        applies = turn.speaker != "agent" and not (first_only and done)
        turns.append(Turn(speaker=turn.speaker, text=change(turn.text, rng)) if applies else turn)
        done = done or applies
    return case.model_copy(update={"turns": tuple(turns)})


def reworded(case: Case, rng: random.Random) -> Case:
    """The case under one or two perturbations drawn at random."""
    for name in rng.sample(list(PERTURBATIONS), rng.choice((1, 2))):
        case = perturbed(case, PERTURBATIONS[name], rng, first_only=name in _ONCE)
    return case


def flip_rates(triager: Triager, records: Sequence[LabelledCase], seed: int = 0) -> dict[str, dict[str, float]]:
    """For every perturbation and single-label head: the share of cases whose label changes."""
    cases = [record.case for record in records]
    before = _labels(triager, cases)
    rates = {}
    for name, change in PERTURBATIONS.items():
        rng = random.Random(seed)  # noqa: S311  # reproducible, not secret
        after = _labels(triager, [perturbed(case, change, rng, name in _ONCE) for case in cases])
        rates[name] = {
            head: sum(old[head] != new[head] for old, new in zip(before, after, strict=True)) / len(cases)
            for head in before[0]
        }
    return rates


def threats_found(triager: Triager, records: Sequence[LabelledCase], seed: int = 0) -> dict[str, float]:
    """Share of mild cases that become severe with a threat added: at the end of a text, amid a conversation."""
    rng = random.Random(seed)  # noqa: S311
    policy, tiers = triager.policy, triager.taxonomy.head(triager.policy.tier_head)
    known = [record for record in records if tiers.name in record.labels]
    mild = [record.case for record in known if tiers.index(record.labels[tiers.name]) <= _MILD]
    changed: dict[str, list[Case]] = {"end of a text": [], "middle of a conversation": []}
    for case in mild:
        threat = rng.choice(_THREATS)
        if case.turns is None:
            changed["end of a text"].append(case.model_copy(update={"text": f"{case.text}。{threat}"}))
        else:
            middle = len(case.turns) // 2
            speaker = "unknown" if case.turns[0].speaker == "unknown" else "customer"
            turns = (*case.turns[:middle], Turn(speaker=speaker, text=threat), *case.turns[middle:])
            changed["middle of a conversation"].append(case.model_copy(update={"turns": turns}))
    return {
        place: sum(one[tiers.name] in policy.severe for one in _labels(triager, cases)) / len(cases)
        for place, cases in changed.items()
        if cases
    }


def _labels(triager: Triager, cases: Sequence[Case]) -> list[dict[str, str]]:
    found = []
    for result in in_labels(triager).pipe(cases):
        if isinstance(result, RowError):
            raise RuntimeError(f"case {result.id}: {result.detail}")
        found.append({name: str(one.label) for name, one in result.heads.items() if isinstance(one, HeadResult)})
    return found
