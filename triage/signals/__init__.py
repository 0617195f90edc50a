"""Facts in what the customer said, each with its span: who is threatened, what was suffered, how it was said."""

from triage.signals.finder import Signal, SignalFinder
from triage.signals.lexicon import Lexicon, load_lexicon

__all__ = ["Lexicon", "Signal", "SignalFinder", "load_lexicon"]
