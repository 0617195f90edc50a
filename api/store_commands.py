"""`triage keys` and `triage store`: what an operator does with the store. The database is imported inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from triage.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from api.hashing import KeyedHash
    from api.settings import ServiceSettings

keys = typer.Typer(no_args_is_help=True, help="Keys in the store of TRIAGE_DATABASE_URL.")
store = typer.Typer(no_args_is_help=True, help="The store of TRIAGE_DATABASE_URL.")
Name = Annotated[str, typer.Argument(help="A name for the key; it is seen in lists and never used twice.")]


@keys.command()
def create(
    name: Name,
    scopes: Annotated[str, typer.Option(help="What it may do: triage, review, admin; joined by +.")] = "triage",
) -> None:
    """Make a key and print it. It is shown this once, for only its hash is kept."""
    from api.scopes import Caller, parse_scopes
    from api.store import keys as stored

    try:
        caller = Caller(name, parse_scopes(scopes.split("+")))
    except ValueError as error:
        raise InputError(f"--scopes: {error}") from None
    with _opened() as (connection, hashed, _):
        key = stored.create(connection, caller, hashed, datetime.now(UTC))
    typer.echo(key)


@keys.command("list")
def list_keys() -> None:
    """Names, scopes and dates of all keys in the store; the keys themselves are not kept."""
    from api.store import keys as stored

    with _opened() as (connection, _, _):
        for row in stored.every(connection):
            end = f"revoked {row.revoked_at:%Y-%m-%d %H:%M}" if row.revoked_at else "in use"
            typer.echo(f"{row.name}\t{'+'.join(row.scopes)}\tcreated {row.created_at:%Y-%m-%d %H:%M}\t{end}")


@keys.command()
def revoke(name: Name) -> None:
    """End a key. A running service refuses it within 5 seconds."""
    from api.store import keys as stored

    with _opened() as (connection, _, _):
        stored.revoke(connection, name, datetime.now(UTC))
    typer.echo(f"{name}: revoked")


@store.command()
def migrate() -> None:
    """Bring the tables up to date, as `triage serve` does when it starts."""
    with _opened():
        typer.echo("the store is up to date")


@store.command()
def purge() -> None:
    """Delete what is past TRIAGE_RETENTION_DAYS, as a running service does every hour."""
    from api.memory import PURGED_AT_ONCE
    from api.memory import purge as purge_some

    total, found = 0, PURGED_AT_ONCE
    while found == PURGED_AT_ONCE:
        with _opened() as (connection, _, settings):
            found = purge_some(connection, settings)
        total += found
    typer.echo(f"{total} contacts deleted")


@store.command()
def forget(
    customer_key: Annotated[str, typer.Argument(help="The key of the customer, or - to read it from standard input.")],
) -> None:
    """Delete all that is stored of a customer."""
    from api.store import contacts

    key = typer.get_text_stream("stdin").readline().strip() if customer_key == "-" else customer_key
    if not key:
        raise InputError("CUSTOMER_KEY: not empty")
    with _opened() as (connection, hashed, _):
        deleted = contacts.forget(connection, hashed("customer", key))
    typer.echo(f"{deleted} contacts deleted")


@contextmanager
def _opened() -> Iterator[tuple[Connection, KeyedHash, ServiceSettings]]:
    """A transaction in the store that the environment names."""
    from api.memory import open_store
    from api.settings import ServiceSettings

    settings = ServiceSettings.read(os.environ, auth=False)
    database, hashed = open_store(settings)
    try:
        with database.begin() as connection:
            yield connection, hashed, settings
        database.wipe()
    finally:
        database.close()
