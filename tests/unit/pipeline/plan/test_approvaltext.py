# SPDX-License-Identifier: Apache-2.0
"""What a person reads before they approve a plan."""

from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, Payload
from airflow_provider_mlconnector.pipeline.approvaltext import approval_body
from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest
from airflow_provider_mlconnector.trail.records import RunRef, StagedFile


def body(*accounts, categories=None):
    """Return the text about one journal: a very large amount on each account, debit and credit by turns."""
    large = Decimal("99999999999.99")
    lines = tuple(
        JournalLine(number=place, account=account, amount=large if place % 2 else -large)
        for place, account in enumerate(accounts, start=1)
    )
    journal = Journal(
        key="APA000000000000001",
        period="FY2027-P05",
        posting_date=date(2026, 11, 30),
        description="Budget",
        lines=lines,
    )
    payload = Payload(
        flow="close",
        plan="Approved Budget",
        company="LARKFIELD",
        periods=("FY2027-P05",),
        version="Budget",
        name="ANAPLAN",
        journals=(journal,),
    )
    resolved = ResolvedManifest(
        run=RunRef(run_id="run", flow="close", period="FY2027-P05", mode="changes"),
        plan="Approved Budget",
        payload=StagedFile(key="plans/1.json", sha256="0" * 64, size=1),
        sha256="a" * 64,
        rows=2,
        posted=2,
        journals=1,
        debit=str(journal.debit),
    )
    return approval_body(resolved, payload, {}, categories or {}, effect="writes drafts; it posts nothing")


def test_large_amounts_are_read_in_groups_of_three_digits():
    told = body("4000", "6100")
    assert "1 journal in LARKFIELD, batch ANAPLAN, 2 lines, debits and credits of 99,999,999,999.99 each" in told
    assert "| other | 6100 | -99,999,999,999.99 | 0.00 | -99,999,999,999.99 |" in told


def test_what_approving_does_is_said_in_the_ledgers_own_words():
    assert " each. Approving writes drafts; it posts nothing.\n" in body("4000", "6100")


def test_no_name_ends_a_cell_of_the_table():
    told = body("40|00", "6100", categories={"40|00": "in|come"})
    assert r"| in\|come | 40\|00 | 99,999,999,999.99 |" in told


def test_a_long_plan_shows_its_first_accounts_and_counts_the_others():
    told = body(*(f"{number:05d}" for number in range(70)))
    assert told.count("| other | ") == 60
    assert "| … | 10 more accounts | | | |" in told
