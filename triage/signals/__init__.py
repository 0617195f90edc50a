"""Facts in what the customer said, each with its span: who is threatened, what was suffered, how it was said."""

from triage.signals.finder import Signal, SignalFinder
from triage.signals.lexicon import DEFAULT_LEXICON, Lexicon, load_lexicon

__all__ = ["DEFAULT_LEXICON", "Lexicon", "Signal", "SignalFinder", "load_lexicon"]
