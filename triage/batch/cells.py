"""Values as people write them in exports, turned into what a Case takes."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Any

from triage.batch.speakers import speaker_of

_CHANNEL_NAMES = {
    "call": "电话 来电 呼入 通话 录音 phone",
    "hotline": "热线 热线电话 客服热线",
    "ticket": "工单 投诉单 表单",
    "chat": "在线 在线客服 聊天 网聊 微信 app im",
    "review": "评价 评论 点评",
    "email": "邮件 邮箱 电子邮件 mail",
    "other": "其他 其它",
}
_CHANNELS = {name: channel for channel, names in _CHANNEL_NAMES.items() for name in [channel, *names.split()]}
_NOTHING = {"", "-", "--", "/", "null", "none", "nan", "nat", "n/a", "#n/a"}
_SHEET_ERRORS = {"#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#N/A"}
_DAY_OF_A_SHEET = re.compile(r"[2-9]\d{4}(?:\.\d+)?")
_DAY_0_OF_A_SHEET = datetime(1899, 12, 30)
_METADATA = ("customer_key", "agent_id", "product", "region", "customer_type")
_TIME = r"(?:(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})?秒?)?)"
_DATES = (
    re.compile(rf"(\d{{4}})[-/.年](\d{{1,2}})[-/.月](\d{{1,2}})日?(?:[T\s]*{_TIME})?"),
    re.compile(r"(\d{4})(\d\d)(\d\d)(?:\s*(\d\d):?(\d\d):?(\d\d))?"),
)


def cell_text(value: object) -> str:
    """A cell as text: no value or an error of a formula is '', 1001.0 is '1001', dates are ISO 8601, lists are JSON."""
    if value is None or (isinstance(value, str) and value in _SHEET_ERRORS):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.isoformat() if isinstance(value, date) else str(value)


def tidy(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of one row with nothing-values left out, numbers as keys spelled, and Chinese names translated."""
    tidied = {name: value for name, value in fields.items() if name in ("text", "turns") or not _is_nothing(value)}
    for name in ("id", *_METADATA):
        if type(tidied.get(name)) in (int, float):
            tidied[name] = cell_text(tidied[name])
        if isinstance(tidied.get(name), str):
            tidied[name] = tidied[name].strip()
    if isinstance(tidied.get("channel"), str):
        channel = tidied["channel"].strip()
        tidied["channel"] = _CHANNELS.get(channel.lower(), channel)
    if isinstance(tidied.get("created_at"), str):
        tidied["created_at"] = iso_date(tidied["created_at"])
    if isinstance(tidied.get("turns"), list):
        tidied["turns"] = [_tidy_turn(turn) for turn in tidied["turns"]]
    return tidied


def known_channel(channel: str | None) -> str | None:
    """The channel if the contract has it, else `other`: a table's own channel names are no reason to lose a row."""
    return channel if channel is None or channel in _CHANNEL_NAMES else "other"


def iso_date(text: str) -> str:
    """'2024/3/5 9:20', '2024年3月5日', '20240305' and the day '45356.5' of a sheet as ISO 8601; else as it was."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if _DAY_OF_A_SHEET.fullmatch(plain):
        return (_DAY_0_OF_A_SHEET + timedelta(seconds=round(float(plain) * 86400))).isoformat()
    matches = filter(None, (pattern.fullmatch(plain) for pattern in _DATES))
    match = next(matches, None)
    if match is None:
        return plain
    year, month, day, hour, minute, second = match.groups("0")
    return f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}"


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _tidy_turn(turn: object) -> object:
    known = speaker_of(turn["speaker"]) if isinstance(turn, dict) and isinstance(turn.get("speaker"), str) else None
    return {**turn, "speaker": known} if isinstance(turn, dict) and known else turn
