"""Errors of the service beside those of `triage`."""

from triage.errors import TriageError


class StoreError(TriageError):
    """The database did not do what was asked; nothing of it was kept. The message names no value."""

    code = "store_unavailable"
