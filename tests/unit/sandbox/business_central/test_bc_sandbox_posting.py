# SPDX-License-Identifier: Apache-2.0
"""Posting journals: by the request that posts a whole batch, and by a person over the control routes."""

from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.business_central.journals import journals_of

ROUTE = "/_sandbox/business_central"


class Clerk:
    """A person with a batch."""

    def __init__(self, client) -> None:
        self.client = client
        self.journals = journals_of(client.world, client.books)
        self.batch = next(batch for batch in self.journals.batches if batch.code == "ANAPLAN")

    def call(self, method, path, body=None, **query):
        return requests.request(method, f"{self.client.sandbox.url}{ROUTE}{path}", json=body, params=query, timeout=10)

    def add(self, account="60210", amount="5", document="PLAN1", day="2026-11-03", **values):
        given = {"accountNumber": account, "amount": Decimal(amount), "documentNumber": document}
        line = self.journals.insert(self.batch, given | values)
        line.posting_date = type(line.posting_date).fromisoformat(day)
        return line

    def document(self, number="PLAN1", **more):
        self.add(document=number, externalDocumentNumber=f"{number}-1", **more).dimensions["DEPARTMENT"] = "SALES"
        self.add("20400", "-5", number, externalDocumentNumber=f"{number}-2", **more)

    def post(self, **query):
        return self.call("POST", "/journals/ANAPLAN/post", **query)

    def refusal(self):
        answer = self.post()
        assert answer.status_code == 409, answer.text
        return answer.json()["detail"]


@pytest.fixture
def clerk(bc):
    return Clerk(bc)


def test_a_person_posts_one_document_and_the_others_stay(clerk):
    clerk.document()
    clerk.document("PLAN2")
    entries = clerk.post(document="PLAN1").json()["entries"]
    rows = clerk.client.rows("generalLedgerEntries?$filter=documentNumber eq 'PLAN1'&$expand=dimensionSetLines")
    assert [row["entryNumber"] for row in rows] == entries
    assert [(row["accountNumber"], row["debitAmount"] - row["creditAmount"]) for row in rows] == [
        ("60210", 5),
        ("20400", -5),
    ]
    assert [[line["valueCode"] for line in row["dimensionSetLines"]] for row in rows] == [["SALES"], []]
    query = f"{clerk.client.finance}/generalLedgerEntries?$filter=externalDocumentNumber eq 'PLAN1-2'"
    assert [row["accountNumber"] for row in clerk.client.rows(query)] == ["20400"]
    told = clerk.call("GET", "/journals").json()
    assert [line["document"] for line in told["batches"][1]["lines"]] == ["PLAN2", "PLAN2"]
    assert told["post_calls"] == 0


def test_a_number_series_for_posting_gives_another_number_and_leaves_the_reference(clerk):
    clerk.document()
    clerk.post(number="PG0001")
    rows = clerk.client.rows(f"{clerk.client.finance}/generalLedgerEntries?$filter=documentNumber eq 'PG0001'")
    assert [row["externalDocumentNumber"] for row in rows] == ["PLAN1-1", "PLAN1-2"]


def test_the_request_that_posts_posts_the_whole_batch_and_is_counted(clerk):
    clerk.document()
    clerk.document("PLAN2")
    action = f"{clerk.client.company}/journals({clerk.batch.id})/Microsoft.NAV.post"
    assert clerk.client.session.post(action, timeout=5).status_code == 204
    told = clerk.call("GET", "/journals").json()
    assert (told["post_calls"], told["batches"][1]["lines"]) == (1, [])
    assert clerk.client.world.stats.count("business_central", method="POST", path=r"Microsoft\.NAV\.post") == 1
    again = clerk.client.session.post(action, timeout=5)
    assert (again.status_code, again.json()["error"]["message"][:26]) == (400, "There is nothing to post. ")
    assert clerk.call("GET", "/journals").json()["post_calls"] == 2


