"""The input contract: one customer contact, its limits, and its utterances."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from triage.errors import InputError

Speaker = Literal["customer", "agent", "unknown"]
Channel = Literal["ticket", "call", "chat", "hotline", "review", "email", "other"]
MAX_CHARACTERS = 50_000
MAX_TURNS = 1_000
_Metadata = Annotated[str | None, Field(max_length=200)]
_CUSTOMER_PREFIXES = ("客户", "顾客", "用户", "来电人", "买家")
_AGENT_PREFIXES = ("客服", "坐席", "座席", "话务员", "专员", "商家", "卖家")
_PREFIX = re.compile(
    rf"(?:^|(?<=\n))[ \t]*(?P<who>{'|'.join(_CUSTOMER_PREFIXES + _AGENT_PREFIXES)})[ \t]*\d{{0,3}}[ \t]*[:\uff1a][ \t]*"
)
_MOJIBAKE = re.compile("[\ufffd\x80-\x9f\xc0-\xff]|锟斤拷|锟斤|烫烫烫|屯屯屯")


class Turn(BaseModel):
    """One stretch of speech. `unknown` is for recognisers that do not mark speakers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A piece of the case as one speaker said it.

    `turn` counts utterances from 0; `offset` is where `text` begins in the string that spans point into: 0 in a turn,
    the position in `Case.text` otherwise.
    """

    turn: int
    speaker: Speaker
    text: str
    offset: int


class Case(BaseModel):
    """One customer contact: either `text` or `turns`, and what is known about it.

    At most 50,000 characters and 1,000 turns in all; anything longer is an error, never cut. `prior_contacts` counts
    earlier contacts of the customer, `prior_no_value` those of them that came lately and had no value.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=False)

    id: Annotated[str, Field(max_length=200)] = ""
    text: str | None = None
    turns: tuple[Turn, ...] | None = None
    channel: Channel = "other"
    customer_key: _Metadata = None
    agent_id: _Metadata = None
    product: _Metadata = None
    region: _Metadata = None
    customer_type: _Metadata = None
    created_at: datetime | None = None
    prior_contacts: Annotated[int | None, Field(ge=0)] = None
    prior_no_value: Annotated[int | None, Field(ge=0)] = None

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if (self.text is None) == (self.turns is None):
            raise ValueError("a case has either text or turns, and not both")
        words = [self.text] if self.text is not None else [turn.text for turn in self.turns or ()]
        length = sum(map(len, words))
        if length > MAX_CHARACTERS:
            raise ValueError(f"at most {MAX_CHARACTERS} characters are allowed, given {length}")
        if len(words) > MAX_TURNS:
            raise ValueError(f"at most {MAX_TURNS} turns are allowed, given {len(words)}")
        if not any(word.strip("\0 \t\r\n\u3000") for word in words):
            raise ValueError("the text is empty")
        garbled = sum(len(found) for word in words for found in _MOJIBAKE.findall(word))
        if garbled > 5 and garbled > 0.2 * length:
            raise ValueError("the text looks garbled (wrong encoding); read the file as UTF-8 or GB18030")
        return self

    @classmethod
    def from_text(cls, text: str) -> Self:
        """A case of bare text; InputError if it cannot be one."""
        return cls.read({"text": text})

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """Validate a mapping; raises InputError that says which field is wrong and why, without the text itself."""
        try:
            return cls.model_validate(row)
        except ValidationError as error:
            raise InputError(describe(error)) from None

    def utterances(self) -> list[Utterance]:
        """The case in order of speech. A text with 客户: / 客服: / 坐席: prefixes is split at them."""
        if self.turns is not None:
            return [Utterance(i, turn.speaker, turn.text, 0) for i, turn in enumerate(self.turns)]
        text = self.text or ""
        marks = list(_PREFIX.finditer(text))
        if len(marks) < 2:
            return [Utterance(0, "unknown" if self.channel == "call" else "customer", text, 0)]
        found: list[tuple[Speaker, int, int]] = [("unknown", 0, marks[0].start())]
        for mark, following in zip(marks, [*marks[1:], None], strict=True):
            end = following.start() if following else len(text)
            found.append(("customer" if mark["who"] in _CUSTOMER_PREFIXES else "agent", mark.end(), end))
        said = [(speaker, start, end) for speaker, start, end in found if text[start:end].strip()]
        return [Utterance(i, speaker, text[start:end], start) for i, (speaker, start, end) in enumerate(said)]


def describe(error: ValidationError) -> str:
    """One sentence per problem: the field and what is allowed. Never a value, nor a key that somebody made up."""
    sentences = []
    for problem in error.errors(include_input=False, include_url=False):
        place = problem["loc"][:-1] if problem["type"] == "extra_forbidden" else problem["loc"]
        sentences.append(f"{'.'.join(map(str, place)) or 'case'}: {problem['msg'].removeprefix('Value error, ')}")
    return "; ".join(sentences)
