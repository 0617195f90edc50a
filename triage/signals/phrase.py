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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from triage.normalise import normalise

HIT = "\0"
_TOKEN = re.compile(r"(?P<gap>…+)|<(?P<list>[^<>]*)>|(?P<mark>[()|])|(?P<number>[0-9]{3,})|(?P<literal>[^<>])")
_UNCERTAIN = ("", "…")
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


class Phrase:
    """One phrase: which two characters it can begin with, and a pattern that is compiled when a text has them."""

    def __init__(self, parsed: Parsed):
        self._parsed = parsed
        self.firsts = _first_chars(parsed)

    @cached_property
    def seconds(self) -> dict[str, set[str]]:
        """For each first character those that can follow it, as `_first_chars` has them."""
        found: dict[str, set[str]] = {}
        for first, following in _heads(self._parsed):
            found.setdefault(first, set()).update(_first_chars(following))
        return found

    @cached_property
    def match(self) -> Callable[[str, int], re.Match[str] | None]:
        """Finds the phrase in a text at a position."""
        return re.compile(_pattern(self._parsed)).match

    def goes_on(self, first: str, second: str | None = None) -> bool:
        """Whether the phrase, begun with `first`, can go on with `second`, or with anything."""
        seconds = self.seconds[first]
        return second in seconds or not seconds.isdisjoint(_UNCERTAIN)

    @cached_property
    def says_after(self) -> dict[str, int]:
        """How much the phrase says of what follows each first character, as a length of patterns."""
        found: dict[str, int] = {}
        for first, following in _heads(self._parsed):
            found[first] = found.get(first, 0) + len(_pattern(following))
        return found


class Opening:
    """The phrases of a set that can begin with the same one or two characters."""

    def __init__(self, first: str, phrases: Iterable[Phrase] = ()):
        self.phrases = list(phrases)
        self._first = first

    def match(self, text: str, start: int) -> re.Match[str] | None:
        """The hit at `start`, where the characters stand; of several, that of the phrase that says most."""
        best: Phrase | None = None
        found: re.Match[str] | None = None
        for phrase in self.phrases:
            hit = phrase.match(text, start)
            if hit and (best is None or phrase.says_after[self._first] > best.says_after[self._first]):
                best, found = phrase, hit
        return found

    def then(self, second: str) -> Opening | None:
        """Those that can go on with a second character, or at the end of a text with the empty string."""
        return self.certain.get(second, self.uncertain)

    @cached_property
    def certain(self) -> dict[str, Opening]:
        """The phrases by the character that follows."""
        found: dict[str, Opening] = {}
        for second in {second for phrase in self.phrases for second in phrase.seconds[self._first]}:
            able = [phrase for phrase in self.phrases if phrase.goes_on(self._first, second)]
            found[second] = Opening(self._first, able)
        return found

    @cached_property
    def uncertain(self) -> Opening | None:
        """The phrases that may go on with any character, or end."""
        able = [phrase for phrase in self.phrases if phrase.goes_on(self._first)]
        return Opening(self._first, able) if able else None


