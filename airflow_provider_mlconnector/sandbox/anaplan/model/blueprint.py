# SPDX-License-Identifier: Apache-2.0
"""The model "FP&A Hub": what its builder made, and what it holds before the first close.

Accounts, cost centres, vendors and employees are empty: the close brings them. The time scale is four fiscal years,
July 2024 to June 2028, in months named like ``Jul 25``.
"""

from __future__ import annotations

from collections.abc import Iterator
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
FIRST_MONTH = date(2024, 7, 1)
MONTHS = 48
VERSIONS = ("Actual", "Budget", "Forecast")
ACTUAL, BUDGET, FORECAST = VERSIONS
ENTITIES = ("Larkfield", "Larkfield Manufacturing")
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
_LISTS = ("Accounts", "Cost Centres", "Entities", "Vendors", "Employees", "Journal Lines")
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
            properties=JOURNAL_HEADER[1:] if name == "Journal Lines" else (),
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
    actuals, balances = _modules()
    imports = _imports(actuals, balances)
    by_name = {action.name: action for action in imports}
    in_order = ("Load Accounts", "Load Cost Centres", "Load GL Actuals")
    process = ProcessAction(ids.numbered(ids.PROCESS, 0), "Load All", tuple(by_name[name] for name in in_order))
    return Definitions(
        modules=(actuals, balances),
        views=(
            View(actuals.id, actuals.name, actuals),
            View(balances.id, balances.name, balances),
            View(ids.numbered(ids.SAVED_VIEW, 0), "GL Actuals by Period", actuals, is_saved=True),
            View(ids.numbered(ids.SAVED_VIEW, 1), "GL Balances by Period", balances, is_saved=True),
        ),
        imports=imports,
        exports=(ExportAction(ids.numbered(ids.EXPORT, 0), "Approved Budget", actuals, BUDGET),),
        deletions=(DeleteAction(ids.numbered(ids.ACTION, 0), "Delete Vendors", list_id("Vendors")),),
        processes=(process,),
    )


def _modules() -> tuple[Module, Module]:
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
    return actuals, balances


def _imports(actuals: Module, balances: Module) -> tuple[ImportAction, ...]:
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
    )
    return tuple(
        ImportAction(ids.numbered(ids.IMPORT, number), name, ids.numbered(ids.FILE, number), header, target)
        for number, (name, header, target) in enumerate(plans)
    )
