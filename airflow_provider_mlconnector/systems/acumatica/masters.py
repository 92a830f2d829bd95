# SPDX-License-Identifier: Apache-2.0
"""Master data and documents of vendors, as they stand today.

Subaccounts have no modified stamp, and a deletion leaves none anywhere, so master data is read whole and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money, exact_money
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.company import Company
from airflow_provider_mlconnector.systems.acumatica.entities import (
    ACCOUNTS,
    BILLS,
    EMPLOYEES,
    PURCHASE_ORDERS,
    SUBACCOUNTS,
    VENDORS,
    Account,
    Bill,
    Employee,
    PurchaseOrder,
    Subaccount,
    Vendor,
)
from airflow_provider_mlconnector.systems.acumatica.lists import ListReader
from airflow_provider_mlconnector.systems.acumatica.wrapped import (
    Entity,
    RecordT,
    day,
    literal,
    stamp,
)
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

CATEGORIES = {"Asset": "Assets", "Liability": "Liabilities", "Income": "Income", "Expense": "Expense"}
"""Category by the type of an account, in the words of the datasets; equity is a liability here."""

STATEMENTS = {
    "Asset": "Balance Sheet",
    "Liability": "Balance Sheet",
    "Income": "Income Statement",
    "Expense": "Income Statement",
}


def read_accounts(api: AcumaticaApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the chart of accounts; the parent is the account's class, as there are no headings."""
    yield from _read(api, ACCOUNTS, Dataset.ACCOUNTS, reading, _account)


def read_vendors(api: AcumaticaApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the vendors; one that is not active is blocked with its status."""
    yield from _read(api, VENDORS, Dataset.VENDORS, reading, _vendor)


def read_employees(api: AcumaticaApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the employees; nothing personal but name and job title is asked for."""
    yield from _read(api, EMPLOYEES, Dataset.EMPLOYEES, reading, _employee)


def read_purchase_orders(api: AcumaticaApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the purchase orders, whole: their list can be filtered by keys alone."""
    yield from _read(api, PURCHASE_ORDERS, Dataset.PURCHASE_ORDERS, reading, _order)


def read_bills(api: AcumaticaApi, company: Company, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the vendors' bills and adjustments, or what changed of them."""
    where = f"LastModifiedDateTime ge {literal(scope.since)}" if scope.since else ""
    yield from _read(api, BILLS, Dataset.AP_INVOICES, reading, lambda bill: _bill(bill, company), where)


def read_cost_centres(api: AcumaticaApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the values of each segment of the subaccounts that the scope names, as far as subaccounts use them.

    The endpoint has no names of segment values: a value is called like the first of its subaccounts.

    :raises CapabilityError: when the scope names no segment.
    """
    known = api.connection.segments.names
    wanted = [name for name in scope.dimensions if name in known]
    if not wanted:
        raise CapabilityError(
            f"Cost centres are values of subaccounts: name {' or '.join(known)} as the dimension.",
            hint="Name the segments of the subaccounts in the connection, such as DEPARTMENT 3, REGION 2.",
        )
    reading.resource = SUBACCOUNTS.name
    found = [one for portion in ListReader(api, SUBACCOUNTS, reading.findings).read() for one in portion]
    ordered = sorted(found, key=lambda one: one.SubaccountCD.value or "")
    for name in wanted:
        yield _batch(Dataset.COST_CENTRES, list(_values(api, name, ordered)))


def _read(
    api: AcumaticaApi,
    entity: Entity[RecordT],
    dataset: Dataset,
    reading: Reading,
    row_of: Callable[[RecordT], Row],
    where: str = "",
) -> Iterator[pa.RecordBatch]:
    reading.resource = entity.name
    for portion in ListReader(api, entity, reading.findings).read(where):
        yield _batch(dataset, [row_of(record) for record in portion])


def _batch(dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    names = rows[0].keys() if rows else ("record_id",)
    return canonical_batch(dataset, {name: [row[name] for row in rows] for name in names})


def _account(account: Account) -> Row:
    code, kind = account.AccountCD.value, account.Type.value or ""
    return {
        "record_id": code,
        "document": code,
        "modified_at": stamp(account.LastModifiedDateTime),
        "account": code,
        "name": account.Description.value or code,
        "parent": account.AccountClass.value,
        "account_type": "Posting",
        "category": CATEGORIES.get(kind, kind),
        "statement": STATEMENTS.get(kind),
        "blocked": None if account.Active.value is None else not account.Active.value,
    }


def _values(api: AcumaticaApi, dimension: str, ordered: Sequence[Subaccount]) -> Iterator[Row]:
    segments = api.connection.segments
    alike: dict[str, list[Subaccount]] = {}
    for one in ordered:
        alike.setdefault(segments.value(dimension, one.SubaccountCD.value or ""), []).append(one)
    for value, subaccounts in alike.items():
        yield {
            "record_id": f"{dimension}/{value}",
            "document": value,
            "dimension": dimension,
            "code": value,
            "name": subaccounts[0].Description.value or value,
            "blocked": not any(one.Active.value is not False for one in subaccounts),
        }


def _vendor(vendor: Vendor) -> Row:
    code, status = vendor.VendorID.value, vendor.Status.value or ""
    return {
        "record_id": code,
        "document": code,
        "modified_at": stamp(vendor.LastModifiedDateTime),
        "number": code,
        "name": vendor.VendorName.value,
        "blocked": "" if status == "Active" else status,
        "currency": vendor.CurrencyID.value,
    }


def _employee(employee: Employee) -> Row:
    code, contact = employee.EmployeeID.value, employee.ContactInfo
    return {
        "record_id": code,
        "document": code,
        "modified_at": stamp(employee.LastModifiedDateTime),
        "number": code,
        "name": employee.EmployeeName.value,
        "job_title": contact.JobTitle.value if contact else None,
        "status": employee.Status.value,
    }


def _order(order: PurchaseOrder) -> Row:
    """Return an order; open is what was ordered and not yet received."""
    number = order.OrderNbr.value
    ordered = [line.ExtendedCost.value for line in order.Details if line.ExtendedCost.value is not None]
    received = [line.ReceivedAmount.value.copy_negate() for line in order.Details if line.ReceivedAmount.value]
    return {
        "record_id": f"{order.Type.value}/{number}",
        "document": number,
        "modified_at": stamp(order.LastModifiedDateTime),
        "number": number,
        "vendor": order.VendorID.value,
        "order_date": day(order.Date),
        "promised_date": day(order.PromisedOn),
        "status": order.Status.value,
        "currency": order.CurrencyID.value,
        "amount": exact_money(order.OrderTotal.value) if order.OrderTotal.value is not None else None,
        "open_amount": exact_money(add_money([*ordered, *received])) if order.Details else None,
    }


def _bill(bill: Bill, company: Company) -> Row:
    number, posted = bill.ReferenceNbr.value, bill.PostPeriod.value
    return {
        "record_id": f"{bill.Type.value}/{number}",
        "document": number,
        "modified_at": stamp(bill.LastModifiedDateTime),
        "number": number,
        "vendor": bill.Vendor.value,
        "invoice_date": day(bill.Date),
        "due_date": day(bill.DueDate),
        "period": company.key_of(posted)[0] if posted else None,
        "status": bill.Status.value,
        "currency": bill.CurrencyID.value,
        "amount": exact_money(bill.Amount.value) if bill.Amount.value is not None else None,
        "open_amount": exact_money(bill.Balance.value) if bill.Balance.value is not None else None,
        "external_document": bill.VendorRef.value,
    }
