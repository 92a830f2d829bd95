# SPDX-License-Identifier: Apache-2.0
"""What a company allows to be entered: its accounts, its batch, its fiscal periods, and the policy of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from airflow_provider_mlconnector.errors import NotFoundError
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.chart import GpAccount, list_accounts
from airflow_provider_mlconnector.systems.dynamics_gp.entries import BATCH_SOURCE
from airflow_provider_mlconnector.systems.dynamics_gp.soap import rows_in
from airflow_provider_mlconnector.systems.dynamics_gp.tables import FiscalPeriod, GpTables

REVERSING = "b0c9fe57-c4f0-4d6a-b0aa-ab4d6d7596c8"
"""Behavior of the policy that decides whether an entry is reversed by a second one; its option 2 does so."""

_YES = 2
_RECURRING = frozenset(
    {"weekly", "biweekly", "semimonthly", "monthly", "bimonthly", "quarterly", "semiannually", "annually"}
)


@dataclass(frozen=True, slots=True)
class PostingSetup:
    """What was read, once.

    :param accounts: by their whole numbers.
    :param batch: why the batch cannot be written into.
    :param periods: the fiscal calendar; None where nothing tells.
    """

    accounts: Mapping[str, GpAccount]
    batch: tuple[str, ...]
    periods: tuple[FiscalPeriod, ...] | None

    def of_account(self, number: str) -> Iterator[str]:
        """Yield why nothing can be entered on an account."""
        account = self.accounts.get(number)
        if account is None:
            yield "there is no such account; each combination of segments has to be set up"
            return
        if not account.active:
            yield "the account is inactive"
        if not account.allows_entry:
            yield "the account does not allow account entry"
        if account.is_unit:
            yield "the account counts units, not money"

    def of_day(self, day: date) -> str:
        """Return why nothing can be posted on a day; "" when it can, or nobody tells."""
        if self.periods is None:
            return ""
        period = next((one for one in self.periods if one.start <= day <= one.end), None)
        if period is None:
            return "the fiscal calendar has no period of this day"
        if period.closed:
            return f"period {period.number} of {period.year} is closed for the financial series"
        return ""


def read_setup(api: GpApi, batch: str, policy: Any, tables: GpTables | None) -> PostingSetup:
    """Ask for all that decides whether journals can be entered."""
    refusals = (*_of_policy(policy), *_of_frequency(api, batch), *_of_status(batch, tables))
    return PostingSetup(
        accounts={account.number.strip(): account for account in list_accounts(api)},
        batch=refusals,
        periods=tuple(tables.fiscal_periods()) if tables else None,
    )


def _of_policy(policy: Any) -> Iterator[str]:
    for behavior in rows_in(getattr(policy, "Behaviors", None), "Behavior"):
        option = getattr(behavior.SelectedOption, "Key", None)
        if str(behavior.Key.Id).lower() == REVERSING and option is not None and int(option.Id) == _YES:
            yield "the policy of creating entries makes an entry that reverses each of them; select 'no' there"


def _of_frequency(api: GpApi, name: str) -> Iterator[str]:
    key = api.soap.make("BatchKey", Source=BATCH_SOURCE, Id=name, CreatedDateTime="1900-01-01T00:00:00")
    try:
        batch = api.soap.call("GetBatchByKey", api.context, key=key)
    except NotFoundError:
        return  # it is made with the first entry
    frequency = str(batch.Frequency or "").replace("-", "").replace(" ", "").casefold()
    if frequency in _RECURRING:
        yield f"the batch is posted again and again ({batch.Frequency}); use one of single use"


def _of_status(name: str, tables: GpTables | None) -> Iterator[str]:
    known = tables.batches() if tables else []
    batch = next((one for one in known if (one.source, one.name) == (BATCH_SOURCE, name)), None)
    if batch is None:
        return
    if batch.status:
        yield f"the batch is marked for posting, being posted or edited (status {batch.status})"
    if batch.in_error:
        yield "the batch is to be recovered first; its posting was interrupted"
    if batch.approved:
        yield "the batch was approved, so that nothing can be added to it"
