# SPDX-License-Identifier: Apache-2.0
"""The datasets that every ERP is read into, one schema for all of them.

Columns are described without Arrow, so that a DAG file can be parsed without importing it; :func:`arrow_schema` makes
the Arrow schema. Money is ``decimal128(38, 6)``: 32 digits before the point, 6 after, never a float.

Every dataset begins with ``record_id`` (the ERP's key of the row, unique within company and dataset), ``document``
(what a person would look it up by) and ``modified_at`` (UTC; null where the ERP keeps no stamp).
``journal_lines`` and ``account_balances`` may carry further string columns ``dimension.<CODE>``, one for each dimension
that the flow names: "" where a row has no value of it, null where the row's dimensions could not be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MONEY_PRECISION = 38
MONEY_SCALE = 6
DIMENSION_PREFIX = "dimension."


class Dataset(StrEnum):
    """What can be read from a ledger."""

    ACCOUNTS = "accounts"
    COST_CENTRES = "cost_centres"
    JOURNAL_LINES = "journal_lines"
    ACCOUNT_BALANCES = "account_balances"
    VENDORS = "vendors"
    CUSTOMERS = "customers"
    EMPLOYEES = "employees"
    AP_INVOICES = "ap_invoices"
    AP_POSTINGS = "ap_postings"
    AR_INVOICES = "ar_invoices"
    INVENTORY = "inventory"
    PERIODS = "periods"
    PURCHASE_ORDERS = "purchase_orders"


class Type(StrEnum):
    """Column types; ``TIME`` is UTC with microseconds."""

    TEXT = "text"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"
    INTEGER = "integer"


class EntryKind(StrEnum):
    """Why a journal line was posted; a close loads ``normal`` and ``adjusting`` unless its flow says otherwise."""

    NORMAL = "normal"
    OPENING = "opening"
    ADJUSTING = "adjusting"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset; a required one is never null."""

    name: str
    type: Type
    required: bool = False


def _columns(text: str) -> tuple[Column, ...]:
    """Read ``name:type`` words; a ``!`` at the end makes the column required."""
    words = (word.split(":") for word in text.split())
    return tuple(Column(name, Type(kind.rstrip("!")), kind.endswith("!")) for name, kind in words)


_STAMP = "record_id:text! document:text modified_at:time "

COLUMNS: dict[Dataset, tuple[Column, ...]] = {
    Dataset.ACCOUNTS: _columns(
        _STAMP + "account:text! name:text! parent:text account_type:text category:text subcategory:text "
        "statement:text blocked:boolean direct_posting:boolean statistical:boolean"
    ),
    Dataset.COST_CENTRES: _columns(
        _STAMP + "dimension:text! code:text! name:text! parent:text value_type:text blocked:boolean"
    ),
    Dataset.JOURNAL_LINES: _columns(
        _STAMP
        + "entry_number:integer posting_date:date! period:text account:text! description:text document_type:text "
        "external_document:text debit:money! credit:money! amount:money! currency:text currency_amount:money "
        "kind:text! ledger:text source:text statistical:boolean plan_document:boolean"
    ),
    Dataset.ACCOUNT_BALANCES: _columns(
        _STAMP + "period:text! account:text! opening:money debit:money! credit:money! amount:money! closing:money"
    ),
    Dataset.VENDORS: _columns(_STAMP + "number:text! name:text! blocked:text currency:text balance:money"),
    Dataset.CUSTOMERS: _columns(_STAMP + "number:text! name:text! blocked:text currency:text balance:money"),
    Dataset.EMPLOYEES: _columns(_STAMP + "number:text! name:text! job_title:text status:text"),
    Dataset.AP_INVOICES: _columns(
        _STAMP + "number:text! vendor:text! invoice_date:date due_date:date period:text status:text currency:text "
        "amount:money! open_amount:money external_document:text"
    ),
    Dataset.AP_POSTINGS: _columns(
        _STAMP + "invoice:text! vendor:text! posting_date:date period:text account:text! description:text amount:money!"
    ),
    Dataset.AR_INVOICES: _columns(
        _STAMP + "number:text! customer:text! invoice_date:date due_date:date period:text status:text currency:text "
        "amount:money! open_amount:money external_document:text"
    ),
    Dataset.INVENTORY: _columns(
        _STAMP + "item:text! name:text! warehouse:text quantity:money allocated:money unit_cost:money amount:money"
    ),
    Dataset.PURCHASE_ORDERS: _columns(
        _STAMP + "number:text! vendor:text! order_date:date promised_date:date status:text currency:text "
        "amount:money! open_amount:money"
    ),
    Dataset.PERIODS: _columns(_STAMP + "period:text! name:text start:date! end:date closed:boolean locked:boolean"),
}

PERIOD_DATASETS = frozenset({Dataset.JOURNAL_LINES, Dataset.ACCOUNT_BALANCES})
"""Datasets whose rows belong to one fiscal period; the others are read as they stand today."""


def arrow_schema(dataset: Dataset, dimensions: Iterable[str] = ()) -> pa.Schema:
    """Return the canonical Arrow schema, with one string column per dimension at the end."""
    import pyarrow as pa

    types = {
        Type.TEXT: pa.string(),
        Type.MONEY: pa.decimal128(MONEY_PRECISION, MONEY_SCALE),
        Type.DATE: pa.date32(),
        Type.TIME: pa.timestamp("us", tz="UTC"),
        Type.BOOLEAN: pa.bool_(),
        Type.INTEGER: pa.int64(),
    }
    fields = [pa.field(column.name, types[column.type], nullable=not column.required) for column in COLUMNS[dataset]]
    fields += [pa.field(DIMENSION_PREFIX + code, pa.string()) for code in dimensions]
    return pa.schema(fields)
