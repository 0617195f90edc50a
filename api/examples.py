"""What the documentation shows. The contacts are invented."""

from __future__ import annotations

from typing import Any

TICKET: dict[str, Any] = {
    "id": "T-1",
    "text": "上周三买的净水器一直没人上门安装，打了三次电话都说登记了。再不处理我就打12315。",
    "channel": "ticket",
    "product": "净水器",
    "region": "杭州",
    "created_at": "2025-03-12T09:30:00+08:00",
    "prior_contacts": 3,
}
CALL: dict[str, Any] = {
    "id": "C-7",
    "channel": "call",
    "turns": [
        {"speaker": "agent", "text": "您好，请问有什么可以帮您？"},
        {"speaker": "customer", "text": "上个月的话费多扣了二十块，你们能不能给个说法？"},
        {"speaker": "agent", "text": "我帮您登记一下，三个工作日内回复。"},
        {"speaker": "customer", "text": "算了，每次都是登记。"},
    ],
}
MODEL: dict[str, str] = {
    "name": "default",
    "version": "1",
    "taxonomy": "complaints-1",
    "policy": "default-1",
    "lexicon": "1",
}


def _head(label: str | int, name: str, score: float, rest: str, *reasons: str) -> dict[str, Any]:
    scores = {str(label): score, rest: round(1 - score, 4)}
    return {"label": label, "name": name, "score": score, "scores": scores, "reasons": list(reasons)}


RESULT: dict[str, Any] = {
    "id": "T-1",
    "complaint_type": _head("service", "服务类", 0.91, "none"),
    "issues": [{"label": "delay", "name": "响应慢", "score": 0.83}],
    "risk_tier": _head(3, "重大危机", 0.88, "1", "regulator_threat"),
    "motive": _head("respect", "求尊重", 0.64, "venting"),
    "dissatisfaction": _head("explicit", "明说的不满", 0.97, "none"),
    "escalation": _head("high", "高", 0.9, "medium", "regulator_threat"),
    "emotion": _head("upset", "不悦", 0.71, "furious"),
    "contact_class": _head("regular", "常规客户", 0.99, "unreasonable"),
    "evidence": [
        {
            "turn": 0,
            "start": 35,
            "end": 41,
            "text": "打12315",
            "kind": "regulator_threat",
            "supports": ["risk_tier", "escalation"],
            "source": "signal",
        }
    ],
    "turns": [{"turn": 0, "dissatisfaction": 0.93}],
    "handling": {
        "owner": "投诉专席",
        "present_owner_may": "must_report",
        "respond_within_minutes": 30,
        "actions": ["先致歉，再核实安装预约", "指定专人跟进并回电"],
    },
    "review": {"needed": False, "reasons": []},
    "model": MODEL,
}
ERROR: dict[str, Any] = {"id": "C-8", "error": {"code": "bad_input", "detail": "case: the text is empty"}}
FEEDBACK: dict[str, Any] = {"id": "T-1", "labels": {"risk_tier": 3, "motive": "respect", "issues": ["delay"]}}
CUSTOMER: dict[str, Any] = {"customer_key": "C-20931"}
