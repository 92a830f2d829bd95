# SPDX-License-Identifier: Apache-2.0
"""The model "FP&A Hub": what its builder made, and what it holds before the first close.

Accounts, cost centres, partners, invoices, stock and orders are empty: the close brings them. The time scale is four
fiscal years, July 2024 to June 2028, in months named like ``Jul 25``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Cells, Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import (
    CellTarget,
    Definitions,
    DeleteAction,
    Dimension,
    ExportAction,
    ImportAction,
    LineItem,
    ListExport,
    ListTarget,
    Module,
    ProcessAction,
    RecordTarget,
    Target,
    View,
)
from airflow_provider_mlconnector.sandbox.anaplan.model.members import MemberList
from airflow_provider_mlconnector.sandbox.anaplan.model.records import Records

WORKSPACE = "Finance"
MODEL = "FP&A Hub"
PLAN_APPROVAL = "Plan Approval"
"""Module and, in the plural, saved view of the flags that planners set when a plan may go."""

FIRST_MONTH = date(2024, 7, 1)
MONTHS = 48
VERSIONS = ("Actual", "Budget", "Forecast")
ACTUAL, BUDGET, FORECAST = VERSIONS
ENTITIES = (
    "Larkfield",
    "Larkfield Manufacturing",
    "Larkfield Services",
    "Larkfield Trading",
    "Larkfield Distribution",
)
"""The companies of the group; ledgers of several systems show the same books, each as a company of its own."""

JOURNAL_HEADER = (
    "id",
    "entryNumber",
    "postingDate",
    "documentNumber",
    "documentType",
    "accountNumber",
    "description",
    "debitAmount",
    "creditAmount",
    "lastModifiedDateTime",
    "department",
    "project",
)
_RECORD_LISTS = {
    "AP Invoices": ("Supplier", "Invoice", "Invoice Date", "Due Date", "Period", "Status", "Currency", "Reference"),
    "AR Invoices": ("Customer", "Invoice", "Invoice Date", "Period", "Status", "Currency", "Reference"),
    "Stock": ("Item", "Warehouse"),
    "Purchase Orders": ("Vendor", "Order", "Order Date", "Promised Date", "Status", "Currency"),
}
"""Lists that are keyed by the ERP's own ids, and the properties of their members; each has a module of its figures."""

_LISTS = (
    *("Accounts", "Cost Centres", "Entities", "Vendors", "Employees", "Journal Lines"),
    *("Customers", *_RECORD_LISTS),
)
_FIRST_ITEM_PREFIX = 207


def list_id(name: str) -> str:
    """Return the id of a list by its name."""
    return ids.numbered(ids.LIST, _LISTS.index(name))


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the time scale."""

    id: str
    name: str
    start: date


def months() -> Iterator[Month]:
    """Go through the time scale."""
    for index in range(MONTHS):
        year, month = divmod(FIRST_MONTH.month - 1 + index, 12)
        start = date(FIRST_MONTH.year + year, month + 1, 1)
        yield Month(f"54383{index:05d}", f"{start:%b %y}", start)


def make_contents() -> Contents:
    """Return what the model holds at first."""
    lists = {
        list_id(name): MemberList(
            list_id(name),
            name,
            item_prefix=_FIRST_ITEM_PREFIX + index,
            properties=JOURNAL_HEADER[1:] if name == "Journal Lines" else _RECORD_LISTS.get(name, ()),
        )
        for index, name in enumerate(_LISTS)
    }
    for entity in ENTITIES:
        lists[list_id("Entities")].add(entity)
    versions = MemberList(ids.VERSIONS_DIMENSION, "Versions", item_prefix=ids.VERSION)
    for index, name in enumerate(VERSIONS, start=1):
        versions.add(name, member_id=ids.numbered(ids.VERSION, index))
    time = MemberList(ids.TIME_DIMENSION, "Time", item_prefix=543)
    for month in months():
        time.add(month.name, member_id=month.id)
    every = {**lists, versions.id: versions, time.id: time}
    cells: dict[str, Cells] = {module.id: {} for module in make_definitions().modules}
    return Contents(every, cells, {list_id("Journal Lines"): Records()})


def make_definitions() -> Definitions:
    """Return what the model's builder made."""
    actuals, balances, approvals = _modules()
    records = _record_modules()
    imports = _imports(actuals, balances, records)
    by_name = {action.name: action for action in imports}
    in_order = ("Load Accounts", "Load Cost Centres", "Load GL Actuals")
    process = ProcessAction(ids.numbered(ids.PROCESS, 0), "Load All", tuple(by_name[name] for name in in_order))
    return Definitions(
        modules=(actuals, balances, *records, approvals),
        views=(
            View(actuals.id, actuals.name, actuals),
            View(balances.id, balances.name, balances),
            View(ids.numbered(ids.SAVED_VIEW, 0), "GL Actuals by Period", actuals, is_saved=True),
            View(ids.numbered(ids.SAVED_VIEW, 1), "GL Balances by Period", balances, is_saved=True),
            View(ids.numbered(ids.SAVED_VIEW, 2), f"{PLAN_APPROVAL}s", approvals, is_saved=True, shows_zeros=True),
            *(View(module.id, module.name, module) for module in (*records, approvals)),
        ),
        imports=imports,
        exports=(
            ExportAction(ids.numbered(ids.EXPORT, 0), "Approved Budget", actuals, BUDGET),
            *_list_exports(),
        ),
        deletions=(
            DeleteAction(ids.numbered(ids.ACTION, 0), "Delete Vendors", list_id("Vendors")),
            *_deletions(records),
        ),
        processes=(process,),
    )


