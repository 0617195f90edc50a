"""What the documentation shows, in the labels that are served. The contacts are invented."""

from __future__ import annotations

from typing import Any

from triage.taxonomy import Code, Head, Label, Taxonomy

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
ERROR: dict[str, Any] = {"id": "C-8", "error": {"code": "bad_input", "detail": "case: the text is empty"}}
CUSTOMER: dict[str, Any] = {"customer_key": "C-20931"}
_LABELS: dict[str, Code] = {
    "complaint_type": "service",
    "issues": "delay",
    "risk_tier": 3,
    "motive": "respect",
    "dissatisfaction": "explicit",
    "escalation": "high",
    "emotion": "upset",
    "contact_class": "regular",
}
_THREATENED = ("risk_tier", "escalation")
_SCORE = 0.88
_LABELLED_HEADS = 3


def result(taxonomy: Taxonomy) -> dict[str, Any]:
    """The answer to `TICKET` in labels of `taxonomy`."""
    names = [head.name for head in taxonomy.heads]
    return {
        "id": "T-1",
        **{head.name: _answer(head) for head in taxonomy.heads},
        "evidence": [
            {
                "turn": 0,
                "start": 35,
                "end": 41,
                "text": "打12315",
                "kind": "regulator_threat",
                "supports": [name for name in _THREATENED if name in names],
                "source": "signal",
            }
        ],
        "turns": [{"turn": 0, "dissatisfaction": 0.93}] if "dissatisfaction" in names else [],
        "handling": {
            "owner": "投诉专席",
            "present_owner_may": "must_report",
            "respond_within_minutes": 30,
            "actions": ["先致歉，再核实安装预约", "指定专人跟进并回电"],
        },
        "review": {"needed": False, "reasons": []},
        "model": MODEL,
    }


def feedback(taxonomy: Taxonomy) -> dict[str, Any]:
    """A person's labels for `TICKET`, for some heads of `taxonomy`."""
    heads = taxonomy.heads[:_LABELLED_HEADS]
    codes = {head.name: [_label(head).code] if head.kind == "multi" else _label(head).code for head in heads}
    return {"id": "T-1", "labels": codes}


def _answer(head: Head) -> dict[str, Any] | list[dict[str, Any]]:
    label = _label(head)
    given = {"label": label.code, "name": label.zh, "score": _SCORE}
    if head.kind == "multi":
        return [given]
    other = next(code for code in head.codes if code != label.code)
    scores = {str(label.code): _SCORE, str(other): round(1 - _SCORE, 4)}
    return {**given, "scores": scores, "reasons": ["regulator_threat"] if head.name in _THREATENED else []}


def _label(head: Head) -> Label:
    """The label that suits `TICKET`; of a head that is not known here, the second."""
    return next((label for label in head.labels if label.code == _LABELS.get(head.name)), head.labels[1])
