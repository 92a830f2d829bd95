# SPDX-License-Identifier: Apache-2.0
"""What people see in the sandbox's ledgers of a plan that came home, and how they post it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from tests.e2e.books import members
from tests.e2e.plan_runs import Amounts

Line = tuple[str, str, str]
"""Account, what the ledger calls its cost centre, and amount."""
Documents = Mapping[str, Sequence[Line]]
"""Lines by what a person finds a document under."""

HANDED_OVER = "stage/handed-over/BUDGET/L"
"""Folder of the files that SYSPRO's plan becomes, beside the stack's own."""


@dataclass(frozen=True)
class Ledger:
    """A ledger of the group, and where its own budget is: each has a period of its own, as they share their books.

    :param book: the code book of its cost centres.
    """

    system: str
    entity: str
    period: str
    month: str
    book: str

    def documents(self, site) -> Documents:
        """Return what can still be changed; nobody but a person may have posted anything."""
        told = site.sandbox.call("GET", f"/{self.system}/journals")
        assert told["post_calls"] == 0
        return _handed_over(site) if self.system == "syspro" else _READERS[self.system](told)

    def totals(self, documents: Documents) -> Amounts:
        """Return amounts by account and cost centre."""
        centre = members(self.book)
        sums: dict[tuple[str, str], Decimal] = {}
        for account, code, amount in (line for lines in documents.values() for line in lines):
            sums[account, centre[code]] = sums.get((account, centre[code]), Decimal(0)) + Decimal(amount)
        return sums

    def post(self, site) -> None:
        """Let a person post all there is."""
        for name in self.documents(site):
            if self.system == "syspro":
                text = _file(site, name).read_text(encoding="cp1252")
                site.sandbox.call("POST", "/syspro/journals/post", {"document": text})
            else:
                site.sandbox.call("POST", f"/{self.system}/journals/{name}/post")


def _dynamics_fo(told: dict[str, Any]) -> Documents:
    def line(row: dict[str, Any]) -> Line:
        return row["segments"]["MainAccount"], row["segments"].get("Department", ""), row["amount"]

    return {one["number"]: [line(row) for row in one["lines"]] for one in told["journals"] if not one["posted"]}


def _acumatica(told: dict[str, Any]) -> Documents:
    def line(row: dict[str, Any]) -> Line:
        return row["account"], row["subaccount"][:8].rstrip(), row["amount"]  # then comes the location

    return {one["number"]: [line(row) for row in one["lines"]] for one in told["batches"]}


def _dynamics_gp(told: dict[str, Any]) -> Documents:
    def line(row: dict[str, Any]) -> Line:
        account, _, department = row["account"].partition("-")
        return account, department, row["amount"]

    return {str(one["number"]): [line(row) for row in one["lines"]] for one in told["entries"]}


def _handed_over(site) -> Documents:
    def line(element: ElementTree.Element) -> Line:
        account, _, department = element.findtext("GlCode", "").partition(".")
        return account, department, element.findtext("EntryValue", "")

    files = (site.dags.parent / HANDED_OVER).glob("*")
    return {file.name: [line(one) for one in ElementTree.parse(file).iter("JournalLine")] for file in files}


def _file(site, name: str):
    return site.dags.parent / HANDED_OVER / name


_READERS: Mapping[str, Callable[[dict[str, Any]], Documents]] = {
    "dynamics_fo": _dynamics_fo,
    "acumatica": _acumatica,
    "dynamics_gp": _dynamics_gp,
}
