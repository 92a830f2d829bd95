# SPDX-License-Identifier: Apache-2.0
"""How Business Central shows what real ledgers hold."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.sandbox.books import NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE

JUNE = "postingDate ge 2026-06-01 and postingDate le 2026-06-30"
CLOSING = "postingDate gt 2026-06-30 and postingDate lt 2026-07-01"
PERIOD = "FY2027-P04"
DAY = date(2026, 10, 30)


def rent(bc, amount="10", how=Posting(), **more):  # noqa: B008  # it is a frozen value
    lines = [NewLine("60210", Decimal(amount), **more), NewLine("10110", -Decimal(amount))]
    return bc.books.post_document(DAY, lines, how=how)


def entry(bc, number, fields=""):
    (row,) = bc.rows(f"{bc.finance}/generalLedgerEntries?$filter=number eq {number}{fields}")
    return row


def count(bc, wanted):
    return int(bc.get(f"generalLedgerEntries/$count?$filter={wanted}").text)


def trial_balance(bc, wanted):
    rows = bc.rows(f"trialBalances?$filter={wanted.replace('postingDate', 'dateFilter')}", Accept_Language="en-US")

    def amount(text):
        return Decimal(text.replace(",", "") or 0)

    return {
        row["number"]: (
            amount(row["totalDebit"]) - amount(row["totalCredit"]),
            amount(row["balanceAtDateDebit"]) - amount(row["balanceAtDateCredit"]),
        )
        for row in rows
        if row["accountType"] == "Posting"
    }


def test_closing_entries_lie_after_the_last_day_of_a_year_and_before_the_next(bc):
    before, balances = count(bc, JUNE), trial_balance(bc, JUNE)
    closing = bc.books.close_year(2026)
    assert (count(bc, JUNE), trial_balance(bc, JUNE)) == (before, balances)
    rows = bc.rows(f"{bc.finance}/generalLedgerEntries?$filter={CLOSING}")
    assert [row["number"] for row in rows] == closing
    assert {(row["postingDate"], row["sourceCode"]) for row in rows} == {("2026-06-30", "CLSINCOME")}
    assert count(bc, "postingDate eq 2026-06-30") < count(bc, "postingDate ge 2026-06-30 and postingDate lt 2026-07-01")
    moved, _ = trial_balance(bc, CLOSING)["40100"]
    assert moved == -balances["40100"][1]
    july = trial_balance(bc, "postingDate ge 2026-07-01 and postingDate le 2026-07-31")
    assert july["40100"][1] == july["40100"][0], "nothing was brought forward"


def test_statistical_accounts_and_other_ledgers_are_not_in_the_general_ledger(bc):
    tui = bc.world.companies["TUI"]
    (company,) = [row["id"] for row in bc.rows(f"{bc.root}/companies") if row["name"] == tui.name]
    root = f"{bc.root}/companies({company})"
    numbers = {row["number"] for row in bc.rows(f"{root}/accounts")}
    assert numbers == {account.number for account in tui.accounts if not account.statistical}
    shown = {row["entryNumber"] for row in bc.rows(f"{root}/generalLedgerEntries")}
    assert shown == {line.entry_number for line in tui.lines() if not line.statistical and line.ledger == "ACTUAL"}
    period = tui.period("FY2026-P08")
    days = f"postingDate ge {period.start} and postingDate le {period.end}"
    answer = bc.get(f"{root}/generalLedgerEntries/$count?$filter={days}")
    assert int(answer.text) == tui.count(period.key, CLOSE_BY_DATE)


def test_amounts_are_in_company_currency_whatever_the_documents(bc):
    number, _ = rent(bc, "80", currency="USD", currency_amount=Decimal(100))
    row = entry(bc, number)
    assert (row["amount"], row["debitAmount"], row["additionalCurrencyAmount"]) == (80, 80, 0)
    assert not any("currencyCode" in name for name in row)


def test_the_date_alone_decides_on_the_period(bc):
    number, _ = rent(bc, how=Posting(period="FY2027-P03"))
    assert entry(bc, number)["postingDate"] == "2026-10-30"


def test_a_storno_is_a_negative_debit(bc):
    first, _ = rent(bc)
    back, other = bc.books.reverse_document(first, storno=True)
    assert (entry(bc, back)["debitAmount"], entry(bc, back)["creditAmount"]) == (-10, 0)
    assert (entry(bc, other)["debitAmount"], entry(bc, other)["creditAmount"]) == (0, -10)
    assert entry(bc, first)["reveresd"]


def test_a_correction_of_dimensions_gives_the_entry_another_set_and_a_later_stamp(bc):
    number, _ = rent(bc, department="ADM")
    before = entry(bc, number)
    bc.books.change_line(number, department="LOG")
    after = entry(bc, number)
    assert after["id"] == before["id"]
    assert after["dimensionSetID"] != before["dimensionSetID"]
    earlier, later = (datetime.fromisoformat(one["lastModifiedDateTime"]) for one in (before, after))
    assert later > earlier


@pytest.mark.parametrize("same_ids", [False, True])
def test_an_entry_number_used_again_is_another_record_or_once_the_same(bc, same_ids):
    number, _ = rent(bc)
    before = entry(bc, number)
    bc.books.roll_back(number, same_ids=same_ids)
    assert bc.get(f"generalLedgerEntries({before['id']})").status_code == 404
    assert rent(bc, "11")[0] == number
    after = entry(bc, number)
    assert (after["id"] == before["id"]) is same_ids
    assert bc.get(f"generalLedgerEntries({before['id']})").status_code == (200 if same_ids else 404)
    assert bc.read(f"generalLedgerEntries({after['id']})")["debitAmount"] == 11


def test_stamps_are_blank_or_early_as_the_row_has_them(bc):
    blank, early = rent(bc)
    bc.books.stamp_line(blank, None)
    bc.books.stamp_line(early, datetime(2026, 10, 1, tzinfo=UTC))
    assert entry(bc, blank)["lastModifiedDateTime"] == "0001-01-01T00:00:00Z"
    assert entry(bc, early)["lastModifiedDateTime"] == "2026-10-01T00:00:00Z"
    since = bc.rows("generalLedgerEntries?$filter=lastModifiedDateTime ge 2026-11-19T00:00:00Z and entryNumber ge 1")
    assert not {blank, early} & {row["entryNumber"] for row in since}


def test_a_value_with_another_code_is_in_the_same_set_and_a_blocked_one_still_reads(bc):
    number, _ = rent(bc, department="RND")
    before = entry(bc, number)
    bc.books.rename_value("DEPARTMENT", "RND", "R&D")
    bc.books.block_value("DEPARTMENT", "R&D")
    after = entry(bc, number)
    assert after | {"globalDimension1Code": "RND"} == before
    assert after["globalDimension1Code"] == "R&D"
    ((line),) = bc.read(f"generalLedgerEntries({after['id']})?$expand=dimensionSetLines")["dimensionSetLines"]
    assert line["valueCode"] == "R&D"


def test_accounting_periods_are_the_companys_own(bc):
    tui = bc.world.companies["TUI"]
    (company,) = [row["id"] for row in bc.rows(f"{bc.root}/companies") if row["name"] == tui.name]
    rows = bc.rows(f"{bc.root}/companies({company})/accountingPeriods")
    assert [row["startingDate"] for row in rows if row["newFiscalYear"]] == ["2025-07-26", "2026-08-01"]
    assert len(rows) == 24, "a period for adjustments is unknown here"
