"""What the service remembers: contacts with their answers, a customer's history, answers by idempotency key, keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from sqlalchemy import Connection

from api.asked import Asked, Document, Rows, Wanted
from api.corrections import Correction
from api.errors import StoreError
from api.hashing import KeyedHash
from api.logs import get_logger
from api.problems import ProblemError
from api.scopes import Caller
from api.settings import ServiceSettings
from api.store import claims, contacts, corrections, keys
from api.store.access import Access, Job, T
from api.store.claims import Claim, Turn
from api.store.database import Database
from api.store.schema import check_secret, migrate
from triage.case import Case
from triage.errors import SettingsError
from triage.result import RowError, TriageResult

logger = get_logger(__name__)
_PURGE_SECONDS = 3_600
PURGED_AT_ONCE = 1_000
_EXPORTED_AT_ONCE = 500
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 10  # beyond the deadline, until a claim without answer counts as left


@dataclass(frozen=True, slots=True)
class Permit:
    """The leave to work on a request; `answers` holds what it got before, without the ids."""

    asked: Asked
    claim: Claim | None = None
    answers: list[Document] | None = None


class Memory:
    """The store as the service uses it. Everything that touches the database runs outside the event loop."""

    def __init__(self, database: Database, settings: ServiceSettings, hashed: KeyedHash):
        self.hashed = hashed
        self._settings = settings
        self._database = database
        self._access = Access(database)
        self._purging: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, settings: ServiceSettings) -> Self:
        """The store of the settings, migrated. SettingsError if there is none, or if it cannot be used."""
        database, hashed = open_store(settings)
        return cls(database, settings, hashed)

    async def read(self, job: Job[T]) -> T:
        """What a job finds in the database."""
        return await self._access.read(job)

    async def write(self, job: Job[T]) -> T:
        """What a job returns, once it is committed."""
        return await self._access.write(job)

    async def keys(self) -> list[tuple[str, Caller]]:
        """The keys in the store, by hash."""
        return await self.read(keys.live)

    async def page(self, wanted: Wanted) -> list[Document]:
        """Contacts as they are shown, the latest first."""
        return await self.read(partial(_page, wanted))

    async def labelled(self, after: int) -> list[tuple[int, Document]]:
        """Some labelled cases by record, those after `after`; none at the end."""
        return await self.read(partial(_labelled, after))

    async def correct(self, given: Correction, labels: Document, caller: Caller) -> int | None:
        """Keep the labels that a person gave; returns the record of the contact, None if it is not stored."""
        return await self.write(partial(_correct, given, labels, caller.name, self.hashed))

    async def recall(self, rows: Rows) -> Rows:
        """The cases with what is known of their customers. A higher number that the caller gave stays."""
        if not any(isinstance(row, Case) and row.customer_key for row in rows):
            return rows
        return await self.read(partial(self._recall, rows))

    async def keep(
        self, rows: Rows, results: Sequence[TriageResult | RowError], permit: Permit, tier_head: str
    ) -> None:
        """Store every contact that was answered, and all answers under their claim, in one transaction."""
        pairs = [
            (row, result)
            for row, result in zip(rows, results, strict=True)
            if isinstance(row, Case) and isinstance(result, TriageResult)
        ]
        if pairs or permit.claim:
            records = await asyncio.to_thread(self._records, pairs, permit, tier_head)
            answers = [contacts.without_id(result.to_dict()) for result in results]
            await self.write(partial(_keep, records, permit.claim, answers))

    @asynccontextmanager
    async def permitted(self, asked: Asked) -> AsyncIterator[Permit]:
        """Leave to work on a request; if the block fails, the next such request may try."""
        permit = Permit(asked) if asked.key is None else await self._claimed(asked)
        try:
            yield permit
        except BaseException:
            if permit.claim is not None and permit.answers is None:
                with suppress(StoreError):
                    await self.write(partial(_release, permit.claim))
            raise

    async def forget(self, customer_key: str) -> int:
        """Delete all contacts of a customer and all that hangs on them; returns how many there were."""
        deleted = await self.write(partial(_forget, self.hashed("customer", customer_key)))
        await asyncio.to_thread(self._database.wipe)
        return deleted

    def start(self) -> None:
        """Delete what is past its time, now and every hour."""
        self._purging = asyncio.create_task(self._purge_regularly())

    async def close(self) -> None:
        """Write what waits, then give the database back."""
        if self._purging is not None:
            self._purging.cancel()
            await asyncio.wait({self._purging})
        await self._access.close()

    async def purge(self) -> int:
        """Delete what is past its time; returns how many contacts."""
        total, found = 0, PURGED_AT_ONCE
        while found == PURGED_AT_ONCE:
            found = await self.write(partial(purge, settings=self._settings))
            total += found
        if total:
            await asyncio.to_thread(self._database.wipe)
        return total

    def _recall(self, rows: Rows, connection: Connection) -> Rows:
        now = datetime.now(UTC)
        return [self._with_history(row, connection, now) if isinstance(row, Case) else row for row in rows]

    def _with_history(self, case: Case, connection: Connection, now: datetime) -> Case:
        if not case.customer_key:
            return case
        window = timedelta(days=self._settings.history_days), timedelta(hours=self._settings.no_value_hours)
        prior, no_value = contacts.history(connection, case, self.hashed, now, *window)
        known = {"prior_contacts": max(prior, case.prior_contacts or 0)}
        return case.model_copy(update={**known, "prior_no_value": max(no_value, case.prior_no_value or 0)})

    def _records(
        self, pairs: Sequence[tuple[Case, TriageResult]], permit: Permit, tier_head: str
    ) -> list[contacts.Record]:
        known = {"sent_by": permit.asked.caller.name, "claim": permit.claim and permit.claim.claim}
        now = datetime.now(UTC)
        return [
            contacts.Record.of(case, contacts.result_row(result, tier_head), self.hashed, now, **known)
            for case, result in pairs
        ]

    async def _claimed(self, asked: Asked) -> Permit:
        """Waits while the same request is being worked on, here or in another worker, but not past the deadline."""
        claim = self._claim(asked)
        stale = timedelta(seconds=self._settings.deadline_seconds + _GRACE_SECONDS)
        lifetime = timedelta(hours=self._settings.idempotency_hours)
        until = asyncio.get_running_loop().time() + self._settings.deadline_seconds
        while (found := await self.write(partial(_take, claim, stale, lifetime))) is Turn.BUSY:
            if asyncio.get_running_loop().time() > until:
                raise ProblemError(409, "in_progress", Turn.BUSY.value, {"Retry-After": "1"})
            await asyncio.sleep(_POLL_SECONDS)
            claim = self._claim(asked)
        if found is Turn.OTHER_BODY:
            raise ProblemError(422, "idempotency_key_reused", Turn.OTHER_BODY.value)
        return Permit(asked, claim, found if isinstance(found, list) else None)

    def _claim(self, asked: Asked) -> Claim:
        place = "\0".join((asked.caller.name, asked.route, asked.key or ""))
        return Claim(self.hashed("claim", place), self.hashed("request", asked.body), datetime.now(UTC))

    async def _purge_regularly(self) -> None:
        while True:
            try:
                if deleted := await self.purge():
                    logger.info("contacts past their time deleted", contacts=deleted)
            except StoreError as error:
                logger.error("nothing deleted", reason=str(error))
            await asyncio.sleep(_PURGE_SECONDS)


def open_store(settings: ServiceSettings) -> tuple[Database, KeyedHash]:
    """The database of the settings, migrated, and the hash that its rows are found by. SettingsError if not usable."""
    if settings.database_url is None or settings.secret is None:
        raise SettingsError("TRIAGE_DATABASE_URL: that of the store; not given")
    hashed = KeyedHash(settings.secret.get_secret_value())
    database = Database(settings.database_url.get_secret_value())
    migrate(database)
    check_secret(database, hashed)
    return database, hashed


def purge(connection: Connection, settings: ServiceSettings) -> int:
    """Delete a bounded number of contacts past the retention period, and answers past theirs; returns how many."""
    now = datetime.now(UTC)
    kept, claimed = timedelta(days=settings.retention_days), timedelta(hours=settings.idempotency_hours)
    return contacts.purge(connection, now - kept, now - claimed, PURGED_AT_ONCE)


def _take(claim: Claim, stale: timedelta, lifetime: timedelta, connection: Connection) -> Turn | list[Document]:
    return claims.take(connection, claim, stale, lifetime)


def _release(claim: Claim, connection: Connection) -> None:
    claims.release(connection, claim)


def _page(wanted: Wanted, connection: Connection) -> list[Document]:
    return contacts.page(connection, wanted)


def _labelled(after: int, connection: Connection) -> list[tuple[int, Document]]:
    return corrections.labelled(connection, after, _EXPORTED_AT_ONCE)


def _correct(
    given: Correction, labels: Document, given_by: str, hashed: KeyedHash, connection: Connection
) -> int | None:
    now = datetime.now(UTC)
    sent = [contacts.Record.of(given.case, None, hashed, now, sent_by=given_by)] if given.case else []
    added = contacts.add(connection, sent)
    known = contacts.contact_of(given.id, hashed)
    record = added[0] if added else corrections.find(connection, given.record, known)
    if record is not None:
        corrections.add(connection, record, {"labels": labels}, given_by, now)
    return record


def _forget(customer: str, connection: Connection) -> int:
    return contacts.forget(connection, customer)


def _keep(records: list[contacts.Record], claim: Claim | None, answers: list[Document], connection: Connection) -> None:
    if claim is not None:
        claims.settle(connection, claim, answers)
    contacts.add(connection, records)
