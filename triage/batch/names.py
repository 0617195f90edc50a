"""Chinese names for the codes in an answer. A code that has none is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from triage.batch.marked import printable
from triage.privacy import mask_text
from triage.result import Evidence
from triage.taxonomy import Taxonomy

_CHANNELS = {
    "ticket": "工单",
    "call": "电话",
    "chat": "在线",
    "hotline": "热线",
    "review": "评价",
    "email": "邮件",
    "other": "其他",
}
_ALLOWANCES = {"keep": "现负责人可自行处理", "pass_on": "现负责人可上交", "must_report": "现负责人必须立即上报"}
_REASONS = {
    "low_confidence": "把握不足",
    "label": "须由人判断",
    "possible": "不能排除",
    "unknown_words": "生词过多",
    "too_few_words": "字数太少",
    "channel": "渠道",
    "prior_contacts": "多次来电",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Names from the taxonomy, and of evidence kinds from the triager."""

    taxonomy: Taxonomy
    kinds: Mapping[str, str]

    @classmethod
    def of(cls, taxonomy: Taxonomy, info: Mapping[str, Any]) -> Self:
        """`info["signals"]` and `info["lapses"]`, if there, give kinds their names."""
        return cls(taxonomy, {**info.get("signals", {}), **info.get("lapses", {})})

    def head(self, name: str) -> str:
        """The name of a head."""
        return next((head.zh for head in self.taxonomy.heads if head.name == name), name)

    def kind(self, code: str) -> str:
        """The name of a signal."""
        return self.kinds.get(code, code)

    def evidence(self, one: Evidence) -> str:
        """What words are evidence of: a signal, or the heads that the model answered by them."""
        if one.source == "model":
            return "模型：" + "、".join(map(self.head, one.supports))
        return f"坐席：{self.kind(one.kind)}" if one.source == "agent" else self.kind(one.kind)

    def reason(self, reason: str) -> str:
        """`low_confidence:risk_tier` as 把握不足（风险等级）; a signal by its name."""
        code, _, about = reason.partition(":")
        if code not in _REASONS:
            return self.kind(reason)
        head, _, label = about.partition("=")
        return f"{_REASONS[code]}（{self.head(head)}{self._label(head, label)}）" if about else _REASONS[code]

    def _label(self, head: str, code: str) -> str:
        labels = [one for known in self.taxonomy.heads if known.name == head for one in known.labels]
        return next((f"：{one.zh}" for one in labels if str(one.code) == code), "")


def allowance(value: str) -> str:
    """What the present owner may do with a contact."""
    return _ALLOWANCES.get(value, value)


def value_name(value: str) -> str:
    """A metadata value as shown: channels by their Chinese name, anything else masked."""
    return _CHANNELS.get(value) or printable(mask_text(value))


def duration(minutes: int) -> str:
    """A time limit in the unit people use: 30 分钟, 4 小时, 2 天."""
    for unit, name in ((1440, "天"), (60, "小时")):
        if minutes >= unit and minutes % unit == 0:
            return f"{minutes // unit} {name}"
    return f"{minutes} 分钟"
