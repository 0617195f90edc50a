"""Who speaks, by the names that exports and recognisers use."""

from __future__ import annotations

import re

from triage.case import Speaker

_NAMES: dict[Speaker, str] = {
    "customer": "客户 顾客 用户 来电人 来电者 主叫 买家 访客 市民 customer client user caller visitor",
    "agent": "客服 坐席 座席 话务员 接线员 专员 商家 卖家 机器人 智能客服 agent staff operator service seat bot robot",
    "unknown": "未知 说话人 发言人 speaker spk unknown",
}
SPEAKERS: dict[str, Speaker] = {name: speaker for speaker, names in _NAMES.items() for name in names.split()}
_NUMBER = re.compile(r"[\s_#\-]*[0-9A-Za-z]?[0-9]{0,6}$")


def speaker_of(name: str) -> Speaker | None:
    """The speaker that a name such as `客户`, `Agent`, `坐席 012` or `说话人A` stands for; else None."""
    plain = name.strip().strip("[]【】()（）:：").strip().lower()
    return SPEAKERS.get(plain) or SPEAKERS.get(_NUMBER.sub("", plain))
