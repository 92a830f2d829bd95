# SPDX-License-Identifier: Apache-2.0
"""What a company may be posted to, read once: ledgers, accounts, subaccounts and periods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from airflow_provider_mlconnector.errors import PermissionDeniedError
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.company import ACTUAL, Company, PostPeriod
from airflow_provider_mlconnector.systems.acumatica.entities import LEDGERS, SUBACCOUNTS, Ledger
from airflow_provider_mlconnector.systems.acumatica.lists import ListReader
from airflow_provider_mlconnector.systems.acumatica.wrapped import NOTHING, Entity, Flag, Record, RecordT, Text
from airflow_provider_mlconnector.systems.drafting import Found

BUDGET, STATISTICAL = "Budget", "Statistical"
CONTROL_VIEW, CONTROL_MODULE, MANUAL_ENTRY = "AccountRecords", "ControlAccountModule", "AllowManualEntry"


class CustomField(msgspec.Struct):
    """A field that the endpoint does not define."""

    value: str | bool | None = None


class PostingAccount(Record):
    """An account as far as it may be posted to.

    :param CurrencyID: the only currency that it takes; none for any.
    :param UseDefaultSubaccount: whatever subaccount a line names, the default one is put in its place.
    """

    AccountCD: Text
    Active: Flag
    CurrencyID: Text = NOTHING
    UseDefaultSubaccount: Flag = NOTHING
    custom: dict[str, dict[str, CustomField]] = msgspec.field(default_factory=dict)

    @property
    def controlling(self) -> str:
        """The module that alone posts to the account; "" when people may, too."""
        fields = self.custom.get(CONTROL_VIEW, {})
        free = fields.get(MANUAL_ENTRY, CustomField()).value is True
        return "" if free else str(fields.get(CONTROL_MODULE, CustomField()).value or "")


ACCOUNTS = Entity(
    "Account",
    PostingAccount,
    keys=("AccountCD",),
    custom=(f"{CONTROL_VIEW}.{CONTROL_MODULE}", f"{CONTROL_VIEW}.{MANUAL_ENTRY}"),
)


@dataclass(frozen=True, slots=True)
class PostingSetup:
    """What journals are checked against.

    :param ledgers: by code.
    :param subaccounts: by code without blanks at its end, whether it is active; None where there are none, or the user
        may not see them.
    :param periods: by year and number.
    """

    ledgers: Mapping[str, Ledger]
    accounts: Mapping[str, PostingAccount]
    subaccounts: Mapping[str, bool] | None
    periods: Mapping[tuple[int, int], PostPeriod] = field(default_factory=dict)

    def base_currency(self, branch: str) -> str:
        """Return the currency of the branch's books; "" where no actual ledger tells it."""
        actual = (one for one in self.ledgers.values() if one.Type.value == ACTUAL)
        kept = (one for one in actual if not branch or branch in branches_of(one))
        return next((one.Currency.value or "" for one in kept), "")

    def of_ledger(self, code: str, branch: str) -> Iterator[str]:
        """Yield why plans cannot be written to a ledger."""
        ledger = self.ledgers.get(code)
        if ledger is None:
            yield f"there is no such ledger, only {', '.join(sorted(self.ledgers))}"
            return
        if ledger.Type.value == BUDGET:
            yield "journals cannot be posted to a ledger of type Budget; name one of type Actual or Reporting"
        if branch and branch not in branches_of(ledger):
            yield f"the ledger is not associated with the branch {branch}"
        base, own = self.base_currency(branch), ledger.Currency.value or ""
        if base and own and base != own:
            yield f"the ledger is kept in {own}, and the plan's amounts are in {base}"

    def of_account(self, code: str, ledger: Ledger | None) -> Iterator[Found]:
        """Yield why an account cannot be posted to in a ledger."""
        account = self.accounts.get(code)
        if account is None:
            yield code, "there is no such account"
            return
        if account.Active.value is False:
            yield code, "the account is not active"
        if ledger is None:
            return
        if account.controlling and ledger.Type.value == ACTUAL:
            yield code, f"a control account of {account.controlling}, which does not allow manual entry"
        own, currency = account.CurrencyID.value, ledger.Currency.value
        if own and currency and own != currency:
            yield code, f"the account takes {own} alone, and the ledger is kept in {currency}"

    def of_subaccount(self, account: str, code: str) -> Iterator[Found]:
        """Yield why a line cannot name a subaccount beside its account."""
        if self.subaccounts is None:
            if code:
                yield code, "the company keeps no subaccounts, or the user may not see them (form GL203000)"
            return
        if not code:
            yield account, "the line names no subaccount, and the connection no segments of which one could be made"
        elif code not in self.subaccounts:
            yield code, "there is no such subaccount"
        elif not self.subaccounts[code]:
            yield code, "the subaccount is not active"
        known = self.accounts.get(account)
        if code and known is not None and known.UseDefaultSubaccount.value:
            yield account, f"the account takes the default subaccount alone, and the line names {code}"

    def of_period(self, key: tuple[int, int]) -> str:
        """Return why a period cannot be posted to; "" when it can."""
        period = self.periods.get(key)
        if period is None:
            return "the master calendar has no such period (form GL201000)"
        return "" if period.status == "Open" else f"the period is {period.status.lower()} in the master calendar"


def read_setup(api: AcumaticaApi, company: Company) -> PostingSetup:
    """Read what journals are checked against."""
    return PostingSetup(
        {one.LedgerID.value or "": one for one in _all(api, LEDGERS)},
        {one.AccountCD.value or "": one for one in _all(api, ACCOUNTS)},
        _subaccounts(api),
        {(one.year, one.number): one for one in company.periods},
    )


def branches_of(ledger: Ledger) -> list[str]:
    """Return the branches that may post to a ledger."""
    return [branch.BranchID.value or "" for branch in ledger.Branches if branch.Active.value is not False]


def _subaccounts(api: AcumaticaApi) -> dict[str, bool] | None:
    try:
        return {
            (one.SubaccountCD.value or "").rstrip(): one.Active.value is not False for one in _all(api, SUBACCOUNTS)
        }
    except PermissionDeniedError:
        return None


def _all(api: AcumaticaApi, entity: Entity[RecordT]) -> Iterator[RecordT]:
    return (record for portion in ListReader(api, entity, []).read() for record in portion)
