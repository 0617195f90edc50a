"""The notation of the lexicon tables, compiled to regular expressions.

投诉到(工信部|消协)   one of several        (再|)打          an optional part
<机构>               a list by its name    找…领导          up to 6 characters within a clause
说好……没            up to 16 characters within a sentence
12315               three digits and more: written or spoken, "幺二三幺五" and "12三15" too
不*了               `*` is where the hit stands; only in frames
␣                    a space; other white space is ignored, so a long phrase may go on in the next line
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from triage.normalise import normalise

HIT = "\0"
_TOKEN = re.compile(r"(?P<gap>…+)|<(?P<list>[^<>]*)>|(?P<mark>[()|])|(?P<number>[0-9]{3,})|(?P<literal>[^<>])")
_KEPT = re.compile(r"([…\0])")
_GAPS = {1: r"[^。!?;,、\n\0]{0,6}?", 2: r"[^。!?;\n\0]{0,16}?"}
_SPOKEN = dict(
    zip("0123456789", ("0零〇洞", "1一幺么妖", "2二两", "3三", "4四", "5五", "6六", "7七", "8八", "9九"), strict=True)
)
_LOWER = str.maketrans({chr(upper): chr(upper + 32) for upper in range(ord("A"), ord("Z") + 1)})


class PhraseError(ValueError):
    """A phrase that does not follow the notation; the message says why."""

    def __init__(self, phrase: str, reason: str):
        self.phrase = phrase.replace(HIT, "*")
        super().__init__(f"phrase {self.phrase!r}: {reason}")


@dataclass(frozen=True, slots=True)
class _Unit:
    """One character or one gap: the characters it may be (none for a gap), and a pattern for what follows it."""

    chars: str
    tail: str = ""


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[Parsed, ...]


Parsed = tuple[_Unit | _Choice, ...]
Lists = Mapping[str, Parsed]


def lower(text: str) -> str:
    """ASCII capitals to small letters, length kept; patterns are compiled from and applied to such text."""
    return text.translate(_LOWER)


def parse(phrase: str, lists: Lists) -> Parsed:
    """The structure of one phrase; PhraseError if the notation is broken or a list is unknown."""
    stack: list[list[list[_Unit | _Choice]]] = [[[]]]
    for token in _tokens(phrase):
        here = stack[-1]
        if token["mark"] == "(":
            stack.append([[]])
        elif token["mark"] == "|":
            here.append([])
        elif token["mark"] == ")":
            if len(stack) == 1:
                raise PhraseError(phrase, "a ) without its (")
            options = tuple(tuple(option) for option in stack.pop())
            stack[-1][-1].append(_Choice(options))
        else:
            here[-1] += _units(token, phrase, lists)
    if len(stack) > 1:
        raise PhraseError(phrase, "a ( without its )")
    return (_Choice(tuple(tuple(option) for option in stack[0])),)


def parse_list(phrases: Iterable[str], lists: Lists) -> Parsed:
    """A named list: a choice of its phrases."""
    return (_Choice(tuple(parse(phrase, lists) for phrase in phrases)),)


class Phrases:
    """Finds any of several phrases. `rests` maps each character that one can begin with to the pattern of the rest.

    A rest is compiled when its character is first met: most tables are never needed whole, and a start stays quick.
    """

    def __init__(self, rests: Mapping[str, str]):
        self._starts = re.compile(_any_of("".join(rests)) if rests else "(?!)")
        self._rests = rests
        self._compiled: dict[str, re.Pattern[str]] = {}

    def search(self, text: str, position: int = 0) -> re.Match[str] | None:
        """The first hit at or after `position`."""
        for start in self._starts.finditer(text, position):
            if found := self._from(start[0]).match(text, start.start()):
                return found
        return None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All hits, none overlapping another."""
        found = self.search(text)
        while found:
            yield found
            found = self.search(text, found.end())

    def _from(self, char: str) -> re.Pattern[str]:
        if char not in self._compiled:
            self._compiled[char] = re.compile(re.escape(char) + self._rests[char])
        return self._compiled[char]


def compile_phrases(phrases: Iterable[str], lists: Lists) -> Phrases:
    """What finds any of the phrases; a phrase that starts with a gap or may be empty is a PhraseError."""
    groups = _by_first_char([_head_checked(phrase, lists) for phrase in phrases])
    return Phrases({char: rest for chars, rest in groups for char in chars})