class Phrases:
    """Finds any of several phrases. `openings` holds them by the characters that they can begin with."""

    def __init__(self, phrases: Iterable[Phrase]):
        self.openings: dict[str, Opening] = {}
        for phrase in phrases:
            for first in phrase.firsts:
                self.openings.setdefault(first, Opening(first)).phrases.append(phrase)

    def search(self, text: str, position: int = 0) -> re.Match[str] | None:
        """The first hit at or after `position`."""
        for found in self._starts.finditer(text, position):
            start = found.start()
            opening = self.openings[text[start]].then(text[start + 1 : start + 2])
            if opening and (hit := opening.match(text, start)):
                return hit
        return None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All hits, none overlapping another."""
        found = self.search(text)
        while found:
            yield found
            found = self.search(text, found.end())

    @cached_property
    def _starts(self) -> re.Pattern[str]:
        return re.compile(_any_of("".join(self.openings)) if self.openings else "(?!)")


Tried = tuple[tuple[int, Opening], ...]


class Starts:
    """Finds, in one pass over a text, where phrases of several sets can begin."""

    def __init__(self, sets: Iterable[Phrases]):
        self._openings: dict[str, list[tuple[int, Opening]]] = {}
        for place, phrases in enumerate(sets):
            for first, opening in phrases.openings.items():
                self._openings.setdefault(first, []).append((place, opening))
        self._met: dict[str, tuple[dict[str, Tried], Tried]] = {}

    def __call__(self, text: str) -> dict[int, list[tuple[int, Opening]]]:
        """For each set, by its place among the sets: positions in rising order, and what to try there."""
        found: dict[int, list[tuple[int, Opening]]] = {}
        for start, first in enumerate(text):
            if first in self._openings:
                certain, uncertain = self._met.get(first) or self._meet(first)
                for place, tried in certain.get(text[start + 1 : start + 2], uncertain):
                    found.setdefault(place, []).append((start, tried))
        return found

    def _meet(self, first: str) -> tuple[dict[str, Tried], Tried]:
        """What all sets try after a first character: by the second, and with any other."""
        openings = self._openings[first]
        seconds = {second for _, opening in openings for second in opening.certain}
        certain = {
            second: tuple((place, tried) for place, opening in openings if (tried := opening.then(second)))
            for second in seconds
        }
        uncertain = tuple((place, opening.uncertain) for place, opening in openings if opening.uncertain)
        self._met[first] = certain, uncertain
        return certain, uncertain


def compile_phrases(phrases: Iterable[str], lists: Lists) -> Phrases:
    """What finds any of the phrases; a phrase that starts with a gap or may be empty is a PhraseError."""
    return Phrases([Phrase(_head_checked(phrase, lists)) for phrase in phrases])


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
    if not _first_chars(parsed).isdisjoint(_UNCERTAIN):
        raise PhraseError(phrase, "it may neither start with … nor be empty")
    return parsed


def _first_chars(parsed: Parsed) -> set[str]:
    """The characters that a sequence can begin with; among them "" if it may be empty, "…" if it may begin with any."""
    found = {""}
    for part in parsed:
        found.discard("")
        if isinstance(part, _Unit):
            return found | set(part.chars or "…")
        found.update(*map(_first_chars, part.options))
        if "" not in found:
            break
    return found


def _heads(parsed: Parsed) -> Iterator[tuple[str, Parsed]]:
    """Every way a sequence can begin: its first character ("" if none is certain) and what follows.

    A sequence that may be empty also yields an empty string with nothing to follow.
    """
    if not parsed:
        yield "", ()
        return
    first, rest = parsed[0], parsed[1:]
    if isinstance(first, _Unit):
        following = (_Unit("", first.tail), *rest) if first.tail else rest
        yield from ((char, following) for char in first.chars or ("",))
        return
    for char, following in (head for option in first.options for head in _heads(option)):
        if char or following:
            yield char, (*following, *rest)
        else:
            yield from _heads(rest)


def _pattern(parsed: Parsed) -> str:
    return "".join(_part_pattern(part) for part in parsed)


def _part_pattern(part: _Unit | _Choice) -> str:
    if isinstance(part, _Choice):
        return _either([_pattern(option) for option in part.options])
    return (_any_of(part.chars) if part.chars else "") + part.tail


def _any_of(chars: str) -> str:
    escaped = "".join(map(re.escape, chars))
    return escaped if len(chars) == 1 else f"[{escaped}]"


def _either(patterns: Sequence[str]) -> str:
    """Alternatives, the longer ones first, so that a hit covers as much as it can."""
    different = sorted(dict.fromkeys(patterns), key=len, reverse=True)
    return different[0] if len(different) == 1 else f"(?:{'|'.join(different)})"
