# SPDX-License-Identifier: Apache-2.0
"""Lists without a promised order: nothing is missing and nothing doubled, whatever moves while they are read."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.acumatica import lists
from airflow_provider_mlconnector.systems.acumatica.wrapped import literal
from airflow_provider_mlconnector.systems.http.odata import address
from airflow_provider_mlconnector.systems.port import FindingKind, Scope
from tests.unit.systems.acumatica.conftest import rows_of

KEY = "FY2027-P04"


@pytest.fixture
def period(sandbox):
    return sandbox.world.books.period(KEY)


@pytest.fixture
def small_keys(monkeypatch):
    """Many pages of keys."""
    monkeypatch.setattr(lists, "KEYS_PAGE", 10)


def cells(rows):
    sums = Counter()
    for row in rows:
        sums[row["account"], row["dimension.DEPARTMENT"]] += row["amount"]
    return {cell: amount for cell, amount in sums.items() if amount}


def read(erp, period, since=None, records=()):
    return rows_of(erp, Dataset.JOURNAL_LINES, Scope(period, since, ("DEPARTMENT",), records))


def check_complete(sandbox, rows):
    """See that rows are the lines of the books, each once."""
    assert max(Counter(row["record_id"] for row in rows).values()) == 1
    assert len(rows) == sandbox.world.books.count(KEY)
    booked = sandbox.world.books.trial_balance(KEY)
    sums = Counter()
    for row in rows:
        sums[row["account"]] += row["amount"]
    assert {account: amount for account, amount in sums.items() if amount} == {a: b for a, b in booked.items() if b}


@pytest.mark.parametrize("order", ["latest_first", "any", "keys"])
@pytest.mark.parametrize("size", [7, 500])
def test_every_order_gives_every_line_once(sandbox, control, opened, period, small_keys, order, size):
    control.turn(order=order)
    rows, _ = read(opened(page_size=size), period)
    check_complete(sandbox, rows)


def test_a_row_that_changes_between_two_requests_hides_no_other(
    sandbox, control, opened, period, small_keys, monkeypatch
):
    """The list is in order of change: a row that is changed moves to the front, and every other one by one place."""
    erp = opened(page_size=7)
    before, entries = erp._api.keys, [line.entry_number for line in sandbox.world.books.lines(KEY)]
    asked = []

    def keys(entity, **options):
        page = before(entity, **options)
        if entity.name == "JournalTransaction":
            asked.append(options)
            control.change_line(entries[-len(asked) * 3], description="changed meanwhile")
        return page

    monkeypatch.setattr(erp._api, "keys", keys)
    rows, _ = read(erp, period)
    check_complete(sandbox, rows)
    assert len(asked) > 20


def test_a_server_that_gives_fewer_rows_than_it_is_asked_for_is_read_to_the_end(sandbox, control, opened, period):
    control.turn(most_rows=5)
    rows, _ = read(opened(), period)
    check_complete(sandbox, rows)


def test_a_page_size_that_changes_in_the_midst_of_a_read_loses_nothing(sandbox, control, opened, period):
    batches = opened(page_size=10).read(Dataset.JOURNAL_LINES, Scope(period, None, ("DEPARTMENT",))).batches
    rows = next(batches).to_pylist()
    control.turn(most_rows=3)
    rows += [row for batch in batches for row in batch.to_pylist()]
    check_complete(sandbox, rows)


def test_a_batch_that_vanishes_meanwhile_is_left_out_and_no_other(sandbox, control, opened, period):
    books = sandbox.world.books
    day = period.end.isoformat()
    lines = [{"account": "60310", "amount": "1"}, {"account": "20400", "amount": "-1"}]
    entries = control.call("POST", "/books/documents", {"posting_date": day, "lines": lines})["entries"]
    batches = opened(page_size=7).read(Dataset.JOURNAL_LINES, Scope(period, None, ("DEPARTMENT",))).batches
    rows = next(batches).to_pylist()
    control.call("POST", f"/books/lines/{entries[0]}/roll-back", {"same_ids": False})
    rows += [row for batch in batches for row in batch.to_pylist()]
    gone = {row["record_id"] for row in rows} - {row["record_id"] for row in read(opened(), period)[0]}
    assert len(rows) - len(gone) == books.count(KEY)


def test_a_list_that_is_cut_off_too_short_is_an_error(opened, monkeypatch):
    erp = opened(page_size=2)
    monkeypatch.setattr(erp._api, "keys", lambda entity, **options: [("V1",)])
    with pytest.raises(ProtocolError, match="gives only 1 records of Vendor at a time"):
        rows_of(erp, Dataset.VENDORS)


def test_changes_are_asked_for_by_their_moment_with_its_offset_percent_encoded(sandbox, control, opened, period):
    erp = opened()
    rows, reading = read(erp, period)
    entry = next(sandbox.world.books.lines(KEY)).entry_number
    control.change_line(entry, description="later")
    changed, again = read(erp, period, since=reading.cursor + timedelta(milliseconds=1))
    assert {row["description"] for row in changed} >= {"later"}
    assert 0 < len(changed) < len(rows)
    assert again.cursor > reading.cursor
    assert "%2B00:00'" in address("Journals", {"$filter": literal(reading.cursor)}), "a bare + would be read as a blank"


def test_single_records_are_read_by_the_keys_of_their_batches(opened, period, sandbox):
    erp = opened()
    rows, _ = read(erp, period)
    some = tuple(row["record_id"] for row in rows[:3])
    alone, _ = read(erp, period, records=(*some, "GL/NOWHERE/1"))
    assert set(some) <= {row["record_id"] for row in alone}
    elsewhere = sandbox.world.books.period("FY2027-P03")
    assert read(erp, elsewhere, records=some)[0] == []


def test_drafts_are_no_postings(control, opened, period, sandbox):
    told = control.info["acumatica"]
    session = requests.Session()
    session.post(
        f"{told['base_url']}/entity/auth/login", json={"name": told["login"], "password": told["password"]}, timeout=5
    )
    lines = [
        {"Account": {"value": "60310"}, "DebitAmount": {"value": 5}},
        {"Account": {"value": "20400"}, "CreditAmount": {"value": 5}},
    ]
    body = {"TransactionDate": {"value": "2026-10-15"}, "Hold": {"value": False}, "Details": lines}
    path = f"{told['base_url']}/entity/Default/25.200.001/JournalTransaction"
    assert session.put(path, json=body, timeout=5).json()["Status"] == {"value": "Balanced"}
    rows, _ = read(opened(), period)
    check_complete(sandbox, rows)
    session.post(f"{told['base_url']}/entity/auth/logout", timeout=5)


@pytest.mark.parametrize("field", ["Details/Project", "Details/ReferenceNbr"])
def test_a_field_that_no_list_can_be_made_with_is_left_out_where_it_is_not_needed(
    sandbox, control, opened, period, field
):
    control.turn(unoptimized=[f"JournalTransaction.{field}"])
    rows, reading = read(opened(), period)
    check_complete(sandbox, rows)
    assert [(found.kind, found.subject) for found in reading.findings] == [
        (FindingKind.FALLBACK, f"JournalTransaction.{field}")
    ]


def test_a_list_that_cannot_be_made_at_all_is_read_record_by_record(sandbox, control, opened, period):
    control.turn(unoptimized=["JournalTransaction.Details"])
    rows, reading = read(opened(), period)
    check_complete(sandbox, rows)
    assert "each record is read by its keys" in reading.findings[0].detail


def test_master_data_of_many_pages_is_read_whole(opened, control):
    control.turn(order="any")
    vendors, _ = rows_of(opened(page_size=2), Dataset.VENDORS)
    assert sorted(row["number"] for row in vendors) == [f"V{number:05d}" for number in range(10, 100, 10)]


def test_purchase_orders_are_polled_with_what_is_open_of_them(control, opened):
    erp = opened()
    orders = {row["number"]: row for row in rows_of(erp, Dataset.PURCHASE_ORDERS)[0]}
    assert orders["PO000103"]["amount"] == Decimal("12999.99")
    assert orders["PO000103"]["open_amount"] == Decimal(6500)
    assert orders["PO000104"]["status"] == "On Hold"
    control.call("PATCH", "/books/purchase-orders/PO000103", {"open_amount": "0"})
    again = {row["number"]: row for row in rows_of(erp, Dataset.PURCHASE_ORDERS)[0]}
    assert (again["PO000103"]["open_amount"], again["PO000103"]["status"]) == (0, "Closed")
    assert again["PO000103"]["modified_at"] > orders["PO000103"]["modified_at"]
