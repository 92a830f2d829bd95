# SPDX-License-Identifier: Apache-2.0
"""Journals that clients put and nobody posted: found and shown like posted ones, but no part of any balance.

A value that is too long is cut off without a word, and a line without subaccount takes that of the line before it, as
the form does for people.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from airflow_provider_mlconnector.sandbox.acumatica.draft_rules import check, period_named
from airflow_provider_mlconnector.sandbox.acumatica.site import ACTUAL_LEDGER, Site, Tenant, record_id
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record
from airflow_provider_mlconnector.sandbox.acumatica.words import NO_PROJECT, period_text, subaccount

NEW = "<NEW>"
ON_HOLD, BALANCED, UNPOSTED = "On Hold", "Balanced", "Unposted"
LONGEST = {"Description": 512, "TransactionDescription": 512, "ReferenceNbr": 15}
"""Characters that are kept of a value."""

_CENT = Decimal("0.01")
_ZERO = Decimal("0.00")
_KEPT = ("Description", "LedgerID", "CurrencyID", "BranchID", "TransactionDate", "Hold")


@dataclass
class Drafts:
    """The drafts of all tenants.

    :param release_calls: how often a client asked for a release, whatever became of it.
    """

    site: Site
    release_calls: int = 0
    _records: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def of(self, tenant: Tenant) -> list[Record]:
        """Return a tenant's drafts."""
        return [record for (name, *_), record in self._records.items() if name == tenant.name]

    def find(self, tenant: Tenant, wanted: Callable[[Record], bool]) -> Record | None:
        """Return the first draft that is wanted."""
        return next((record for record in self.of(tenant) if wanted(record)), None)

    def put(self, tenant: Tenant, values: Mapping[str, Any], known: Record | None = None) -> Record:
        """Change a draft, or insert one with a number of its own; return it as it is after that.

        :raises HttpError: 422 with the record when it does not hold together, 500 for one that is released.
        """
        _check_open(known)
        record = self._changed(tenant, dict(known or self._blank(tenant, values.get("Module") or "GL")), values)
        check(tenant, record)
        if record["BatchNbr"] == NEW:
            record["BatchNbr"] = f"GL{next(self._numbers):06d}"
            record["id"] = record_id(tenant.name, "draft", record["BatchNbr"])
        self._records[_key(tenant, record)] = record
        return record

    def delete(self, tenant: Tenant, record: Record) -> None:
        """Delete a draft.

        :raises HttpError: 500 for one that is released.
        """
        _check_open(record)
        self.take_out(tenant, record)

    def take_out(self, tenant: Tenant, record: Record) -> None:
        """Remove a draft, since it became something else."""
        del self._records[_key(tenant, record)]

    def mark(self, tenant: Tenant, record: Record, status: str) -> None:
        """Give a draft another status, as its workflow does."""
        self._records[_key(tenant, record)] = {**record, "Status": status, "LastModifiedDateTime": self._now()}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.site.world.clock.timestamp(), UTC)

    def _blank(self, tenant: Tenant, module: str) -> dict[str, Any]:
        return {
            "id": record_id(tenant.name, "draft", NEW),
            "Module": module,
            "BatchNbr": NEW,
            "BranchID": tenant.branch,
            "LedgerID": ACTUAL_LEDGER,
            "CurrencyID": tenant.books.currency,
            "TransactionDate": self.site.world.clock.now().date(),
            "Hold": True,
            "CreatedDateTime": self._now(),
            "Details": [],
        }

    def _changed(self, tenant: Tenant, record: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        record |= _cut({name: values[name] for name in _KEPT if name in values})
        if isinstance(record["TransactionDate"], str):
            record["TransactionDate"] = date.fromisoformat(record["TransactionDate"][:10])
        record["PostPeriod"] = self._period(tenant, record, values)
        record["Status"] = ON_HOLD if record["Hold"] else BALANCED
        record["LastModifiedDateTime"] = self._now()
        record["Details"] = list(self._lines(tenant, record, values.get("Details", ())))
        return record

    def _period(self, tenant: Tenant, record: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        """Return the period that is asked for, or that of a new date, or the one that stands."""
        asked = str(values.get("PostPeriod") or "")
        if asked:
            return period_named(asked)
        if "PostPeriod" in record and "TransactionDate" not in values:
            return str(record["PostPeriod"])
        return period_text(tenant.books.company.fiscal.period_of(record["TransactionDate"]).key)

    def _lines(self, tenant: Tenant, record: Mapping[str, Any], sent: Any) -> Iterator[dict[str, Any]]:
        """Yield the lines: those with an id are changed or deleted, those without are new, even if they look alike."""
        by_id = {line["id"]: line for line in sent if "id" in line}
        number, before = 0, subaccount("")
        for line in record["Details"]:
            number, before = max(number, line["LineNbr"]), line["Subaccount"]
            change = by_id.get(line["id"], {})
            if not change.get("delete"):
                yield {**line, **_line_values(change)}
        for line in sent:
            if "id" not in line:
                number += 1
                values = _line_values(line)
                before = values.setdefault("Subaccount", before)
                yield {**self._blank_line(tenant, record, number), **values}

    def _blank_line(self, tenant: Tenant, record: Mapping[str, Any], number: int) -> dict[str, Any]:
        return {
            "id": record_id(tenant.name, "draft line", str(next(self._numbers))),
            "LineNbr": number,
            "BranchID": record["BranchID"],
            "DebitAmount": _ZERO,
            "CreditAmount": _ZERO,
            "Project": NO_PROJECT,
            "ReferenceNbr": "",
            "TransactionDescription": "",
        }


def drafts_of(site: Site) -> Drafts:
    """Return the drafts of a site."""
    return site.world.state("acumatica.drafts", lambda: Drafts(site))


def _key(tenant: Tenant, record: Record) -> tuple[str, str, str]:
    return tenant.name, record["Module"], record["BatchNbr"]


def _check_open(record: Record | None) -> None:
    if record is not None and record["Status"] not in (ON_HOLD, BALANCED):
        raise HttpError(500, "The batch has been released and cannot be changed.")


def _line_values(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a client says of a line; of debit and credit the one that it sets clears the other."""
    values = _cut({name: value for name, value in sent.items() if name != "LineNbr" and value is not None})
    for name, other in (("DebitAmount", "CreditAmount"), ("CreditAmount", "DebitAmount")):
        if name in values:
            values[name] = _amount(values[name])
            if values[name]:
                values[other] = _ZERO
    return values


def _amount(value: Any) -> Decimal:
    try:
        return Decimal(str(value)).quantize(_CENT, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise HttpError(400, message="The request is invalid.") from None


def _cut(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.rstrip()[: LONGEST.get(name)] if isinstance(value, str) else value for name, value in values.items()
    }
