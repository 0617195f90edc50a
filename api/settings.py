"""What the service is told from outside: model, policy, keys and limits. Read once, at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from api.scopes import parse_key
from triage.errors import SettingsError
from triage.settings_file import Settings

_PREFIX = "TRIAGE_"
_NOT_OURS = re.compile(r"TRIAGE_(SERVICE|PORT)(_|$)")  # Kubernetes, for a service "triage"
_KEY = re.compile(r"[\x21-\x7e]+")
_DATABASE = re.compile(r"sqlite:///[^:].*|postgresql://.+")
_RATE = re.compile(r"[1-9]\d{0,8}/(second|minute|hour)")
_SECRET_LENGTH = 32
_SECRETS = {"api_keys", "database_url", "secret"}


class ServiceSettings(Settings):
    """The settings of one process. Each but `auth` can be a variable: `max_body_bytes` is TRIAGE_MAX_BODY_BYTES.

    Amounts of work are counted in characters. `queue_characters` may wait or run at a time, more is refused, and so is
    a request that would wait longer than `queue_seconds` for the first turn of its cases; one call
    of the model takes up to `call_cases` cases and `call_characters`. After SIGTERM new requests are answered for
    `drain_seconds` more while `/readyz` says no. Every `watch_seconds` (0: never) the service looks whether model or
    policy have changed, and takes them over.
    `database_url` switches the store on.
    """

    model: Path | None = None
    policy: Path | None = None
    api_keys: tuple[SecretStr, ...] = ()
    auth: bool = True
    max_body_bytes: Annotated[int, Field(ge=1_000, le=64_000_000)] = 4_000_000
    queue_characters: Annotated[int, Field(ge=1)] = 100_000
    queue_seconds: Annotated[float, Field(gt=0, le=600)] = 1.5
    call_characters: Annotated[int, Field(ge=1)] = 2_000
    call_cases: Annotated[int, Field(ge=1, le=1_000)] = 32
    deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 1.0
    watch_seconds: Annotated[float, Field(ge=0, le=86_400)] = 5.0
    threads: Annotated[int, Field(ge=0, le=256)] = 1
    docs: bool = False
    database_url: SecretStr | None = None
    secret: SecretStr | None = None
    retention_days: Annotated[int, Field(ge=1, le=36_500)] = 180
    history_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    no_value_hours: Annotated[int, Field(ge=1, le=8_760)] = 24
    idempotency_hours: Annotated[int, Field(ge=1, le=8_760)] = 24
    rate_limit: str | None = None

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [key.strip() for key in given.split(",") if key.strip()] if isinstance(given, str) else given

    @model_validator(mode="after")
    def _keys_can_be_sent(self) -> Self:
        if not all(_KEY.fullmatch(key.get_secret_value()) for key in self.api_keys):
            raise ValueError("TRIAGE_API_KEYS: a key is printable ASCII without blanks, keys are separated by commas")
        try:
            names = [parse_key(key.get_secret_value(), place)[0].name for place, key in enumerate(self.api_keys, 1)]
        except ValueError as error:
            raise ValueError(f"TRIAGE_API_KEYS: {error}") from None
        if len(set(names)) < len(names):
            raise ValueError(f"TRIAGE_API_KEYS: names must differ, given {' '.join(names)}")
        if self.auth and not self.api_keys and self.database_url is None:
            raise ValueError("TRIAGE_API_KEYS: at least one key is needed, or --no-auth for a service open to all")
        return self

    @model_validator(mode="after")
    def _store_can_be_opened(self) -> Self:
        if self.database_url is None:
            return self
        if not _DATABASE.fullmatch(self.database_url.get_secret_value()):
            raise ValueError("TRIAGE_DATABASE_URL: allowed are sqlite:///FILE and postgresql://USER:PASSWORD@HOST/NAME")
        if self.secret is None or len(self.secret.get_secret_value()) < _SECRET_LENGTH:
            raise ValueError(f"TRIAGE_SECRET: a store needs one of at least {_SECRET_LENGTH} characters, kept for good")
        return self

    @field_validator("rate_limit")
    @classmethod
    def _is_a_rate(cls, given: str | None) -> str | None:
        if given is not None and not _RATE.fullmatch(given):
            raise ValueError("allowed is a number of contacts per second, minute or hour, such as 600/minute")
        return given

    @classmethod
    def read(cls, environment: Mapping[str, str], **given: Any) -> Self:
        """From the TRIAGE_ variables; options `given` on the command line go before them unless None.

        Raises SettingsError for an unknown variable or a bad value. A variable that is empty counts as not set.
        """
        fields = {f"{_PREFIX}{field.upper()}": field for field in cls.model_fields if field != "auth"}
        ours = {name for name in environment if name.startswith(_PREFIX) and not _NOT_OURS.match(name)}
        if unknown := sorted(ours - set(fields)):
            raise SettingsError(f"environment: allowed are {' '.join(fields)}, given {' '.join(unknown)}")
        values = {fields[name]: environment[name] for name in ours if environment[name].strip()}
        try:
            return cls.model_validate(values | {name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise SettingsError("; ".join(map(_sentence, error.errors(include_url=False)))) from None


def _sentence(problem: Any) -> str:
    """Whose setting, what is allowed, what was given; keys are never shown."""
    message: str = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    field = problem["loc"][0]
    given = "" if field in _SECRETS else f"; given {problem['input']!r}"
    return f"{_PREFIX}{str(field).upper()}: {message}{given}"
