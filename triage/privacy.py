"""Mainland Chinese personal identifiers: find their spans, then mask them.

A pattern proposes, a checksum or number range decides, nearby words may overrule the checksum. One identifier is
one row of `IDENTIFIERS`, in order of precedence: where two claim the same characters, the earlier row wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from triage.alignment import AlignedText
from triage.normalise import normalise

_SPOKEN_DIGITS = str.maketrans(dict(zip("零〇洞幺一二两三四五六七八九", "00011223456789", strict=True)))
_DIGIT = "[0-9零〇洞幺一二两三四五六七八九]"
_SEPARATOR = "[ ,、.·-]?"
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NEARBY = 12


@dataclass(frozen=True, slots=True)
class PiiSpan:
    """One identifier found: its kind and its half-open character range."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Identifier:
    """One row. A match counts if `accept` holds for it or `context` occurs within 12 characters before it."""

    kind: str
    placeholder: str
    pattern: re.Pattern[str]
    accept: Callable[[str], bool] = bool
    context: re.Pattern[str] | None = None


def digits_of(found: str) -> str:
    """The digits of a written or spoken number, separators dropped: '幺三八 0013' gives '1380013'."""
    return re.sub(r"[^0-9X]", "", found.translate(_SPOKEN_DIGITS).upper())


def is_resident_id(found: str) -> bool:
    """Resident identity number (GB 11643): 17 digits with a plausible birth date and an ISO 7064 check character."""
    digits = digits_of(found)
    if not re.fullmatch(r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]", digits):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == digits[-1]


def is_bank_card(found: str) -> bool:
    """Payment card number: 16 to 19 digits, not all alike, that pass the Luhn check."""
    digits = digits_of(found)
    if not 16 <= len(digits) <= 19 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_mobile(found: str) -> bool:
    """Mainland mobile number: 11 digits from 13x to 19x, with or without the country code."""
    return re.fullmatch(r"(?:00)?(?:86)?1[3-9]\d{9}", digits_of(found)) is not None


def _digit_run(shortest: int, longest: int, last: str = _DIGIT, prefix: str = "") -> re.Pattern[str]:
    """A free-standing run of written or spoken digits, single separators allowed between them."""
    body = f"{_DIGIT}(?:{_SEPARATOR}{_DIGIT}){{{shortest - 2},{longest - 2}}}{_SEPARATOR}{last}"
    return re.compile(
        f"(?<![0-9A-Za-z零〇洞幺一二两三四五六七八九])(?P<pii>{prefix}{body})(?![0-9A-Za-z零〇洞幺一二两三四五六七八九])"
    )


IDENTIFIERS = (
    Identifier(
        "email",
        "[邮箱]",
        re.compile(
            r"(?<![\w.+-])(?P<pii>[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,12})(?![A-Za-z0-9])",
            re.ASCII,
        ),
    ),
    Identifier(
        "resident_id",
        "[身份证号]",
        _digit_run(18, 18, last=f"(?:{_DIGIT}|[Xx])"),
        is_resident_id,
        re.compile(r"身份证"),
    ),
    Identifier(
        "bank_card",
        "[银行卡号]",
        _digit_run(16, 19),
        is_bank_card,
        re.compile(r"卡号|银行卡|信用卡|储蓄卡|账号|帐号"),
    ),
    Identifier("mobile", "[手机号]", _digit_run(11, 11, prefix=rf"(?:(?:\+|00)?86{_SEPARATOR})?"), is_mobile),
    Identifier(
        "landline",
        "[座机号]",
        re.compile(
            r"(?<![0-9])(?P<pii>(?:\(0[1-9]\d{1,2}\)|0[1-9]\d{1,2})[ -]?[2-9]\d{6,7}(?:[-转]\d{1,6})?)(?![0-9])"
        ),
    ),
    Identifier(
        "landline",
        "[座机号]",
        re.compile(r"(?<![0-9])(?P<pii>[2-9]\d{6,7})(?![0-9元块])"),
        lambda found: False,  # noqa: ARG005  # eight digits alone are no telephone number
        re.compile(r"座机|固话|家里电话|办公电话|单位电话"),
    ),
    Identifier(
        "plate",
        "[车牌号]",
        re.compile(
            r"(?P<pii>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][ ·.]?"
            rf"(?=[A-HJ-NP-Z]{{0,5}}{_DIGIT})(?:[A-HJ-NP-Z]|{_DIGIT}){{4,5}}(?:[A-HJ-NP-Z挂学警港澳]|{_DIGIT}))(?![0-9A-Za-z])"
        ),
    ),
    Identifier(
        "account",
        "[账号]",
        re.compile(
            r"(?:微信号?|威信|[vV][xX]|[wW][xX]|(?<![A-Za-z])[qQ]{2}号?)(?:号码|账号|是|为|[:： ]){0,3}"
            r"(?P<pii>[A-Za-z][A-Za-z0-9_-]{5,19}|[1-9][0-9]{4,10})(?![0-9A-Za-z])"
        ),
    ),
)
PLACEHOLDERS = {row.kind: row.placeholder for row in IDENTIFIERS}


def find(text: str) -> list[PiiSpan]:
    """Identifiers in a normalised text, sorted by position and disjoint."""
    spans: list[PiiSpan] = []
    taken = bytearray(len(text))
    for row in IDENTIFIERS:
        for match in row.pattern.finditer(text):
            start, end = match.span("pii")
            before = text[max(0, start - _NEARBY) : start]
            confirmed = row.accept(match["pii"]) or (row.context is not None and row.context.search(before))
            if confirmed and not any(taken[start:end]):
                taken[start:end] = b"\x01" * (end - start)
                spans.append(PiiSpan(row.kind, start, end))
    return sorted(spans, key=lambda span: span.start)


def mask(aligned: AlignedText) -> AlignedText:
    """Replace every identifier by its placeholder. Masking twice is masking once."""
    return aligned.replace((span.start, span.end, PLACEHOLDERS[span.kind]) for span in find(aligned.text))


def mask_original(text: str) -> AlignedText:
    """The text as it was written, identifiers replaced, with the way back to the original.

    Identifiers are looked for in the normalised text, so full-width and spaced numbers are found too.
    """
    normalised = normalise(text)
    return AlignedText.of(text).replace(
        (*normalised.to_original(span.start, span.end), PLACEHOLDERS[span.kind]) for span in find(normalised.text)
    )


def mask_text(text: str) -> str:
    """The masked text for a log, store or report."""
    return mask_original(text).text
