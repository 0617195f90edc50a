"""What a key may do, and how the environment names it: `KEY`, or `NAME:SCOPE+SCOPE:KEY`."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCOPES = ("triage", "review", "admin")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_NAMED = re.compile(rf"(?P<name>{NAME.pattern}):(?P<scopes>[a-z]+(?:\+[a-z]+)*):(?P<key>.+)")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the name of the key (never the key) and its scopes."""

    name: str
    scopes: frozenset[str]


EVERYBODY = Caller("everybody", frozenset(SCOPES))


def parse_scopes(names: list[str]) -> frozenset[str]:
    """ValueError unless each is a scope and there is at least one."""
    if not names or set(names) - set(SCOPES):
        raise ValueError(f"scopes are {' '.join(SCOPES)}, given {' '.join(names) or 'none'}")
    return frozenset(names)


def parse_key(given: str, place: int) -> tuple[Caller, str]:
    """Caller and key of one entry of TRIAGE_API_KEYS. A plain key may triage and nothing else."""
    if named := _NAMED.fullmatch(given):
        return Caller(named["name"], parse_scopes(named["scopes"].split("+"))), named["key"]
    return Caller(f"env-{place}", frozenset({"triage"})), given
