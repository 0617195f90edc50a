"""The bodies with which people correct and delete: their fields, and labels checked against the taxonomy."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.problems import bad_input
from triage.case import Case
from triage.taxonomy import Head, Taxonomy


class Correction(BaseModel):
    """Labels of a person for one contact. A head that is left out stays unknown."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    record: Annotated[int | None, Field(ge=1, lt=2**63)] = None
    case: Case | None = None
    labels: Annotated[dict[str, Any], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _is_about_one_contact(self) -> Self:
        if sum(given is not None for given in (self.id, self.record, self.case)) != 1:
            raise ValueError("feedback has one of id, record and case")
        return self


class ForgetCustomer(BaseModel):
    """Whose contacts are to be deleted."""

    model_config = ConfigDict(extra="forbid")

    customer_key: Annotated[str, Field(min_length=1, max_length=200)]


def read_labels(given: dict[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """The labels as codes of the taxonomy. A head or a label that is not of it is a problem, and is not repeated."""
    if set(given) - {head.name for head in taxonomy.heads}:
        raise bad_input(f"labels: heads are {', '.join(head.name for head in taxonomy.heads)}")
    for head in taxonomy.heads:
        value = given.get(head.name)
        if value is not None and not _fits(value, head):
            many = "a list of " if head.kind == "multi" else "one of "
            raise bad_input(f"labels.{head.name}: {many}{', '.join(map(str, head.codes))}")
    if not (labels := taxonomy.labels(given)):
        raise bad_input("labels: at least one label is needed")
    return labels


def _fits(value: Any, head: Head) -> bool:
    if (head.kind == "multi") != isinstance(value, list):
        return False
    known = set(map(str, head.codes))
    codes = value if isinstance(value, list) else [value]
    return all(type(code) in (str, int) and str(code) in known for code in codes)