def compile_frames(frames: Iterable[str], lists: Lists) -> Phrases:
    """The same over a text in which `HIT` stands for the hit; a frame has `*` exactly once."""
    frames = tuple(frames)
    for frame in frames:
        if frame.count("*") != 1:
            raise PhraseError(frame, "a frame has * once, where the hit stands")
    return compile_phrases([frame.replace("*", HIT) for frame in frames], lists)


def _tokens(phrase: str) -> Iterator[re.Match[str]]:
    phrase = "".join(phrase.split())
    text = lower("".join(part if part in ("…", HIT) else normalise(part).text for part in _KEPT.split(phrase)))
    done = 0
    for token in _TOKEN.finditer(text):
        if token.start() != done:
            break
        done = token.end()
        yield token
    if done != len(text) or not text.strip():
        raise PhraseError(phrase, "empty, or a < without its >")


def _units(token: re.Match[str], phrase: str, lists: Lists) -> Parsed:
    if token["gap"]:
        if len(token["gap"]) not in _GAPS:
            raise PhraseError(phrase, "a gap is … or ……")
        return (_Unit("", _GAPS[len(token["gap"])]),)
    if token["list"] is not None:
        if token["list"] not in lists:
            raise PhraseError(phrase, f"unknown list <{token['list']}>; known are {', '.join(lists)}")
        return lists[token["list"]]
    if token["number"]:
        return tuple(_number(token["number"]))
    return (_Unit(" " if token["literal"] == "␣" else token["literal"]),)


def _number(digits: str) -> Iterator[_Unit]:
    """A free-standing number, its digits written or spoken, single separators allowed between them."""
    for place, digit in enumerate(digits):
        start = r"(?<![0-9].)" if place == 0 else ""
        end = r"(?![0-9])" if place == len(digits) - 1 else "[ -]?"
        yield _Unit(_SPOKEN[digit], start + end)


def _head_checked(phrase: str, lists: Lists) -> Parsed:
    parsed = parse(phrase, lists)
    if any(not head for head, _ in _heads(parsed)):
        raise PhraseError(phrase, "it may neither start with … nor be empty")
    return parsed


def _heads(parsed: Sequence[_Unit | _Choice]) -> Iterator[tuple[str, str]]:
    """Every way a sequence can begin: its first character ("" if none is certain) and the pattern of the rest.

    A sequence that may be empty also yields two empty strings.
    """
    if not parsed:
        yield "", ""
        return
    first, rest = parsed[0], parsed[1:]
    tail = _pattern(rest)
    if isinstance(first, _Unit):
        yield from ((char, first.tail + tail) for char in first.chars or ("",))
        return
    ways: dict[str, list[str]] = {}
    for char, following in (head for option in first.options for head in _heads(option)):
        ways.setdefault(char, []).append(following)
    if "" in ways.get("", ()):
        ways[""].remove("")
        yield from _heads(rest)
    yield from ((char, _either(followings) + tail) for char, followings in ways.items() if followings)


def _pattern(parsed: Sequence[_Unit | _Choice]) -> str:
    return "".join(_choice_pattern(part) if isinstance(part, _Choice) else _unit_pattern(part) for part in parsed)


def _unit_pattern(unit: _Unit) -> str:
    return (_any_of(unit.chars) if unit.chars else "") + unit.tail


def _choice_pattern(choice: _Choice) -> str:
    return _either([(_any_of(chars) if chars else "") + rest for chars, rest in _by_first_char(choice.options)])


def _by_first_char(options: Iterable[Parsed]) -> list[tuple[str, str]]:
    """The options grouped: characters that may come first (last, if any: "" where none is certain) and what follows."""
    rests: dict[str, list[str]] = {}
    for option in options:
        for char, rest in _heads(option):
            rests.setdefault(char, []).append(rest)
    uncertain = rests.pop("", [])
    chars: dict[str, str] = {}
    for char, following in rests.items():
        pattern = _either(following)
        chars[pattern] = chars.get(pattern, "") + char
    groups = [(together, pattern) for pattern, together in chars.items()]
    return [*groups, *((("", _either(uncertain)),) if uncertain else ())]


def _any_of(chars: str) -> str:
    escaped = "".join(map(re.escape, chars))
    return escaped if len(chars) == 1 else f"[{escaped}]"


def _either(patterns: Sequence[str]) -> str:
    """Alternatives, the longer ones first, so that a hit covers as much as it can."""
    different = sorted(dict.fromkeys(patterns), key=len, reverse=True)
    return different[0] if len(different) == 1 else f"(?:{'|'.join(different)})"
