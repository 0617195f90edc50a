"""The JSON schemas of what goes in and out, for the OpenAPI document. Heads come from the taxonomy."""

from __future__ import annotations

from typing import Any

from api.bodies import MAX_CASES
from api.examples import CALL, CUSTOMER, ERROR, MODEL, TICKET, feedback, result
from triage.case import MAX_CHARACTERS, MAX_TURNS, Case
from triage.taxonomy import Head, Taxonomy

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_RECORD: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_SCORE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_NOT_BLANK = r"[^\u0000 \t\r\n\u3000]"
_LABEL: Schema = {"type": ["string", "integer"]}


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(taxonomy: Taxonomy) -> dict[str, Schema]:
    """All schemas by name."""
    case = Case.model_json_schema(ref_template="#/components/schemas/{model}")
    turn = case.pop("$defs")["Turn"]
    text = {"type": "string", "maxLength": MAX_CHARACTERS, "pattern": _NOT_BLANK}
    said = {"type": "object", "properties": {"text": {"pattern": _NOT_BLANK}}}
    turns = {"type": "array", "maxItems": MAX_TURNS, "contains": said}
    case["oneOf"] = [
        {"required": ["text"], "properties": {"text": text, "turns": {"type": "null"}}},
        {"required": ["turns"], "properties": {"turns": turns, "text": {"type": "null"}}},
    ]
    answer = _one_of("TriageResult", "ItemError")
    item = {"anyOf": [ref("Case"), {"description": "Anything else: its place in the results has an error."}]}
    batch = _object(cases={**_list(item), "maxItems": MAX_CASES})
    return {
        "Case": {**case, "examples": [TICKET, CALL]},
        "Turn": turn,
        "Batch": {**batch, "examples": [{"cases": [TICKET, CALL]}]},
        "TriageResult": {**_result(taxonomy), "examples": [result(taxonomy)]},
        "ItemError": _object(id=_TEXT, error=_object(code=_TEXT, detail=_TEXT)),
        "BatchResult": {**_object(results=_list(answer)), "examples": [{"results": [result(taxonomy), ERROR]}]},
        "Model": {**_object(name=_TEXT, version=_TEXT, taxonomy=_TEXT, policy=_TEXT), "examples": [MODEL]},
        "Taxonomy": Taxonomy.model_json_schema(ref_template="#/components/schemas/{model}"),
        **_of_the_store(taxonomy),
        "State": _object(status=_TEXT),
        "Problem": _object(type=_TEXT, title=_TEXT, status=_INTEGER, detail=_TEXT, code=_TEXT, request_id=_TEXT),
    }


def _of_the_store(taxonomy: Taxonomy) -> dict[str, Schema]:
    time = {"type": "string", "format": "date-time"}
    shown = {"type": "object", "description": "The case as it was stored: identifiers masked, no customer_key."}
    answer = {"anyOf": [ref("TriageResult"), {"type": "null"}]}
    contact = _object(record=_INTEGER, received_at=time, contacted_at=time, case=shown, result=answer)
    labels = {"type": "object", "minProperties": 1, "properties": {h.name: _or_null(_given(h)) for h in taxonomy.heads}}
    one = {"id": {**_TEXT, "minLength": 1, "maxLength": 200}, "record": _RECORD, "case": ref("Case")}
    given = {
        "type": "object",
        "required": ["labels"],
        "additionalProperties": False,
        "properties": {**one, "labels": {**labels, "additionalProperties": False}},
        "oneOf": [{"required": [name]} for name in one],
        "examples": [feedback(taxonomy)],
    }
    key = {**_TEXT, "minLength": 1, "maxLength": 200}
    return {
        "Contacts": _object(cases=_list(contact), next={"type": ["integer", "null"]}),
        "Feedback": given,
        "LabelledCases": {**_TEXT, "description": "JSONL: on each line a case with `labels` and `source`."},
        "Kept": _object(record=_INTEGER),
        "Customer": {**_object(customer_key=key), "additionalProperties": False, "examples": [CUSTOMER]},
        "Forgotten": _object(deleted=_INTEGER),
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _given(head: Head) -> Schema:
    one = {"enum": list(head.codes)}
    return {**(_list(one) if head.kind == "multi" else one), "description": head.zh}


def _result(taxonomy: Taxonomy) -> Schema:
    evidence = _object(
        turn=_INTEGER,
        start=_INTEGER,
        end=_INTEGER,
        text={**_TEXT, "description": "The words, identifiers masked; the span points into the original turn or text."},
        kind=_TEXT,
        supports=_list(_TEXT),
        source={"enum": ["signal", "model"]},
    )
    handling = _object(
        owner=_TEXT,
        present_owner_may={"enum": ["keep", "pass_on", "must_report"]},
        respond_within_minutes=_INTEGER,
        actions=_list(_TEXT),
    )
    return _object(
        id=_TEXT,
        **{head.name: _head(head) for head in taxonomy.heads},
        evidence=_list(evidence),
        turns=_list(_object(turn=_INTEGER, dissatisfaction=_SCORE)),
        handling=handling,
        review=_object(needed={"type": "boolean"}, reasons=_list(_TEXT)),
        model={"type": "object", "additionalProperties": _TEXT},
    )


def _head(head: Head) -> Schema:
    """Labels are described and not enumerated: a policy may put its own grades in place of the tiers."""
    about = f"{head.zh}: " + "; ".join(f"{label.code} {label.zh}" for label in head.labels)
    if head.kind == "multi":
        return {**_list(_object(label=_LABEL, name=_TEXT, score=_SCORE)), "description": about}
    scores = {"type": "object", "additionalProperties": _SCORE}
    answer = _object(label=_LABEL, name=_TEXT, score=_SCORE, scores=scores, reasons=_list(_TEXT))
    return {**answer, "description": about}


def _object(**fields: Schema) -> Schema:
    return {"type": "object", "required": list(fields), "properties": fields}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _one_of(*names: str) -> Schema:
    return {"oneOf": [ref(name) for name in names]}
