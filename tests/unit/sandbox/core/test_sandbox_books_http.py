# SPDX-License-Identifier: Apache-2.0
"""The books as a test in another process sees and changes them."""

from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import serve

PERIOD = "FY2027-P04"


class Remote:
    """The books over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/_sandbox/books"

    def __call__(self, method: str, path: str, **more):
        return requests.request(method, self.url + path, timeout=5, **more)

    def get(self, path: str, **params):
        answer = self("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def sandbox():
    with serve([]) as running:
        yield running


@pytest.fixture
def books(sandbox):
    return Remote(sandbox.url)


def test_trial_balances_are_exact_texts(sandbox, books):
    told = books.get("/trial-balance", period=PERIOD)
    assert {number: Decimal(text) for number, text in told.items()} == sandbox.world.books.trial_balance(PERIOD)
    assert all(isinstance(text, str) for text in told.values())
    by_department = books.get("/trial-balance-by-department", period=PERIOD)
    cells = {(row["account"], row["department"]): Decimal(row["amount"]) for row in by_department}
    assert cells == sandbox.world.books.trial_balance_by_department(PERIOD)


def test_balances_add_up(books):
    for balance in books.get("/balances", period=PERIOD).values():
        amounts = {name: Decimal(text) for name, text in balance.items()}
        assert amounts["opening"] + amounts["debit"] - amounts["credit"] == amounts["closing"]


def test_periods_tell_which_are_closed(books):
    periods = {period["key"]: period for period in books.get("/periods")}
    assert periods["FY2027-P05"] == {
        "key": "FY2027-P05",
        "start": "2026-11-01",
        "end": "2026-11-30",
        "closed": False,
    }
    assert periods["FY2026-P01"]["closed"]
    assert books("PATCH", "/periods/FY2027-P05", json={"closed": True}).status_code == 200
    assert {period["key"]: period["closed"] for period in books.get("/periods")}["FY2027-P05"]


def test_a_document_is_posted_changed_corrected_and_deleted(books):
    lines = [
        {"account": "60210", "amount": "12345678901234567.89", "department": "ADM", "description": "Rent"},
        {"account": "10110", "amount": "-12345678901234567.89"},
    ]
    posted = books("POST", "/documents", json={"posting_date": "2026-11-05", "lines": lines})
    rent, _ = posted.json()["entries"]
    assert books.get(f"/lines/{rent}")["amount"] == "12345678901234567.89"
    changed = books("PATCH", f"/lines/{rent}", json={"amount": "2.50", "department": "RND"}).json()
    assert (changed["amount"], changed["department"], changed["description"]) == ("2.50", "RND", "Rent")
    corrected = books("POST", f"/lines/{rent}/correction", json={"amount": "3"}).json()["entries"]
    assert [books.get(f"/lines/{entry}")["amount"] for entry in corrected] == ["-2.50", "3.00", "-0.50"]
    assert books("DELETE", f"/lines/{rent}").status_code == 200
    assert books("GET", f"/lines/{rent}").status_code == 404


def test_lines_are_told_in_pieces(books):
    first = books.get("/lines", period=PERIOD, limit=2)
    second = books.get("/lines", period=PERIOD, skip=2, limit=1)
    numbers = [line["entry_number"] for line in first["lines"] + second["lines"]]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert first["count"] > 300


def test_dimension_values_come_and_go(sandbox, books):
    assert books("PUT", "/dimensions/DEPARTMENT/QA", json={"name": "Quality"}).status_code == 200
    line = {"account": "60210", "amount": "1", "department": "QA"}
    document = {"posting_date": "2026-11-05", "lines": [line], "balanced": False}
    assert books("POST", "/documents", json=document).status_code == 200
    assert books("DELETE", "/dimensions/DEPARTMENT/QA").status_code == 200
    assert books("DELETE", "/dimensions/DEPARTMENT/QA").status_code == 404
    assert books("POST", "/documents", json=document).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "json", "status"),
    [
        ("GET", "/trial-balance?period=2026-11", None, 422),
        ("GET", "/trial-balance?period=FY2026-P13", None, 422),
        ("PATCH", "/lines/1", {"amount": "0.001"}, 422),
        ("PATCH", "/lines/99999999", {"amount": "1"}, 404),
        ("POST", "/documents", {"posting_date": "2026-11-05", "lines": [{"account": "60210", "amount": "1"}]}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(books, method, path, json, status):
    assert books(method, path, json=json).status_code == status


def test_another_company_is_named_in_the_query(sandbox, books):
    period = books.get("/periods", company="TUI")[0]
    assert (period["key"], period["start"]) == ("FY2026-P01", "2025-07-26")
    told = books.get("/trial-balance", period="FY2026-P12", company="TUI", select="close")
    ours = sandbox.world.companies["TUI"].trial_balance("FY2026-P12", CLOSE)
    assert {number: Decimal(text) for number, text in told.items()} == ours
    assert books("GET", "/periods?company=NOBODY").status_code == 404
    assert books("GET", "/trial-balance?period=FY2026-P12&select=some").status_code == 422


def test_what_ledgers_go_through_can_be_asked_for(books):
    rent = [{"account": "60210", "amount": "7"}, {"account": "10110", "amount": "-7"}]
    document = {"posting_date": "2026-11-05", "lines": rent, "kind": "adjusting", "period": "FY2027-P04"}
    first, second = books("POST", "/documents", json=document).json()["entries"]
    line = books.get(f"/lines/{first}")
    assert (line["kind"], line["period"], line["ledger"], line["currency"]) == (
        *("adjusting", "FY2027-P04", "ACTUAL", "GBP"),
    )
    assert books("PUT", f"/lines/{second}/stamp", json={"modified_at": None}).json()["modified_at"] is None
    back = books("POST", f"/lines/{first}/reversal", json={"storno": True}).json()["entries"]
    assert books.get(f"/lines/{back[0]}")["storno"]
    assert books("POST", f"/lines/{first}/roll-back", json={"same_ids": True}).json() == {"lines": 4}
    assert books("POST", "/lines/1/roll-back", json={}).status_code == 404
    assert books("PATCH", "/dimensions/DEPARTMENT/RND", json={"code": "R&D", "blocked": True}).status_code == 200
    assert "R&D" in {row["department"] for row in books.get("/trial-balance-by-department", period=PERIOD)}
    assert books("PATCH", "/accounts/60700", json={"parent": "60300", "name": "Wear"}).status_code == 200
    assert len(books("POST", "/years/2026/close").json()["entries"]) > 20
