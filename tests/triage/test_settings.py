"""Taxonomy, policy and recipe files: what is wrong is named with its line."""

from pathlib import Path

import pytest

from triage.batch.flat import flat_columns
from triage.case import Case
from triage.errors import SettingsError
from triage.policy import DEFAULT_POLICY, load_policy
from triage.result import RowError
from triage.signals import load_lexicon
from triage.taxonomy import DEFAULT_TAXONOMY, TAKEN, load_taxonomy

WRONG_POLICY = [
    ("unknown key", "tier_head: risk_tier", "tier_hat: risk_tier", "tier_hat"),
    ("not an allowance", "present_owner_may: keep", "present_owner_may: sell", "'sell'"),
    ("no time", "respond_within_minutes: 1440", "respond_within_minutes: 0", "respond_within_minutes"),
    ("probability above one", "needs_score: 0.15", "needs_score: 1.5", "needs_score"),
]


@pytest.mark.parametrize(
    ("old", "new", "message"), [row[1:] for row in WRONG_POLICY], ids=[row[0] for row in WRONG_POLICY]
)
def test_wrong_policy_names_line_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = DEFAULT_POLICY.read_text("utf-8")
    line = text[: text.index(old)].count("\n") + 1
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_policy(path)
    assert message in str(caught.value)
    assert f"{path}:{line}:" in str(caught.value)


NOT_OF_THE_TAXONOMY = [
    ("head", "{head: emotion, label: furious", "{head: mood, label: furious", "mood"),
    ("label", "at_least: high", "at_least: huge", "huge"),
    ("signal", "signals: [self_harm]", "signals: [self_pity]", "self_pity"),
    ("tier left out", "labels: [4]", "labels: [3]", "missing"),
]


@pytest.mark.parametrize(
    ("old", "new", "message"), [row[1:] for row in NOT_OF_THE_TAXONOMY], ids=[row[0] for row in NOT_OF_THE_TAXONOMY]
)
def test_policy_must_fit_taxonomy_and_lexicon(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(DEFAULT_POLICY.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError, match=message) as caught:
        load_policy(path).check(load_taxonomy(), load_lexicon().kinds)
    hint = "give --policy FILE (or TRIAGE_POLICY) made for taxonomy complaints-1"
    assert str(caught.value).endswith(hint) == (message != "self_pity")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not|mapping|dictionary"),
        ("name: [", "not a readable"),
        ("name: x\nversion: '1'\nheads: []\n", "heads"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("name: motive", "name: evidence"), "evidence"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("code: venting", "code: respect"), "must differ"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("neutral: calm", "neutral: quiet"), "neutral"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("name: motive", "name: issues"), "head names must differ"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("name: motive", "name: issues_score"), "'issues_score'"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("zh: 产品类", "zh: 服务类"), "Chinese names .*'服务类'"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("code: respect", "code: yes"), "quotes; given True"),
        (DEFAULT_TAXONOMY.read_text("utf-8").replace("name: motive", "name: product"), r":\d+: .* given 'product'$"),
    ],
)
def test_wrong_taxonomy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=message):
        load_taxonomy(path)


def test_no_head_may_bear_the_name_of_another_column() -> None:
    taxonomy = load_taxonomy()
    heads = {f"{head.name}{suffix}" for head in taxonomy.heads for suffix in ("", "_name", "_score")}
    error = RowError("1", "bad_input", "the text is empty").to_dict()
    assert set(flat_columns(taxonomy)) - heads <= TAKEN
    assert Case.model_fields.keys() | error.keys() <= TAKEN
    assert {"evidence", "turns", "handling", "review", "model", "agent_lapses"} <= TAKEN


def test_missing_file() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_taxonomy(Path("nowhere.yaml"))