def test_lines_with_a_balancing_account_post_both_sides(clerk):
    clerk.call("PUT", "/journals/ANAPLAN", {"balancing_account": "10130"})
    clerk.add()
    assert len(clerk.post().json()["entries"]) == 2
    rows = clerk.client.rows("generalLedgerEntries?$filter=documentNumber eq 'PLAN1'")
    assert [row["accountNumber"] for row in rows] == ["60210", "10130"]


def test_what_is_out_of_balance_is_refused_whole(clerk):
    clerk.document()
    clerk.add(document="PLAN2", amount="0.01")
    assert clerk.refusal().startswith("Document No. PLAN2 is out of balance by 0.01.")
    assert len(clerk.journals.lines) == 3
    assert clerk.client.rows("generalLedgerEntries?$filter=documentNumber eq 'PLAN1'") == []


def test_documents_balance_on_each_day(clerk):
    clerk.add()
    clerk.add("20400", "-5", day="2026-11-04")
    assert "out of balance" in clerk.refusal()


@pytest.mark.parametrize("day", ["2026-10-31", "2026-12-24"])
def test_a_day_that_is_closed_is_refused(clerk, day):
    clerk.call("PUT", "/posting-window", {"last": "2026-12-23"})
    clerk.document(day=day)
    assert clerk.refusal().startswith("Posting Date is not within your range of allowed posting dates")
    setup = clerk.client.rows("generalLedgerSetup")[0]
    assert (setup["allowPostingFrom"], setup["allowPostingTo"]) == ("0001-01-01", "2026-12-23")


def test_lines_without_an_account_and_with_one_that_was_blocked_since_are_refused(clerk):
    clerk.add("", "5")
    assert clerk.refusal().startswith("Account No. must have a value")
    clerk.journals.lines.clear()
    clerk.document()
    clerk.client.books.block_account("60210")
    assert clerk.refusal().startswith("Blocked must be equal to 'No'")


@pytest.mark.parametrize(
    ("value", "validation", "refusal"),
    [
        ("", "Code Mandatory", "Select a Dimension Value Code for the Dimension Code PROJECT for G/L Account 60210."),
        ("P100", "Same Code", "Select Dimension Value Code P100 for the Dimension Code PROJECT for G/L Account 60210."),
    ],
)
def test_demands_of_accounts_are_kept(clerk, value, validation, refusal):
    clerk.document()
    clerk.call("PUT", "/default-dimensions/60210/PROJECT", {"value": value, "validation": validation})
    assert clerk.refusal().startswith(refusal)
    clerk.call("DELETE", "/posting-rules")
    assert clerk.post().status_code == 200


def test_a_dimension_that_must_not_be_used_and_a_blocked_value_are_refused(clerk):
    clerk.document()
    clerk.call("PUT", "/default-dimensions/60210/DEPARTMENT", {"validation": "No Code"})
    assert clerk.refusal().startswith("Dimension Code DEPARTMENT must not be used for G/L Account 60210.")
    clerk.call("DELETE", "/posting-rules")
    clerk.client.books.block_value("DEPARTMENT", "SALES")
    assert clerk.refusal().startswith("Dimension Value DEPARTMENT - SALES is blocked")


def test_a_person_edits_and_deletes_lines(clerk):
    clerk.document()
    edited = clerk.call("PATCH", "/journals/ANAPLAN/lines/10000", {"amount": "7.5", "department": "ADM"}).json()
    assert (edited["amount"], edited["dimensions"]) == ("7.5", {"DEPARTMENT": "ADM"})
    assert clerk.call("DELETE", "/journals/ANAPLAN/lines/20000").status_code == 200
    assert [line["number"] for line in clerk.call("GET", "/journals").json()["batches"][1]["lines"]] == [10_000]
    assert clerk.call("DELETE", "/journals/ANAPLAN/lines/20000").status_code == 404
    assert clerk.call("DELETE", "/journals/ANAPLAN").status_code == 200
    assert clerk.call("GET", "/journals", company="NONE").status_code == 404
