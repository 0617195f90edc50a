"""Words of a text with their offsets, by jieba and the domain dictionary; the same in training and serving."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import resources
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from triage.errors import SettingsError

Engine = Literal["rjieba", "jieba"]
Cut = Callable[[str], Iterable[str]]
ENGINES: tuple[Engine, ...] = ("rjieba", "jieba")
_BRACKETED = re.compile(r"\[[^\[\]\s]{1,8}\]")
_WORD_FREQUENCY = 20_000


class Word(NamedTuple):
    """One word and its half-open range in the segmented text."""

    text: str
    start: int
    end: int


def domain_words() -> tuple[str, ...]:
    """The words of the domain dictionary, one a line in `lexicon/words.txt`; `#` starts a comment."""
    lines = resources.files("triage.lexicon").joinpath("words.txt").read_text("utf-8").splitlines()
    return tuple(word for line in lines if (word := line.partition("#")[0].strip()))


class Segmenter:
    """jieba (`engine="jieba"`) or its Rust port (`"rjieba"`), each with a dictionary of its own.

    Called with a text it returns the words in order; they join back to the text exactly. Bracketed marks such as
    `[手机号]` or `[微笑]` are one word.
    """

    def __init__(self, engine: Engine = "rjieba", words: Iterable[str] | None = None):
        self.engine = engine
        self.words = domain_words() if words is None else tuple(words)
        self._cut, self._cut_known = _load(engine, self.words)

    def __call__(self, text: str) -> list[Word]:
        return list(self._words(text))

    def borders(self, text: str) -> set[int]:
        """Where words begin if only those of the dictionary are words; a call with the text guesses new ones."""
        return set(accumulate(map(len, self._cut_known(text)), initial=0))

    def _words(self, text: str) -> Iterator[Word]:
        start = 0
        for mark in _BRACKETED.finditer(text):
            yield from self._plain(text[start : mark.start()], start)
            yield Word(mark.group(), *mark.span())
            start = mark.end()
        yield from self._plain(text[start:], start)

    def _plain(self, text: str, offset: int) -> Iterator[Word]:
        for piece in self._cut(text) if text else ():
            yield Word(piece, offset, offset + len(piece))
            offset += len(piece)


def _load(engine: Engine, words: tuple[str, ...]) -> tuple[Cut, Cut]:
    """What cuts a text, guessing new words or not."""
    segmenter: Any
    if engine == "rjieba":
        segmenter, known = _rjieba().Jieba(), {"hmm": False}
    elif engine == "jieba":
        import logging

        from jieba import Tokenizer, setLogLevel

        setLogLevel(logging.WARNING)
        segmenter, known = Tokenizer(), {"HMM": False}
    else:
        raise SettingsError(f"segmenter engine: allowed are {', '.join(ENGINES)}; given {engine!r}")
    for word in words:
        segmenter.add_word(word, _WORD_FREQUENCY, "n")
    return segmenter.cut, partial(segmenter.cut, **known)


def _rjieba() -> Any:
    """The compiled module of rjieba. Its package would load a second dictionary, 25 MB that nobody here looks into."""
    name = "rjieba.rjieba"
    if name not in sys.modules:
        package = find_spec("rjieba")
        spec = PathFinder.find_spec(name, package.submodule_search_locations) if package else None
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError("No module named 'rjieba'", name="rjieba")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]
