# SPDX-License-Identifier: Apache-2.0
"""Posting a general journal, whole or not at all: its lines enter the books under their vouchers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.books import NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, PROJECT
from airflow_provider_mlconnector.sandbox.books.lines import ACTUAL
from airflow_provider_mlconnector.sandbox.dynamics_fo.display import MAIN_ACCOUNT
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import (
    CURRENT,
    Approval,
    DraftHeader,
    DraftLine,
    GeneralJournals,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import PeriodStatus, PostingRules, Side


class PostingError(ValueError):
    """The first thing for which a journal is not posted, as a sentence."""


def post(journals: GeneralJournals, rules: PostingRules, header: DraftHeader) -> list[int]:
    """Post a journal and return the entry numbers.

    :raises PostingError: when something is wrong with it; nothing was posted then.
    """
    lines = journals.lines_of(header.number)
    _check_journal(header, lines)
    for line in lines:
        _check_line(rules, line)
    vouchers: defaultdict[tuple[str, date], list[DraftLine]] = defaultdict(list)
    for line in lines:
        vouchers[line.voucher, line.day].append(line)
    for (voucher, day), parts in vouchers.items():
        if sum((line.amount for line in parts if not line.offset), Decimal(0)):
            raise PostingError(f"The transactions on voucher {voucher} do not balance as per {day}")
    how = Posting(ledger=ACTUAL if header.layer == CURRENT else header.layer)
    entries: list[int] = []
    for (voucher, day), parts in vouchers.items():
        new = [entry for line in parts for entry in _entries(journals, line)]
        entries += journals.books.post_document(day, new, document=voucher, how=how)
        journals.posted_vouchers[voucher] = header.number
    header.posted = True
    header.version += 1
    if header.name.deletes_lines:
        journals.lines[header.number].clear()
    return entries


def _check_journal(header: DraftHeader, lines: Sequence[DraftLine]) -> None:
    if header.posted:
        raise PostingError(f"Journal {header.number} has already been posted")
    if not lines:
        raise PostingError(f"Journal {header.number} has no lines to post")
    if header.name.workflow and header.approval is not Approval.APPROVED:
        raise PostingError(f"Journal {header.number} must be approved before it can be posted")
    if 0 < header.name.line_limit < len(lines):
        raise PostingError(f"Journal {header.number} has more than {header.name.line_limit} lines")


def _check_line(rules: PostingRules, line: DraftLine) -> None:
    if not line.voucher or not line.segments:
        raise PostingError(f"Voucher and account must be filled in on line {line.number}")
    period = rules.books.company.fiscal.period_of(line.day).key
    if rules.status(period) is not PeriodStatus.OPEN:
        raise PostingError(f"Fiscal period for {line.day} is not open")
    for segments, amount in ((line.segments, line.amount), (line.offset, -line.amount)):
        if not segments:
            continue
        main = segments[MAIN_ACCOUNT]
        refusal = rules.refusal_at_posting(segments, main, line.day)
        wrong_side = {Side.DEBIT: amount < 0, Side.CREDIT: amount > 0}.get(rules.account(main).side, False)
        if wrong_side:
            refusal = f"Main account {main} only allows the {rules.account(main).side.value.lower()} side"
        if refusal:
            raise PostingError(refusal)


def _entries(journals: GeneralJournals, line: DraftLine) -> list[NewLine]:
    """Return what a line posts: itself, and its other side where it has an offset account."""
    sides = [(line.segments, line.amount)] + ([(line.offset, -line.amount)] if line.offset else [])
    names = journals.books.dimensions
    return [
        NewLine(
            segments[MAIN_ACCOUNT],
            amount,
            segments.get(names[DEPARTMENT], ""),
            segments.get(names[PROJECT], ""),
            line.text,
            external_document=line.document,
        )
        for segments, amount in sides
    ]
