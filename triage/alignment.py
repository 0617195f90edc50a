"""Text that remembers where each of its characters came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A rewritten text with, for each character, the half-open range of the original it stands for.

    `starts[i]` and `ends[i]` are offsets in characters (code points) into the original text;
    both lists are as long as `text`.
    """

    text: str
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> AlignedText:
        """The identity alignment of an untouched text."""
        return cls(text, list(range(len(text))), list(range(1, len(text) + 1)))

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The original range `[start, end)` that a non-empty range of this text stands for."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"range must be non-empty and within 0..{len(self.text)}, got {start}..{end}")
        return self.starts[start], max(self.ends[start:end])

    def replace(self, pieces: Iterable[tuple[int, int, str]]) -> AlignedText:
        """A copy in which each `(start, end, new)` range is replaced; ranges are sorted and disjoint.

        Every character of `new` stands for the whole of the range it replaced.
        """
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, new in pieces:
            text.append(self.text[done:start])
            starts += self.starts[done:start]
            ends += self.ends[done:start]
            original_start, original_end = self.to_original(start, end)
            text.append(new)
            starts += [original_start] * len(new)
            ends += [original_end] * len(new)
            done = end
        text.append(self.text[done:])
        starts += self.starts[done:]
        ends += self.ends[done:]
        return AlignedText("".join(text), starts, ends)
