"""Chinese complaint triage: `Triager.load("models/default")("我打了三次电话都没人管")`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triage.case import Case, Turn
    from triage.result import RowError, TriageResult
    from triage.triager import Triager

__all__ = ["Case", "RowError", "TriageResult", "Triager", "Turn"]
_HOMES = {"Case": "case", "Turn": "case", "RowError": "result", "TriageResult": "result", "Triager": "triager"}


def __getattr__(name: str) -> Any:
    """Public names, imported when first asked for, so that `triage --help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'triage' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"triage.{_HOMES[name]}"), name)