def _modules() -> tuple[Module, Module, Module]:
    """Return the modules of actuals and plans, of balances, and of the flags that planners set."""
    accounts, centres = Dimension(list_id("Accounts"), "Account"), Dimension(list_id("Cost Centres"), "Cost Centre")
    rest = (
        Dimension(list_id("Entities"), "Entity"),
        Dimension(ids.VERSIONS_DIMENSION, "Version"),
        Dimension(ids.TIME_DIMENSION, "Time"),
    )
    items = [
        LineItem(ids.numbered(ids.LINE_ITEM, number), name)
        for number, name in enumerate(("Amount", "Opening", "Debit", "Credit", "Closing"))
    ]
    actuals = Module(ids.numbered(ids.MODULE, 0), "GL Actuals", (accounts, centres, *rest), tuple(items[:1]))
    balances = Module(ids.numbered(ids.MODULE, 1), "GL Balances", (accounts, *rest), tuple(items[1:]))
    approved = LineItem(ids.numbered(ids.LINE_ITEM, 50), "Approved", is_boolean=True)
    approvals = Module(ids.numbered(ids.MODULE, 20), PLAN_APPROVAL, rest, (approved,))
    return actuals, balances, approvals


def _record_modules() -> tuple[Module, ...]:
    """Return the modules of the lists of records: figures by record and entity, and whether the ERP has it."""
    figures = {
        "AP Invoices": ("Amount", "Open Amount"),
        "AR Invoices": ("Amount", "Open Amount"),
        "Stock": ("Quantity", "Allocated", "Value"),
        "Purchase Orders": ("Amount", "Open Amount"),
    }
    entities = Dimension(list_id("Entities"), "Entity")
    return tuple(
        Module(
            ids.numbered(ids.MODULE, 2 + place),
            f"{name} Data",
            (Dimension(list_id(name), "Record"), entities),
            tuple(
                LineItem(ids.numbered(ids.LINE_ITEM, 100 * (place + 1) + number), item)
                for number, item in enumerate((*names, "Present"))
            ),
        )
        for place, (name, names) in enumerate(figures.items())
    )


def _list_exports() -> Iterator[ListExport]:
    """Yield what writes lists as tables, for whoever keeps the same records elsewhere."""
    for number, name in enumerate(("Vendors", "Customers", "Accounts", "Cost Centres"), start=1):
        yield ListExport(ids.numbered(ids.EXPORT, number), f"Export {name}", list_id(name))


def _deletions(records: Iterable[Module]) -> Iterator[DeleteAction]:
    """Yield what removes the records that are in no ERP any more."""
    for number, module in enumerate(records, start=1):
        name = module.name.removesuffix(" Data")
        present = module.line_items[-1]
        yield DeleteAction(ids.numbered(ids.ACTION, number), f"Delete Gone {name}", list_id(name), (module, present))


def _imports(actuals: Module, balances: Module, records: Iterable[Module]) -> tuple[ImportAction, ...]:
    with_parent, flat = ("Code", "Name", "Parent"), ("Code", "Name")
    journal = RecordTarget(
        list_id("Journal Lines"), "id", numbers=("entryNumber", "debitAmount", "creditAmount"), dates=("postingDate",)
    )
    plans: tuple[tuple[str, tuple[str, ...], Target], ...] = (
        ("Load Accounts", with_parent, ListTarget(list_id("Accounts"), parent=True)),
        ("Load Cost Centres", with_parent, ListTarget(list_id("Cost Centres"), parent=True)),
        ("Load Vendors", flat, ListTarget(list_id("Vendors"))),
        ("Load Employees", flat, ListTarget(list_id("Employees"))),
        ("Load GL Actuals", actuals.header, CellTarget(actuals)),
        ("Load GL Balances", balances.header, CellTarget(balances)),
        ("Load Journal Lines", JOURNAL_HEADER, journal),
        ("Load Customers", flat, ListTarget(list_id("Customers"))),
        *(
            (f"Load {name}", target.columns, target)
            for name, properties in _RECORD_LISTS.items()
            for target in [ListTarget(list_id(name), properties=properties)]
        ),
        *((f"Load {module.name}", module.header, CellTarget(module)) for module in records),
        ("Load Account Names", flat, ListTarget(list_id("Accounts"))),
        ("Load Cost Centre Names", flat, ListTarget(list_id("Cost Centres"))),
    )
    return tuple(
        ImportAction(ids.numbered(ids.IMPORT, number), name, ids.numbered(ids.FILE, number), header, target)
        for number, (name, header, target) in enumerate(plans)
    )
