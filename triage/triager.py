"""The pipeline: one case in, one result out."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.artefact import Artefact, open_artefact
from triage.case import Case
from triage.classifier import Classifier, Prediction
from triage.encode import Encoded, Encoder
from triage.errors import TriageError
from triage.evidence import EvidenceFinder, turn_curve
from triage.in_use import digest_of
from triage.lapses import LapseFinder, load_lapses
from triage.policy import DEFAULT_POLICY, Defaults, Policy, decide, load_policy
from triage.prepare import Prepared, prepare
from triage.result import Evidence, RowError, TriageResult
from triage.segment import Segmenter
from triage.signals import DEFAULT_LEXICON, Lexicon, Signal, SignalFinder, load_lexicon
from triage.stage import stage
from triage.taxonomy import Taxonomy
from triage.wide import Occurrences, Wide

DEFAULT_MODELS = Path("models")


@dataclass(frozen=True, slots=True)
class _Front:
    """What is known of a case before the network sees it."""

    utterances: list[Prepared]
    encoded: Encoded
    lexical: Occurrences


class Triager:
    """Triages cases with one model under one policy. Use `Triager.load`; then call it with a case or a text."""

    def __init__(self, artefact: Artefact, policy: Policy, lexicon: Lexicon, threads: int = 0):
        policy.check(artefact.taxonomy, lexicon.kinds)
        self.artefact = artefact
        self.policy = policy
        self._lexicon = lexicon
        manifest = artefact.manifest
        self._segmenter = Segmenter(manifest.segmenter, manifest.words)
        self._encoder = Encoder.load(artefact.path("tokenizer.json"), manifest.window, manifest.roles)
        self._wide = Wide.load(artefact.path("wide.npz"))
        self._finder = SignalFinder(lexicon)
        self._lapses = LapseFinder(load_lapses(lexicon.kinds))
        self._classifier = Classifier(artefact, threads)
        self._evidence = EvidenceFinder(policy, artefact.taxonomy, lexicon)
        self._defaults = Defaults(
            {name: head.weights for name, head in manifest.heads.items() if head.weights},
            {name: head.threshold for name, head in manifest.heads.items()},
        )
        self._names = {
            "name": manifest.name,
            "version": manifest.version,
            "taxonomy": artefact.taxonomy.id,
            "policy": policy.id,
            "lexicon": lexicon.version,
        }

    @classmethod
    def load(cls, model: str | Path | None = None, policy: str | Path | None = None, threads: int = 0) -> Triager:
        """Open a model folder (default: the model in use in `models`) and a policy file (default: the packaged one).

        Raises ArtefactError or SettingsError. `threads`: cases in the network at a time, a core each; 0 takes all.
        """
        artefact = open_artefact(Path(model or DEFAULT_MODELS))
        return cls(artefact, load_policy(Path(policy or DEFAULT_POLICY)), load_lexicon(), threads)

    @property
    def taxonomy(self) -> Taxonomy:
        """The label set of the model."""
        return self.artefact.taxonomy

    @property
    def info(self) -> dict[str, Any]:
        """Names and versions of model, taxonomy, policy and lexicon, the segmenter, and the figures of the model."""
        return {
            **self._names,
            "segmenter": self.artefact.manifest.segmenter,
            "created": self.artefact.manifest.created,
            "metrics": self.artefact.metrics,
            "costs": {str(tier.code): tier.cost for tier in self.policy.tiers if tier.cost is not None},
            "signals": {code: kind.zh for code, kind in self._lexicon.kinds.items()},
            "lapses": {code: lapse.kind.zh for code, lapse in self._lapses.lapses.items()},
        }

    @property
    def digest(self) -> str:
        """SHA-256 over model, policy and lexicon: where it is the same, so are the answers."""
        digest = hashlib.sha256(digest_of(self.artefact.folder).encode())
        digest.update(self.policy.model_dump_json().encode())
        for table in sorted(DEFAULT_LEXICON.rglob("*.yaml")):
            digest.update(table.read_bytes())
        return digest.hexdigest()

    def __call__(self, case: Case | str) -> TriageResult:
        """Triage one case; a bare text is a case of its own. Raises InputError or StageError."""
        case = Case.from_text(case) if isinstance(case, str) else case
        front = self._front(case)
        (prediction,) = self._classify([front])
        return self._back(case, front, prediction)

    def pipe(self, cases: Iterable[Case], batch_size: int = 64) -> Iterator[TriageResult | RowError]:
        """Triage many cases in batches, in order. A case whose stage fails comes out as a RowError."""
        source = iter(cases)
        while chunk := list(itertools.islice(source, batch_size)):
            yield from self._chunk(chunk)

    def _chunk(self, cases: Sequence[Case]) -> list[TriageResult | RowError]:
        """Answers in order. Where the joint call of the network fails, each case is tried alone."""
        answers: dict[int, TriageResult | RowError] = {}
        fronts: dict[int, _Front] = {}
        for index, case in enumerate(cases):
            try:
                fronts[index] = self._front(case)
            except TriageError as error:
                answers[index] = RowError(case.id, error.code, str(error))
        try:
            predictions = self._classify(list(fronts.values()))
        except TriageError as error:
            if len(cases) > 1:
                return [answer for case in cases for answer in self._chunk([case])]
            return [RowError(cases[0].id, error.code, str(error))]
        for (index, front), prediction in zip(fronts.items(), predictions, strict=True):
            try:
                answers[index] = self._back(cases[index], front, prediction)
            except TriageError as error:
                answers[index] = RowError(cases[index].id, error.code, str(error))
        return [answers[index] for index in range(len(cases))]

    def _front(self, case: Case) -> _Front:
        utterances = stage("prepare", lambda: prepare(case, self._segmenter))
        encoded = stage("encode", lambda: self._encoder(utterances))
        return _Front(utterances, encoded, stage("wide", lambda: self._wide(utterances)))

    def _classify(self, fronts: Sequence[_Front]) -> list[Prediction]:
        encoded, lexical = [front.encoded for front in fronts], [front.lexical.logits for front in fronts]
        return stage("classify", lambda: self._classifier(encoded, lexical))

    def _back(self, case: Case, front: _Front, prediction: Prediction) -> TriageResult:
        utterances, encoded = front.utterances, front.encoded
        signals: list[Signal] = stage("signals", lambda: self._finder(utterances))
        unknown = encoded.share_of(self._encoder.unknown_id)
        length = sum(len(utterance.words) for utterance in utterances)
        decision = stage(
            "policy",
            lambda: decide(
                prediction.scores, signals, case, self.policy, self.taxonomy, self._defaults, unknown, length
            ),
        )
        evidence = stage("evidence", lambda: self._evidence(utterances, encoded, front.lexical, prediction, signals))
        turns = turn_curve(utterances, encoded, prediction, self.taxonomy)
        lapses = stage("lapses", lambda: self._lapses(utterances, signals))
        hints = tuple(Evidence(one.turn, one.start, one.end, one.text, one.kind, (), "agent") for one in lapses)
        return TriageResult(
            case.id,
            decision.heads,
            evidence,
            turns,
            decision.handling,
            decision.review_reasons,
            self._names,
            unknown,
            hints,
        )
