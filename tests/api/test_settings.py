"""Settings from the environment: what is read, what is refused, and that keys are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import ServiceSettings
from triage.errors import SettingsError

KEYS = {"TRIAGE_API_KEYS": "key-1, key-2,"}


def test_reads_the_environment() -> None:
    settings = ServiceSettings.read(
        {**KEYS, "TRIAGE_MODEL": "m", "TRIAGE_POLICY": "", "TRIAGE_CALL_CASES": "8", "A": "b"}
    )
    assert [key.get_secret_value() for key in settings.api_keys] == ["key-1", "key-2"]
    assert (settings.model, settings.policy, settings.call_cases) == (Path("m"), None, 8)
    assert "key-1" not in repr(settings)


def test_an_option_goes_before_its_variable() -> None:
    settings = ServiceSettings.read({**KEYS, "TRIAGE_MODEL": "m", "TRIAGE_POLICY": "p"}, model=Path("n"), policy=None)
    assert (settings.model, settings.policy) == (Path("n"), Path("p"))


@pytest.mark.parametrize("name", ["TRIAGE_SERVICE_HOST", "TRIAGE_PORT", "TRIAGE_PORT_8000_TCP_ADDR"])
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert ServiceSettings.read({**KEYS, name: "tcp://10.0.0.1"}) == ServiceSettings.read(KEYS)


def test_without_keys_only_if_asked_for() -> None:
    assert ServiceSettings.read({}, auth=False).auth is False


REFUSED = {
    "no key": ({}, "TRIAGE_API_KEYS: at least one key is needed, or --no-auth"),
    "empty keys": ({"TRIAGE_API_KEYS": " , "}, "TRIAGE_API_KEYS: at least one"),
    "key with a blank": ({"TRIAGE_API_KEYS": "secret key"}, "printable ASCII without blanks"),
    "key in Chinese": ({"TRIAGE_API_KEYS": "secret密"}, "printable ASCII"),
    "misspelt": ({**KEYS, "TRIAGE_API_KEY": "x"}, "given TRIAGE_API_KEY"),
    "auth off by variable": ({**KEYS, "TRIAGE_AUTH": "0"}, "given TRIAGE_AUTH"),
    "no number": ({**KEYS, "TRIAGE_CALL_CASES": "many"}, "TRIAGE_CALL_CASES: Input should be a valid integer"),
    "too small": ({**KEYS, "TRIAGE_CALL_CASES": "0"}, "greater than or equal to 1; given '0'"),
    "too large": ({**KEYS, "TRIAGE_MAX_BODY_BYTES": "99000000000"}, "TRIAGE_MAX_BODY_BYTES"),
    "not finite": ({**KEYS, "TRIAGE_DEADLINE_SECONDS": "nan"}, "TRIAGE_DEADLINE_SECONDS"),
    "two at once": ({**KEYS, "TRIAGE_THREADS": "-1", "TRIAGE_DOCS": "perhaps"}, "TRIAGE_DOCS"),
}


STORE = {"TRIAGE_DATABASE_URL": "sqlite:////srv/triage.db", "TRIAGE_SECRET": "secret" * 6}
REFUSED |= {
    "scope unheard of": ({"TRIAGE_API_KEYS": "qa:reviewer:secret"}, "scopes are triage review admin, given reviewer"),
    "a name twice": ({"TRIAGE_API_KEYS": "qa:review:secret,qa:admin:secret2"}, "names must differ, given qa qa"),
    "store without secret": ({**KEYS, "TRIAGE_DATABASE_URL": STORE["TRIAGE_DATABASE_URL"]}, "TRIAGE_SECRET: a store"),
    "short secret": ({**KEYS, **STORE, "TRIAGE_SECRET": "secret"}, "at least 32 characters"),
    "another database": ({**KEYS, **STORE, "TRIAGE_DATABASE_URL": "mysql://secret"}, "allowed are sqlite:///FILE"),
    "database in memory": ({**KEYS, **STORE, "TRIAGE_DATABASE_URL": "sqlite://"}, "allowed are sqlite:///FILE"),
    "no database": ({**KEYS, **STORE, "TRIAGE_DATABASE_URL": "secret.db"}, "allowed are sqlite:///FILE"),
    "no rate": ({**KEYS, "TRIAGE_RATE_LIMIT": "many"}, "such as 600/minute; given 'many'"),
    "a rate of nothing": ({**KEYS, "TRIAGE_RATE_LIMIT": "0/minute"}, "TRIAGE_RATE_LIMIT"),
    "no retention": ({**KEYS, "TRIAGE_RETENTION_DAYS": "0"}, "TRIAGE_RETENTION_DAYS"),
}


def test_with_a_store_keys_may_all_stand_there() -> None:
    settings = ServiceSettings.read(STORE)
    assert (settings.auth, settings.api_keys) == (True, ())
    assert "secretsecret" not in repr(settings)
    assert "triage.db" not in repr(settings)


@pytest.mark.parametrize("kind", REFUSED)
def test_refuses(kind: str) -> None:
    environment, message = REFUSED[kind]
    with pytest.raises(SettingsError) as refusal:
        ServiceSettings.read(environment)
    assert message in str(refusal.value)
    assert "secret" not in str(refusal.value)
