# SPDX-License-Identifier: Apache-2.0
"""Account balances: from the cumulative balances that the ledger keeps for each GL code and year.

A period's movement is its closing balance less the one before. Debits and credits apart are not kept, so the period's
entries are added up for them; where these do not come to the movement, since somebody posts right now, the movement
stands on its own side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.money import ZERO, add_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.balances import Balance, balances_batch, balances_period
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope
from airflow_provider_mlconnector.systems.syspro.accounts import statistical_codes
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.ledger import of_period, split_codes
from airflow_provider_mlconnector.systems.syspro.tables import AMOUNTS, HISTORY, MOST_PERIODS

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Kept:
    """What the ledger keeps of an account: what it came to before a period and at its end."""

    opening: Decimal
    closing: Decimal

    @property
    def movement(self) -> Decimal:
        """Return debit less credit of the period."""
        return add_money((self.closing, self.opening.copy_negate()))


def period_balances(api: SysproApi, period: Period, findings: list[Finding]) -> dict[str, Kept] | None:
    """Return the balances by account, without statistical ones; None when the ledger keeps none of that year."""
    if not api.offers(HISTORY) or period.number > MOST_PERIODS:
        return None
    before = f"ClosingBalPer{period.number - 1}" if period.number > 1 else "BeginYearBalance"
    left_out = {*api.connection.pseudo_codes, *statistical_codes(api).to_pylist()}
    found: dict[str, Kept] = {}
    rows = 0
    for batch in api.rows(HISTORY, findings, {"GlYear": f"GlYear eq {period.year}"}):
        rows += batch.num_rows
        for row in batch.to_pylist():
            if row["GlCode"] not in left_out:
                account = api.connection.gl_code.split(row["GlCode"])[0]
                own = Kept(_amount(row, before), _amount(row, f"ClosingBalPer{period.number}"))
                found[account] = _both(found.get(account), own)
    return found if rows else None


def read_balances(api: SysproApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period.

    :raises CapabilityError: when the scope names no period, or one of a year that the ledger keeps no balances of.
    """
    period = balances_period(scope)
    reading.resource = HISTORY.name
    kept = period_balances(api, period, reading.findings)
    if kept is None:
        raise CapabilityError(
            f"SYSPRO's ledger shows no balances of {period.key} in {HISTORY.name}.",
            hint="Load journal_lines alone, or have the balances of that year kept.",
        )
    sides = _sides(api, period, reading.findings)
    balances = _by_entries(kept, sides, reading.findings)
    yield balances_batch(period, balances, company=api.connection.company)


def _by_entries(
    kept: Mapping[str, Kept], sides: Mapping[str, tuple[Decimal, Decimal]], findings: list[Finding]
) -> dict[str, Balance]:
    """Return the balances with the debits and credits of the entries, where these come to the movement."""
    balances = {}
    for account, one in kept.items():
        debit, credit = sides.get(account, (ZERO, ZERO))
        if add_money((debit, credit.copy_negate())) != one.movement:
            detail = "its entries do not come to the movement of its balance; it stands on one side"
            findings.append(Finding(FindingKind.FALLBACK, account, detail))
            debit, credit = max(one.movement, ZERO), max(one.movement.copy_negate(), ZERO)
        balances[account] = Balance(one.opening, debit, credit)
    return balances


def _sides(api: SysproApi, period: Period, findings: list[Finding]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return debits and credits of a period's entries by account, added up page by page."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for page in api.many_rows(AMOUNTS, findings, lambda rows: _of_page(api, rows), of_period(period)):
        for row in page:
            debit, credit = sums.get(row["account"], (ZERO, ZERO))
            sums[row["account"]] = (
                add_money((debit, row["debit_sum"])),
                add_money((credit, row["credit_sum"])),
            )
    return sums


def _of_page(api: SysproApi, rows: pa.RecordBatch) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    amount, zero = rows["EntryValue"], pa.scalar(0, rows["EntryValue"].type)
    columns = {
        "account": split_codes(api.connection, rows["GlCode"])["ACCOUNT"],
        "debit": pc.max_element_wise(amount, zero),
        "credit": pc.negate(pc.min_element_wise(amount, zero)),
    }
    return pa.table(columns).group_by("account").aggregate([("debit", "sum"), ("credit", "sum")]).to_pylist()


def _amount(row: dict[str, Any], name: str) -> Decimal:
    return row[name] if row[name] is not None else ZERO


def _both(one: Kept | None, other: Kept) -> Kept:
    if one is None:
        return other
    return Kept(add_money((one.opening, other.opening)), add_money((one.closing, other.closing)))
