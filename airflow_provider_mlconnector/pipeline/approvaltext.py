# SPDX-License-Identifier: Apache-2.0
"""What a person is asked to approve: totals by account and group, what the ledger holds by now, and the digest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Payload, totals_by_account
from airflow_provider_mlconnector.finance.money import ZERO, add_money, format_money
from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest
from airflow_provider_mlconnector.systems.drafting import Draft

ACCOUNTS_SHOWN = 60
NO_GROUP = "other"


def approval_body(
    resolved: ResolvedManifest,
    payload: Payload,
    drafts: Mapping[str, Draft],
    categories: Mapping[str, str | None],
    *,
    effect: str,
    removed: int = 0,
) -> str:
    """Return the text in Markdown.

    :param drafts: what the ledger holds under the key of each journal.
    :param categories: of accounts; those without one come under "other".
    :param effect: what approving sets off, as the ledger's drafting says.
    :param removed: how many drafts of earlier runs go, since the plan has them no more.
    """
    lines = sum(len(journal.lines) for journal in payload.journals)
    planned = totals_by_account(payload.journals)
    return "\n\n".join(
        (
            f"**{payload.plan}** ({payload.version}) for {', '.join(payload.periods)}: {_journals(payload)} in "
            f"{payload.company}, batch {payload.name}, {lines} lines, debits and credits of "
            f"{_told(Decimal(resolved.debit))} each. Approving {effect}.",
            _table(planned, _held(drafts), categories),
            "By group: " + "; ".join(f"{group} {_told(amount)}" for group, amount in _groups(planned, categories)),
            *([f"{_drafts(removed)} removed, since the plan has nothing for it any more."] if removed else []),
            *(f"Left out: {reason} ({told})." for reason, told in resolved.left_out.items()),
            f"All lines: {resolved.payload.key}, sha256 `{resolved.sha256}`",
        )
    )


def _journals(payload: Payload) -> str:
    count = len(payload.journals)
    return "1 journal" if count == 1 else f"{count} journals"


def _told(amount: Decimal) -> str:
    """Return an amount as people read it, such as ``-1,500.51``."""
    return f"{Decimal(format_money(amount)):,}"


def _cell(text: str) -> str:
    """Return a text that ends no cell of a table."""
    return text.replace("|", "\\|")


def _drafts(count: int) -> str:
    return "1 draft of earlier runs is" if count == 1 else f"{count} drafts of earlier runs are"


def _held(drafts: Mapping[str, Draft]) -> dict[str, Decimal]:
    """Return what the ledger holds by account, in drafts and posted documents of these keys."""
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    for draft in drafts.values():
        for line in draft.lines:
            amounts[line.account].append(line.amount)
    return {account: add_money(found) for account, found in amounts.items()}


def _table(planned: Mapping[str, Decimal], held: Mapping[str, Decimal], categories: Mapping[str, str | None]) -> str:
    rows = ["| Group | Account | Plan | In the ledger now | Difference |", "|---|---|---:|---:|---:|"]
    accounts = sorted({*planned, *held}, key=lambda account: (_group(account, categories), account))
    for account in accounts[:ACCOUNTS_SHOWN]:
        plan, now = planned.get(account, ZERO), held.get(account, ZERO)
        figures = " | ".join(map(_told, (plan, now, add_money((plan, now.copy_negate())))))
        rows.append(f"| {_cell(_group(account, categories))} | {_cell(account)} | {figures} |")
    if len(accounts) > ACCOUNTS_SHOWN:
        rows.append(f"| … | {len(accounts) - ACCOUNTS_SHOWN} more accounts | | | |")
    return "\n".join(rows)


def _group(account: str, categories: Mapping[str, str | None]) -> str:
    return categories.get(account) or NO_GROUP


def _groups(planned: Mapping[str, Decimal], categories: Mapping[str, str | None]) -> list[tuple[str, Decimal]]:
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    for account, amount in planned.items():
        amounts[_group(account, categories)].append(amount)
    return [(group, add_money(amounts[group])) for group in sorted(amounts)]
