# SPDX-License-Identifier: Apache-2.0
"""Journals that clients put and nobody released: found and shown like posted ones, but no part of any balance."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.acumatica.schema import JOURNAL
from airflow_provider_mlconnector.sandbox.acumatica.site import ACTUAL_LEDGER, BUDGET_LEDGER, Site, Tenant, record_id
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record, Shape, encode, wrapped
from airflow_provider_mlconnector.sandbox.acumatica.words import period_text
from airflow_provider_mlconnector.sandbox.books.company import AccountType

NEW = "<NEW>"
_ZERO = Decimal("0.00")
_KEPT = ("Description", "LedgerID", "CurrencyID", "TransactionDate")


@dataclass
class Drafts:
    """The drafts of all tenants."""

    site: Site
    _records: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def of(self, tenant: Tenant) -> list[Record]:
        """Return a tenant's drafts."""
        return [record for (name, *_), record in self._records.items() if name == tenant.name]

    def put(self, tenant: Tenant, values: Mapping[str, Any], *, only_new: bool, only_known: bool) -> Record:
        """Insert a journal, or update the one of its keys; return it as it is after that.

        :param only_new: refuse one that is there already; ``only_known`` one that is not.
        :raises HttpError: 412 for those, 422 with the record when it does not hold together.
        """
        module = values.get("Module") or "GL"
        number = values.get("BatchNbr") or NEW
        known = self._records.get((tenant.name, module, number))
        if (known is not None and only_new) or (known is None and only_known):
            raise HttpError(412, message="The precondition that the request's headers state does not hold.")
        record = self._changed(tenant, dict(known or self._blank(tenant, module)), values)
        _check(tenant, record)
        if record["BatchNbr"] == NEW:
            record["BatchNbr"] = f"DR{next(self._numbers):06d}"
            record["id"] = record_id(tenant.name, "draft", record["BatchNbr"])
        self._records[tenant.name, module, record["BatchNbr"]] = record
        return record

    def delete(self, tenant: Tenant, keys: tuple[str, ...]) -> bool:
        """Delete a draft by its keys; False when there is none."""
        return self._records.pop((tenant.name, *keys), None) is not None  # type: ignore[arg-type]  # two keys

    def _blank(self, tenant: Tenant, module: str) -> dict[str, Any]:
        today = self.site.world.clock.now().date()
        return {
            "id": record_id(tenant.name, "draft", NEW),
            "Module": module,
            "BatchNbr": NEW,
            "BranchID": tenant.branch,
            "LedgerID": ACTUAL_LEDGER,
            "CurrencyID": tenant.books.currency,
            "TransactionDate": today,
            "Hold": True,
            "CreatedDateTime": self.site.world.clock.now(),
            "Details": [],
        }

    def _changed(self, tenant: Tenant, record: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        record |= {name: values[name] for name in (*_KEPT, "Hold") if name in values}
        if isinstance(record["TransactionDate"], str):
            record["TransactionDate"] = date.fromisoformat(record["TransactionDate"][:10])
        period = tenant.books.company.fiscal.period_of(record["TransactionDate"])
        asked = str(values.get("PostPeriod") or "").replace("-", "")
        record["PostPeriod"] = asked or record.get("PostPeriod") or period_text(period.key)
        record["Status"] = "On Hold" if record["Hold"] else "Balanced"
        record["LastModifiedDateTime"] = datetime.fromtimestamp(self.site.world.clock.timestamp(), UTC)
        record["Details"] = list(self._lines(tenant, record, values.get("Details", ())))
        return record

    def _lines(self, tenant: Tenant, record: Mapping[str, Any], sent: Any) -> Iterator[dict[str, Any]]:
        """Yield the lines: those with an id are changed or deleted, those without are new, even if they look alike."""
        by_id = {line["id"]: line for line in sent if "id" in line}
        for line in record["Details"]:
            change = by_id.get(line["id"], {})
            if not change.get("delete"):
                yield {**line, **change}
        number = max((line["LineNbr"] for line in record["Details"]), default=0)
        for line in sent:
            if "id" not in line:
                number += 1
                yield {
                    "id": record_id(tenant.name, "draft line", str(next(self._numbers))),
                    "LineNbr": number,
                    "BranchID": tenant.branch,
                    "DebitAmount": _ZERO,
                    "CreditAmount": _ZERO,
                    **line,
                }


def drafts_of(site: Site) -> Drafts:
    """Return the drafts of a site."""
    return site.world.state("acumatica.drafts", lambda: Drafts(site))


def _check(tenant: Tenant, record: Mapping[str, Any]) -> None:
    """See that a journal holds together.

    :raises HttpError: 422 with the record, each error beside the value that it is about.
    """
    body = wrapped(JOURNAL, record, Shape(expand=frozenset({"Details"})))
    posting = {account.number for account in tenant.books.accounts if account.type is AccountType.POSTING}
    found = False
    for row in body["Details"]:
        account = row["Account"].get("value")
        if account not in posting:
            row["Account"]["error"] = f"'Account' '{account}' cannot be found in the system."
            found = True
    if record["LedgerID"] == BUDGET_LEDGER:
        body["LedgerID"]["error"] = "'Ledger' cannot be found in the system."
        found = True
    total = sum(
        (Decimal(str(line["DebitAmount"])) - Decimal(str(line["CreditAmount"])) for line in record["Details"]), _ZERO
    )
    if not record["Hold"] and total:
        body["Hold"]["error"] = "The batch is not balanced. Review the debit and credit amounts."
        found = True
    if found:
        body["error"] = "Inserting  'GL Batch' record raised at least one error. Please review the errors."
        raise HttpError(422, body=encode(body))
