"""The deploy files parse, agree with each other, and name only metrics and settings that exist."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.metrics import Metrics
from api.settings import ServiceSettings
from tests.fakes import FakeTriager
from triage.taxonomy import load_taxonomy

NAME = re.compile(r"\btriage_[a-z_]+")
VARIABLE = re.compile(r"\bTRIAGE_[A-Z_]+")
YAML = ("compose.yaml", "prometheus.yml", "alerts.yml", "grafana/provisioning/datasource.yml")


@pytest.fixture(scope="module")
def deploy(root: Path) -> Path:
    return root / "deploy"


@pytest.fixture(scope="module")
def samples() -> set[str]:
    """Names of everything that a service that has worked a while exposes."""
    triager, metrics = FakeTriager(load_taxonomy()), Metrics()
    metrics.requested("POST", "/v1/triage", 200, 0.1)
    metrics.called([0.1])
    metrics.reloaded("done")
    metrics.answered([triager("没人管")] * 100)
    metrics.answered(triager.pipe([]))
    page = metrics.render(
        {"metrics": {"profile": {"labels": {"risk_tier": {"0": 1.0}}, "unknown_words": 0.0}}}
    ).decode()
    found = set(re.findall(r"(?m)^(triage_[a-z_]+)[ {]", page))
    declared = set(re.findall(r"(?m)^# TYPE (triage_[a-z_]+)", page))
    return found | {name for name in declared if name.endswith("_total")}


def expressions(deploy: Path) -> list[str]:
    dashboard = json.loads((deploy / "grafana" / "dashboard.json").read_text("utf-8"))
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = yaml.safe_load((deploy / "alerts.yml").read_text("utf-8"))
    return [*shown, *(rule["expr"] for group in alerts["groups"] for rule in group["rules"])]


def test_every_metric_that_is_asked_for_exists(deploy: Path, samples: set[str]) -> None:
    asked = {name for expression in expressions(deploy) for name in NAME.findall(expression)}
    assert len(asked) > 12
    assert asked - samples == set()


def test_panels_do_not_overlap_and_have_their_own_ids(deploy: Path) -> None:
    panels = json.loads((deploy / "grafana" / "dashboard.json").read_text("utf-8"))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("name", YAML)
def test_yaml_parses(deploy: Path, name: str) -> None:
    assert isinstance(yaml.safe_load((deploy / name).read_text("utf-8")), dict)


def test_compose_mounts_files_that_are_there(deploy: Path) -> None:
    services: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text("utf-8"))["services"]
    assert set(services) == {"triage", "postgres", "prometheus", "grafana"}
    mounted = [volume for service in services.values() for volume in service.get("volumes", [])]
    own = [volume.partition(":")[0] for volume in mounted if volume.startswith(".")]
    assert own
    assert [name for name in own if not (deploy / name).is_file()] == []


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile", "triage.service", "env.example"])
def test_variables_are_settings(deploy: Path, name: str) -> None:
    named = set(VARIABLE.findall((deploy / name).read_text("utf-8")))
    assert named - {f"TRIAGE_{field.upper()}" for field in ServiceSettings.model_fields} == set()


def test_every_secret_of_compose_is_in_the_example(deploy: Path) -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?\}", (deploy / "compose.yaml").read_text("utf-8")))
    given = set(re.findall(r"(?m)^([A-Z_]+)=", (deploy / "env.example").read_text("utf-8")))
    assert wanted == given


def test_the_image_runs_as_nobody_and_copies_what_is_there(root: Path, deploy: Path) -> None:
    lines = (deploy / "Dockerfile").read_text("utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert [name for name in copied if not (root / name).exists()] == []
    assert "USER 10001" in lines
    assert not any("torch" in line and "RUN" in line for line in lines)


def test_the_unit_parses(deploy: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(deploy / "triage.service", "utf-8")
    assert unit["Service"]["ExecStart"].split()[1:3] == ["serve", "--port"]
    assert "HUP" in unit["Service"]["ExecReload"]
