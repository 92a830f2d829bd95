# SPDX-License-Identifier: Apache-2.0
"""Journal transactions: the posted lines in batches, as this ledger knows them.

A batch is a run of lines of one document, with one date, period, ledger and currency. A year's closing entries are not
shown: this ledger moves a year's result to retained earnings without a journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.acumatica.site import (
    ACTUAL_LEDGER,
    STATISTICAL_LEDGER,
    Released,
    Tenant,
)
from airflow_provider_mlconnector.sandbox.acumatica.wire import Record
from airflow_provider_mlconnector.sandbox.acumatica.words import (
    MODULES,
    NO_PROJECT,
    period_text,
    subaccount,
)
from airflow_provider_mlconnector.sandbox.books.codes import EPOCH, MILLISECOND, money
from airflow_provider_mlconnector.sandbox.books.lines import (
    ENTRY_KINDS,
    KINDS,
    LINE,
    NEVER_MODIFIED,
    Line,
    Rows,
    debits,
    document_number,
    system_ids,
)
from airflow_provider_mlconnector.sandbox.books.periods import packed_key
from airflow_provider_mlconnector.sandbox.books.selection import Mask, in_period
from airflow_provider_mlconnector.sandbox.odata.filters import Column

POSTED = "Posted"
_CLOSING = ENTRY_KINDS.index(EntryKind.CLOSING)
_MODULE_OF_KIND = [MODULES.get(kind.source, "GL") for kind in KINDS]
_TOGETHER = ("kind", "document", "day", "period", "ledger", "currency")


def posted_rows(tenant: Tenant, period: Period | None) -> Rows:
    """Return the lines that were posted to a period, or ever, in order of entry number."""
    within = in_period(period, by_date=False) if period else None

    def wanted(rows: Rows) -> Mask:
        shown = rows["entry_kind"] != _CLOSING
        return np.asarray(shown & within(rows) if within else shown, np.bool_)

    first, last = (period.start, period.end) if period else (date.min, date.max)
    found = list(tenant.books.ledger.select(first, last, wanted))
    return np.concatenate(found) if found else np.zeros(0, LINE)


def posted_line(tenant: Tenant, entry: int) -> Rows:
    """Return one posted line; none when it vanished."""
    try:
        return tenant.books.ledger.find(entry)
    except KeyError:
        return np.zeros(0, LINE)


def begins_in_books(tenant: Tenant, text: str) -> bool:
    """Say whether a text of the books begins like this."""
    return any(known.startswith(text) for known in tenant.books.texts.all)


@dataclass(frozen=True)
class Batches:
    """Batches of one tenant.

    :param rows: their lines; ``starts`` are the places of each batch's first line.
    """

    tenant: Tenant
    rows: Rows
    starts: NDArray[Any]

    @classmethod
    def of_period(cls, tenant: Tenant, period: Period | None) -> Batches:
        """Return the batches of a period, or all."""
        return cls.of_rows(tenant, posted_rows(tenant, period))

    @classmethod
    def of_drafts(cls, tenant: Tenant) -> Batches:
        """Return the batches that were drafts once."""
        known = [posted_line(tenant, entry) for batch in tenant.released.values() for entry in batch.entries]
        return cls.of_rows(tenant, np.concatenate([np.zeros(0, LINE), *known]))

    @classmethod
    def of_rows(cls, tenant: Tenant, rows: Rows) -> Batches:
        """Return the batches that posted lines make, which are in order of entry number."""
        statistical = np.isin(rows["account"], tenant.books.statistical_places())
        fresh = np.ones(len(rows), np.bool_)
        fresh[1:] = statistical[1:] != statistical[:-1]
        for name in _TOGETHER:
            fresh[1:] |= rows[name][1:] != rows[name][:-1]
        return cls(tenant, rows, np.flatnonzero(fresh))

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def firsts(self) -> Rows:
        """Return the first line of each batch."""
        firsts: Rows = self.rows[self.starts]
        return firsts

    @cached_property
    def stamps(self) -> NDArray[Any]:
        """Return when each batch was last modified, in milliseconds."""
        if not len(self):
            return np.zeros(0, np.int64)
        latest: NDArray[Any] = np.maximum.reduceat(self.rows["stamp"], self.starts)
        return latest

    def column(self, name: str) -> Column:
        """Return a header field of every batch, for filters.

        :raises KeyError: for a field that is not filtered by here.
        """
        match name:
            case "LastModifiedDateTime" | "CreatedDateTime":
                times = self.stamps.astype("datetime64[ms]").astype("datetime64[us]")
                times[self.stamps == NEVER_MODIFIED] = np.datetime64("NaT")
                return np.asarray(times)
            case "TransactionDate":
                ordinal = date(1970, 1, 1).toordinal()
                return np.asarray((self.firsts["day"] - ordinal).astype("datetime64[D]").astype("datetime64[us]"))
            case "BatchNbr":
                return np.array([batch_number(self.tenant, entry) for entry in self.firsts["entry"]], object)
            case "PostPeriod":
                _, places, again = np.unique(self.firsts[["day", "period"]], return_index=True, return_inverse=True)
                texts = [_post_period(self.tenant, self.firsts[place]) for place in places]
                return _looked_up(texts, again)
            case "Module":
                return _looked_up(_MODULE_OF_KIND, self.firsts["kind"])
            case "LedgerID":
                ledgers = _looked_up([ACTUAL_LEDGER, *self.tenant.books.ledgers.all[1:]], self.firsts["ledger"])
                statistical = np.isin(self.firsts["account"], self.tenant.books.statistical_places())
                return np.where(statistical, STATISTICAL_LEDGER, ledgers)
            case "Status":
                return _looked_up([POSTED], np.zeros(len(self), np.int64))
            case _:
                return np.array([self._header_text(name, row) for row in self.firsts], object)

    def records(self, places: Sequence[int] | NDArray[Any]) -> Iterator[Record]:
        """Yield the batches at these places, whole."""
        ends = np.append(self.starts[1:], len(self.rows))
        for place in places:
            yield self._record(self.rows[self.starts[place] : ends[place]], int(self.stamps[place]))

    def _record(self, rows: Rows, stamp: int) -> Record:
        first = rows[0]
        ids = _guids(rows, self.tenant.books.seed)
        released = self._released(first)
        modified = None if stamp == NEVER_MODIFIED else EPOCH + stamp * MILLISECOND
        return {
            "id": released.id if released else _batch_guid(ids[0]),
            "BatchNbr": batch_number(self.tenant, first["entry"]),
            "BranchID": self.tenant.branch,
            "CreatedDateTime": modified,
            "CurrencyID": self._header_text("CurrencyID", first),
            "Description": self._header_text("Description", first),
            "Hold": False,
            "LastModifiedDateTime": modified,
            "LedgerID": self._header_text("LedgerID", first),
            "Module": self._header_text("Module", first),
            "PostPeriod": self._header_text("PostPeriod", first),
            "Status": POSTED,
            "TransactionDate": date.fromordinal(first["day"]),
            "Details": list(self._details(rows, ids)),
        }

    def _details(self, rows: Rows, ids: Sequence[str]) -> Iterator[Record]:
        books = self.tenant.books
        first, was_draft = int(rows[0]["entry"]), self._released(rows[0]) is not None
        in_debit = debits(rows) != 0
        amounts = np.where(rows["currency"] == 0, rows["cents"], rows["foreign"])
        for row, id_, debit, amount in zip(rows, ids, in_debit, amounts, strict=True):
            account = books.accounts[row["account"]]
            reference = books.texts.all[row["reference"]] if was_draft else ""
            yield {
                "id": id_,
                "Account": account.number,
                "BranchID": self.tenant.branch,
                "CreditAmount": money(0 if debit else -int(amount)),
                "DebitAmount": money(int(amount) if debit else 0),
                "Description": account.name,
                "LineNbr": int(row["entry"]) - first + 1,
                "Project": books.projects.all[row["project"]] or NO_PROJECT,
                "Qty": money(0),
                "ReferenceNbr": reference or document_number(row["kind"], row["document"], books.texts.all)[-15:],
                "Subaccount": subaccount(books.departments.all[row["department"]]),
                "TransactionDescription": books.texts.all[row["text"]],
            }

    def _released(self, row: Any) -> Released | None:
        """Return what the batch that begins with a row keeps of its draft; None of one that never was a draft."""
        return self.tenant.released.get(int(row["entry"]))

    def _header_text(self, name: str, row: Any) -> str:
        books = self.tenant.books
        match name:
            case "Module":
                return str(_MODULE_OF_KIND[row["kind"]])
            case "PostPeriod":
                return _post_period(self.tenant, row)
            case "LedgerID":
                return _ledger_id(self.tenant, row)
            case "CurrencyID":
                return str(books.currencies.all[row["currency"]])
            case "Status":
                return POSTED
            case "BranchID":
                return self.tenant.branch
            case "Description":
                released = self._released(row)
                return released.description if released else str(books.texts.all[row["text"]])
            case _:
                raise KeyError(name)


def _looked_up(table: Sequence[str], places: NDArray[Any]) -> Column:
    return np.asarray(np.array(table, object)[places])


def batch_number(tenant: Tenant, entry: int) -> str:
    """Return the number of the batch that begins with an entry; one that was a draft keeps its own."""
    released = tenant.released.get(int(entry))
    return released.number if released else f"{entry:010d}"


def detail_lines(tenant: Tenant, period: Period) -> Iterator[tuple[Line, str, str, str]]:
    """Yield each posted line of a period with its ledger, module and batch number."""
    batches = Batches.of_period(tenant, period)
    ends = np.append(batches.starts[1:], len(batches.rows))
    for start, end in zip(batches.starts, ends, strict=True):
        first = batches.rows[start]
        module = _MODULE_OF_KIND[first["kind"]]
        for row in batches.rows[start:end]:
            yield tenant.books.line_of(row), _ledger_id(tenant, row), module, batch_number(tenant, first["entry"])


def _post_period(tenant: Tenant, row: Any) -> str:
    own = int(row["period"])
    fiscal = tenant.books.company.fiscal
    return period_text(packed_key(own) if own else fiscal.period_of(date.fromordinal(row["day"])).key)


def _ledger_id(tenant: Tenant, row: Any) -> str:
    if tenant.books.accounts[row["account"]].statistical:
        return STATISTICAL_LEDGER
    return str(tenant.books.ledgers.all[row["ledger"]]) if row["ledger"] else ACTUAL_LEDGER


def _guids(rows: Rows, seed: int) -> list[str]:
    return [bytes(text).decode() for text in system_ids(rows["entry"], seed, rows["life"])]


def _batch_guid(first_line: str) -> str:
    """Return a batch's own guid, which is none of its lines'."""
    return f"b{first_line[1:]}" if first_line[0] != "b" else f"c{first_line[1:]}"
