# SPDX-License-Identifier: Apache-2.0
"""Posting journals: lines leave their batch and enter the books under the document numbers that they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.books import NewLine
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, PROJECT
from airflow_provider_mlconnector.sandbox.business_central.journals import Batch, DraftLine, Journals
from airflow_provider_mlconnector.sandbox.business_central.wire import dialog, wrong_field


def post(journals: Journals, batch: Batch, document: str = "", posted_as: str = "") -> list[int]:
    """Post a batch, or one document of it, whole or not at all; return the entry numbers.

    :param posted_as: the number that a number series for posting gives the document, where the batch has one.
    :raises WireError: 400 with the first thing that is wrong.
    """
    lines = journals.lines_of(batch, document)
    if not lines:
        raise dialog("There is nothing to post.")
    for line in lines:
        _check(journals, line)
    documents: defaultdict[tuple[str, date], list[DraftLine]] = defaultdict(list)
    for line in lines:
        documents[line.document, line.posting_date].append(line)
    for (number, _), parts in documents.items():
        _check_balance(number, parts)
    entries: list[int] = []
    for (number, day), parts in documents.items():
        new = [entry for line in parts for entry in _entries(line)]
        entries += journals.books.post_document(day, new, document=posted_as or number)
    for line in lines:
        journals.remove(line)
    return entries


def _check(journals: Journals, line: DraftLine) -> None:
    batch = line.batch
    where = (
        f"in Gen. Journal Line: Journal Template Name={batch.template}, Journal Batch Name={batch.code}, "
        f"Line No.={line.number}"
    )
    if not line.account:
        raise wrong_field(f"Account No. must have a value {where}. It cannot be zero or empty.")
    if journals.rules.refuses_day(line.posting_date):
        raise wrong_field(f"Posting Date is not within your range of allowed posting dates {where}.")
    if journals.books.account(line.account).blocked:
        raise wrong_field(f"Blocked must be equal to 'No'  in G/L Account: No.={line.account}. Current value is 'Yes'.")
    for refusal in journals.rules.refusals(line.account, line.dimensions):
        raise dialog(f"{refusal} ({where})")


def _check_balance(number: str, lines: Sequence[DraftLine]) -> None:
    total = sum((line.amount for line in lines if not line.balancing_account), Decimal(0))
    if total:
        raise dialog(
            f"Document No. {number} is out of balance by {total}. Please check that Posting Date, Document Type, "
            "Document No. and Amount are correct for each line."
        )


def _entries(line: DraftLine) -> list[NewLine]:
    """Return what a line posts: itself, and its other side where it has a balancing account."""
    entry = NewLine(
        line.account,
        line.amount,
        line.dimensions.get(DEPARTMENT, ""),
        line.dimensions.get(PROJECT, ""),
        line.description,
        external_document=line.external,
    )
    if not line.balancing_account:
        return [entry]
    return [entry, NewLine(line.balancing_account, -line.amount, "", "", line.description)]
