# SPDX-License-Identifier: Apache-2.0
"""How drafts become posted journals: a person posts them, or a client starts a release and asks when it is over.

While a release goes on, its session is told 409 at whatever else it wants of the journals.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.acumatica.draft_rules import UNBALANCED, check
from airflow_provider_mlconnector.sandbox.acumatica.drafts import BALANCED, UNPOSTED, Drafts, drafts_of
from airflow_provider_mlconnector.sandbox.acumatica.seats import Session
from airflow_provider_mlconnector.sandbox.acumatica.site import ACTUAL_LEDGER, TAX_LEDGER, Released, Site, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record
from airflow_provider_mlconnector.sandbox.acumatica.words import department_of, period_key
from airflow_provider_mlconnector.sandbox.books import NewLine
from airflow_provider_mlconnector.sandbox.books.books import Posting
from airflow_provider_mlconnector.sandbox.books.lines import ACTUAL
from airflow_provider_mlconnector.sandbox.books.periods import ADJUSTING

ACTION = "ReleaseJournalTransaction"


@dataclass(slots=True)
class Operation:
    """A release that goes on until a moment of virtual time; ``failure`` is what became of it then."""

    session: Session
    record: Record
    until: float
    over: bool = False
    failure: HttpError | None = None


@dataclass
class Releases:
    """The releases of all sessions."""

    site: Site
    drafts: Drafts
    _operations: dict[str, Operation] = field(default_factory=dict)

    def start(self, session: Session, record: Record | None) -> str:
        """Start a release and return its id; "" when it was over at once.

        :raises HttpError: 500 for a journal that is not there, 422 for one that cannot be released.
        """
        self.drafts.release_calls += 1
        if record is None:
            raise HttpError(
                500, "No entity satisfies the condition.", "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
            )
        if record["Status"] != BALANCED:
            raise HttpError(422, f"The Release action is not available for a batch with the status {record['Status']}.")
        number, seconds = str(uuid.uuid4()), self.site.switches.release_seconds
        self._operations[number] = Operation(session, record, self._now + seconds)
        if seconds > 0:
            return number
        self.look(number)
        return ""

    def look(self, number: str) -> bool:
        """Say whether a release is over.

        :raises HttpError: as it failed, or 404 when there is none of that id.
        """
        self.settle()
        operation = self._operations.get(number)
        if operation is None:
            raise HttpError(404, message="No operation of that id is known.")
        if operation.failure is not None:
            raise operation.failure
        return operation.over

    def check_idle(self, session: Session) -> None:
        """See that a session has no release under way.

        :raises HttpError: 409 when it has one.
        """
        self.settle()
        if any(one.session is session and not one.over for one in self._operations.values()):
            said = "A long operation is running for this screen in the current session. Please try again later."
            raise HttpError(409, message=said)

    def settle(self) -> None:
        """Finish what is due."""
        for operation in self._operations.values():
            if not operation.over and operation.until <= self._now:
                operation.over = True
                self._finish(operation)

    def post(self, tenant: Tenant, record: Record) -> list[int]:
        """Post a draft as a person does, on hold or not; return the entry numbers.

        :raises HttpError: 422 when it cannot be posted.
        """
        check(tenant, {**record, "Hold": False})
        if not record["Details"]:
            raise HttpError(422, UNBALANCED)
        entries = tenant.books.post_document(
            record["TransactionDate"],
            [_entry(line) for line in record["Details"]],
            document=record["BatchNbr"],
            balanced=record["LedgerID"] == ACTUAL_LEDGER,
            how=_posting(record),
        )
        tenant.released[entries[0]] = Released(
            record["id"], record["BatchNbr"], record.get("Description") or "", tuple(entries)
        )
        self.drafts.take_out(tenant, record)
        return entries

    @property
    def _now(self) -> float:
        return self.site.world.clock.timestamp()

    def _finish(self, operation: Operation) -> None:
        tenant, key = operation.session.tenant, operation.record["BatchNbr"]
        record = self.drafts.find(tenant, lambda one: one["BatchNbr"] == key)
        if record is None or record["Status"] != BALANCED:
            operation.failure = HttpError(500, "Another process has updated the 'Batch' record.")
            return
        try:
            if self.site.switches.posts_on_release:
                self.post(tenant, record)
            else:
                check(tenant, record)
                self.drafts.mark(tenant, record, UNPOSTED)
        except HttpError as error:
            operation.failure = error


def releases_of(site: Site) -> Releases:
    """Return the releases of a site."""
    return site.world.state("acumatica.releases", lambda: Releases(site, drafts_of(site)))


def _entry(line: Record) -> NewLine:
    return NewLine(
        line["Account"],
        line["DebitAmount"] - line["CreditAmount"],
        department_of(line["Subaccount"]),
        description=line["TransactionDescription"],
        external_document=line["ReferenceNbr"],
    )


def _posting(record: Record) -> Posting:
    key = period_key(record["PostPeriod"])
    adjusting = key.endswith(f"P{ADJUSTING:02d}")
    return Posting(
        EntryKind.ADJUSTING if adjusting else EntryKind.NORMAL,
        key,
        TAX_LEDGER if record["LedgerID"] == TAX_LEDGER else ACTUAL,
    )
