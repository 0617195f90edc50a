"""Hints at lapses of the organisation's own side in a conversation, for QA to review: never a verdict."""

from triage.lapses.finder import LapseFinder
from triage.lapses.tables import Lapse, load_lapses

__all__ = ["Lapse", "LapseFinder", "load_lapses"]
