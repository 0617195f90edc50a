"""The policy: what an organisation does with scores and signals. A file, validated at load, and a pure function."""

from triage.policy.decide import Decision, Defaults, decide
from triage.policy.rules import DEFAULT_POLICY, Policy, load_policy

__all__ = ["DEFAULT_POLICY", "Decision", "Defaults", "Policy", "decide", "load_policy"]
