"""What a contact is about in a few words: jieba's TF-IDF keywords of the masked text, as the triage segments it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from triage.case import Case
from triage.prepare import prepare
from triage.segment import Segmenter

_PER_CONTACT = 8
_MAX_COUNTS = 200_000
_WORD = re.compile(r"[\u4e00-\u9fff]{2,8}|(?=.*[A-Za-z])[A-Za-z0-9]{3,16}")


class _Words:
    """Stands in for jieba's own tokenizer: the text is words already, joined by line breaks."""

    def cut(self, joined: str) -> list[str]:
        """The words."""
        return joined.split("\n")


@cache
def _extractor() -> Any:
    from jieba.analyse.tfidf import TFIDF

    extractor = TFIDF()
    extractor.tokenizer = _Words()
    extractor.set_stop_words(str(resources.files("triage.lexicon").joinpath("stopwords.txt")))
    return extractor


class KeywordFinder:
    """Keywords of a case. What the agent says does not count."""

    def __init__(self) -> None:
        self._segmenter = Segmenter()

    def __call__(self, case: Case) -> list[str]:
        """At most eight words, the most telling first."""
        said = [one for one in prepare(case, self._segmenter) if one.speaker != "agent"]
        words = [word.text.lower() for one in said for word in one.words if _WORD.fullmatch(word.text)]
        found: list[str] = _extractor().extract_tags("\n".join(words), topK=_PER_CONTACT) if words else []
        return found


class WeeklyKeywords:
    """In how many contacts of each week a word was a keyword. Beyond `_MAX_COUNTS` entries the rarest are forgotten."""

    def __init__(self) -> None:
        self.weeks: dict[date | None, Counter[str]] = {}
        self._added = 0

    def add(self, week: date | None, words: Iterable[str]) -> None:
        """Count the keywords of one contact."""
        words = list(words)
        self.weeks.setdefault(week, Counter()).update(words)
        self._added += len(words)
        if self._added >= _MAX_COUNTS // 4:
            self._added = 0
            self._forget()

    def total(self, weeks: Iterable[date | None]) -> Counter[str]:
        """The counts of several weeks together."""
        whole: Counter[str] = Counter()
        for week in weeks:
            whole.update(self.weeks.get(week, {}))
        return whole

    def _forget(self) -> None:
        least = 1
        while sum(map(len, self.weeks.values())) > _MAX_COUNTS:
            self.weeks = {
                week: Counter({word: count for word, count in counts.items() if count > least})
                for week, counts in self.weeks.items()
            }
            least *= 2
