# SPDX-License-Identifier: Apache-2.0
"""Journals of the standard API: what the server fills in by itself, and what it refuses."""

import pytest

from airflow_provider_mlconnector.sandbox.business_central.journals import journals_of
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import DefaultDimension
from airflow_provider_mlconnector.sandbox.business_central.tenant import Switches
from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.sandbox.business_central.conftest import Client

BLANK = "00000000-0000-0000-0000-000000000000"
LINE = {
    "accountNumber": "60210",
    "postingDate": "2026-11-30",
    "documentNumber": "PLAN-2611",
    "externalDocumentNumber": "PLAN-2611-1",
    "amount": 1250.5,
    "description": "Rent Nov",
}


class Ledger:
    """A client that writes."""

    def __init__(self, client) -> None:
        self.client = client
        self.journals = journals_of(client.world, client.books)
        self.batch = self.id_of("ANAPLAN")

    def id_of(self, code: str) -> str:
        return self.client.rows(f"journals?$filter=code eq '{code}'")[0]["id"]

    def send(self, method, path, body=None, match=None):
        headers = {"If-Match": match} if match else {}
        return self.client.session.request(
            method, f"{self.client.company}/{path}", json=body, headers=headers, timeout=10
        )

    def add(self, batch="", **values):
        answer = self.send("POST", f"journals({batch or self.batch})/journalLines", LINE | values)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def add_plainly(self, batch="", **values):
        answer = self.send("POST", f"journals({batch or self.batch})/journalLines", values)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def refused(self, method, path, body=None, match=None):
        answer = self.send(method, path, body, match)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"].partition("  CorrelationId")[0]

    def lines(self, batch=""):
        return self.client.rows(f"journals({batch or self.batch})/journalLines")

    def dimensions(self, line):
        rows = self.client.rows(f"journalLines({line['id']})/dimensionSetLines")
        return {row["code"]: row["valueCode"] for row in rows}


@pytest.fixture(scope="module")
def shared():
    with serve(["business_central"], scale=0.05) as sandbox:
        yield Ledger(Client(sandbox))


@pytest.fixture
def ledger(shared):
    """Batches as they are in the beginning, without lines."""
    shared.client.world.clock.unfreeze()
    shared.client.tenant.switches = Switches()
    shared.journals.lines.clear()
    shared.journals.rules.clear()
    del shared.journals.batches[2:]
    return shared


def test_a_line_is_written_as_it_is_asked_for(ledger):
    row = ledger.add()
    account = ledger.client.rows("accounts?$filter=number eq '60210'")[0]
    assert {name: row[name] for name in LINE} == LINE
    assert (row["journalId"], row["journalDisplayName"], row["lineNumber"]) == (ledger.batch, "ANAPLAN", 10_000)
    assert (row["accountType"], row["accountId"]) == ("G_x002F_L_x0020_Account", account["id"])
    assert (row["balancingAccountId"], row["balancingAccountNumber"]) == (BLANK, "")
    assert row["@odata.etag"].startswith('W/"')
    assert [line["id"] for line in ledger.lines()] == [row["id"]]
    assert ledger.client.read(f"journalLines({row['id']})")["amount"] == row["amount"]


def test_what_a_line_leaves_open_is_filled_in(ledger):
    first = ledger.add_plainly(accountNumber="60210")
    today = ledger.client.world.clock.now().date().isoformat()
    assert (first["documentNumber"], first["postingDate"]) == ("G00001", today)
    assert (first["amount"], first["description"], first["lineNumber"]) == (0, "Rent", 10_000)
    second = ledger.add_plainly(accountNumber="60220", amount=5, postingDate="2026-11-03")
    assert (second["documentNumber"], second["lineNumber"]) == ("G00002", 20_000)
    third = ledger.add_plainly(accountNumber="60230", amount=-2)
    assert (third["documentNumber"], third["postingDate"]) == ("G00002", "2026-11-03")
    elsewhere = ledger.add_plainly(accountNumber="60230", amount=-3, externalDocumentNumber="OTHER")
    assert elsewhere["documentNumber"] == "G00003"
    assert ledger.add_plainly(accountNumber="60230")["documentNumber"] == "G00004"


def test_a_line_number_may_be_chosen_and_is_given_once(ledger):
    ledger.add(lineNumber=55)
    path = f"journals({ledger.batch})/journalLines"
    assert ledger.refused("POST", path, LINE | {"lineNumber": 55})[1] == "Internal_EntityWithSameKeyExists"
    assert ledger.add()["lineNumber"] == 10_055
    other = ledger.add(lineNumber=0)
    assert other["lineNumber"] == 20_055
    assert ledger.refused("PATCH", f"journalLines({other['id']})", {"lineNumber": 55}, "*")[0] == 400


def test_codes_are_kept_in_capitals_and_amounts_in_cents(ledger):
    row = ledger.add(documentNumber=" plan-1 ", externalDocumentNumber="plan-1-a", amount=0.125)
    assert (row["documentNumber"], row["externalDocumentNumber"], row["amount"]) == ("PLAN-1", "PLAN-1-A", 0.13)


def test_the_balancing_account_of_the_batch_can_be_replaced_but_not_taken_away(ledger):
    batch = ledger.id_of("DEFAULT")
    bank, account = (ledger.client.rows(f"accounts?$filter=number eq '{number}'")[0] for number in ("10110", "10130"))
    for blank in ({}, {"balancingAccountNumber": ""}, {"balancingAccountId": BLANK}):
        assert ledger.add(batch, **blank)["balancingAccountNumber"] == "10130"
    assert ledger.add(batch, balancingAccountId=bank["id"])["balancingAccountNumber"] == "10110"
    assert ledger.lines(batch)[0]["balancingAccountId"] == account["id"]


def test_an_account_is_named_by_number_or_id_and_both_agree(ledger):
    rent, power = (
        ledger.client.rows(f"accounts?$filter=number eq '{number}'")[0]["id"] for number in ("60210", "60220")
    )
    row = ledger.add_plainly(accountId=power, amount=1)
    assert (row["accountNumber"], row["description"]) == ("60220", "Electricity and Heating")
    assert ledger.add(accountId=rent)["accountNumber"] == "60210"
    path = f"journals({ledger.batch})/journalLines"
    assert ledger.refused("POST", path, LINE | {"accountId": power}) == (
        400,
        "Application_DialogException",
        "The account values do not match to a specific Account.",
    )
    assert ledger.add_plainly(accountNumber="", amount=1)["accountId"] == BLANK


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        (
            {"accountNumber": "99999"},
            "Application_DialogException",
            'The "accountNumber" does not match to an Account.',
        ),
        (
            {"accountId": "00000000-0000-0000-0000-000000000001"},
            "Application_DialogException",
            'The "accountId" does not match to an Account.',
        ),
        (
            {"accountNumber": "60800"},
            "Application_FieldValidationException",
            "Blocked must be equal to 'No'  in G/L Account: No.=60800. Current value is 'Yes'.",
        ),
        (
            {"accountNumber": "20100"},
            "Application_FieldValidationException",
            "Direct Posting must be equal to 'Yes'  in G/L Account: No.=20100. Current value is 'No'.",
        ),
        (
            {"accountNumber": "60200"},
            "Application_FieldValidationException",
            "Account Type must be equal to 'Posting'  in G/L Account: No.=60200. Current value is 'Begin-Total'.",
        ),
        ({"documentNumber": "X" * 21}, "Application_StringExceededLength", None),
        ({"externalDocumentNumber": "X" * 36}, "Application_StringExceededLength", None),
        ({"description": "X" * 101}, "Application_StringExceededLength", None),
        ({"comment": "X" * 251}, "Application_StringExceededLength", None),
        ({"debitAmount": 1}, "BadRequest", None),
        ({"currencyCode": "EUR"}, "BadRequest", None),
        ({"lastModifiedDateTime": "2026-11-30T00:00:00Z"}, "BadRequest", None),
        ({"amount": "1250.5"}, "BadRequest", None),
        ({"postingDate": "30.11.2026"}, "BadRequest", None),
        (
            {"journalDisplayName": "OTHER"},
            "Application_DialogException",
            "The Journal Batch Display Name isn't editable.",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(ledger, values, code, message):
    status, told, sentence = ledger.refused("POST", f"journals({ledger.batch})/journalLines", LINE | values)
    assert (status, told) == (400, code)
    assert message in (None, sentence)
    assert ledger.lines() == []


def test_a_body_that_is_no_object_is_refused(ledger):
    url = f"{ledger.client.company}/journals({ledger.batch})/journalLines"
    assert ledger.client.session.post(url, data=b"[", timeout=5).json()["error"]["code"] == "BadRequest"


def test_lines_are_listed_of_one_journal_and_of_ledger_and_bank_accounts_only(ledger):
    line = ledger.add()
    assert ledger.refused("GET", "journalLines") == (
        400,
        "Application_DialogException",
        "You must specify a journal batch ID or a journal ID to get a journal line.",
    )
    ledger.add_plainly(accountType="Customer", accountNumber="C00010", amount=1)
    named = ledger.client.rows(f"journalLines?$filter=journalId eq {ledger.batch}")
    assert [row["id"] for row in named] == [line["id"]] == [row["id"] for row in ledger.lines()]
    assert ledger.client.rows(f"journals({ledger.batch})/journalLines?$filter=startswith(documentNumber,'X')") == []


def test_batches_of_the_default_template_are_listed_unless_another_is_named(ledger):
    ledger.journals.put_batch("ASSETS1", template="ASSETS")
    assert [row["code"] for row in ledger.client.rows("journals")] == ["DEFAULT", "ANAPLAN"]
    named = ledger.client.rows("journals?$filter=templateDisplayName eq 'ASSETS'")
    assert [(row["code"], row["templateDisplayName"]) for row in named] == [("ASSETS1", "ASSETS")]
    assert ledger.client.rows(f"journals?$filter=id eq {named[0]['id']}")[0]["code"] == "ASSETS1"
    assert ledger.client.read(f"journals({named[0]['id']})")["code"] == "ASSETS1"


def test_batches_are_made_and_deleted(ledger):
    made = ledger.send("POST", "journals", {"code": "plan", "displayName": "The plan"}).json()
    assert (made["code"], made["displayName"], made["templateDisplayName"]) == ("PLAN", "The plan", "GENERAL")
    assert ledger.refused("POST", "journals", {"code": "PLAN"})[1] == "Internal_EntityWithSameKeyExists"
    assert ledger.refused("POST", "journals", {"code": "ELEVEN-CHAR"})[1] == "Application_StringExceededLength"
    assert ledger.refused("POST", "journals", {"code": "P2", "balancingAccountNumber": "10110"})[1] == "BadRequest"
    assert ledger.send("DELETE", f"journals({made['id']})", match=made["@odata.etag"]).status_code == 204
    assert ledger.client.get(f"journals({made['id']})").status_code == 404


def test_a_change_has_to_know_the_version_that_it_changes(ledger):
    line = ledger.add()
    path = f"journalLines({line['id']})"
    assert ledger.refused("PATCH", path, {"amount": 1})[:2] == (400, "BadRequest_InvalidToken")
    changed = ledger.send("PATCH", path, {"amount": 1}, line["@odata.etag"])
    assert (changed.status_code, changed.json()["amount"]) == (200, 1)
    assert ledger.refused("PATCH", path, {"amount": 2}, line["@odata.etag"])[:2] == (409, "Request_EntityChanged")
    assert ledger.refused("DELETE", path, None, line["@odata.etag"])[0] == 409
    assert ledger.send("DELETE", path, match="*").status_code == 204
    assert ledger.refused("DELETE", path, None, "*")[:2] == (404, "Internal_RecordNotFound")


def test_a_line_stays_in_its_batch(ledger):
    line = ledger.add()
    path = f"journalLines({line['id']})"
    other = ledger.id_of("DEFAULT")
    sentence = "The Journal Batch Id isn't editable."
    assert ledger.refused("PATCH", path, {"journalId": other}, "*")[2] == sentence
    assert ledger.send("PATCH", path, {"journalId": ledger.batch}, "*").status_code == 200
    assert ledger.client.get(f"journals({ledger.batch})/{path}").status_code == 200
    assert ledger.refused("GET", f"journals({other})/{path}")[0] == 404
    assert ledger.refused("DELETE", f"journals({other})/{path}", None, "*")[0] == 404


def test_a_replica_shows_lines_later(ledger):
    ledger.client.world.clock.freeze()
    ledger.add()
    ledger.client.tenant.switches.replica_lag = 60
    path = f"journals({ledger.batch})/journalLines"
    assert ledger.client.rows(path, Data_Access_Intent="ReadOnly") == []
    assert len(ledger.client.rows(path)) == 1
    ledger.client.world.clock.advance(61)
    assert len(ledger.client.rows(path, Data_Access_Intent="ReadOnly")) == 1


def test_dimensions_are_rows_below_a_line_with_the_dimensions_own_ids(ledger):
    line = ledger.add()
    below = f"journalLines({line['id']})/dimensionSetLines"
    made = ledger.send("POST", below, {"code": "DEPARTMENT", "valueCode": "SALES"})
    department = ledger.client.rows("dimensions?$filter=code eq 'DEPARTMENT'")[0]["id"]
    row = made.json()
    assert (made.status_code, row["id"], row["parentId"]) == (201, department, line["id"])
    assert (row["parentType"], row["valueDisplayName"]) == ("Journal_x0020_Line", "Sales")
    changed = ledger.send("PATCH", f"{below}({department})", {"valueCode": "ADM"}, "*")
    assert (changed.status_code, changed.json()["valueCode"]) == (200, "ADM")
    by_filter = f"dimensionSetLines?$filter=parentId eq {line['id']} and parentType eq 'Journal Line'"
    assert [row["valueCode"] for row in ledger.client.rows(by_filter)] == ["ADM"]
    expanded = ledger.client.rows(f"journals({ledger.batch})/journalLines?$expand=dimensionSetLines")
    assert [[row["valueCode"] for row in line["dimensionSetLines"]] for line in expanded] == [["ADM"]]
    assert ledger.send("DELETE", f"{below}({department})", match="*").status_code == 204
    assert ledger.dimensions(line) == {}
    assert ledger.refused("DELETE", f"{below}({department})", None, "*")[0] == 404


def test_a_dimension_changes_the_version_of_its_line(ledger):
    line = ledger.add()
    ledger.send("POST", f"journalLines({line['id']})/dimensionSetLines", {"code": "PROJECT", "valueCode": "P100"})
    assert ledger.refused("PATCH", f"journalLines({line['id']})", {"amount": 2}, line["@odata.etag"])[0] == 409


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"code": "REGION", "valueCode": "X"}, 'The "code" does not match to a Dimension.'),
        ({"code": "DEPARTMENT", "valueCode": "X"}, 'The "valueCode" does not match to a Dimension Value.'),
        (
            {"code": "PROJECT", "valueCode": "P200"},
            "The dimension set line already exists. Check existing dimension set lines and the default dimension set "
            "lines on the parent.",
        ),
    ],
)
def test_dimensions_that_cannot_be_added_are_refused(ledger, body, message):
    line = ledger.add()
    below = f"journalLines({line['id']})/dimensionSetLines"
    ledger.send("POST", below, {"code": "PROJECT", "valueCode": "P100"})
    assert ledger.refused("POST", below, body) == (400, "Application_DialogException", message)
    assert ledger.dimensions(line) == {"PROJECT": "P100"}


def test_default_dimensions_of_the_account_come_with_it(ledger):
    ledger.journals.rules.put_default(DefaultDimension("60210", "DEPARTMENT", "ADM"))
    ledger.journals.rules.put_default(DefaultDimension("60220", "PROJECT", "P100"))
    line = ledger.add()
    assert ledger.dimensions(line) == {"DEPARTMENT": "ADM"}
    below = f"journalLines({line['id']})/dimensionSetLines"
    refused = ledger.refused("POST", below, {"code": "DEPARTMENT", "valueCode": "SALES"})
    assert refused[2].startswith("The dimension set line already exists.")
    ledger.send("PATCH", f"journalLines({line['id']})", {"accountNumber": "60220"}, "*")
    assert ledger.dimensions(line) == {"PROJECT": "P100"}
    listed = ledger.client.rows("defaultDimensions")
    assert [(row["dimensionCode"], row["dimensionValueCode"], row["postingValidation"]) for row in listed] == [
        ("DEPARTMENT", "ADM", "_x0020_"),
        ("PROJECT", "P100", "_x0020_"),
    ]
    rent = ledger.client.rows("accounts?$filter=number eq '60210'")[0]["id"]
    assert len(ledger.client.rows(f"defaultDimensions?$filter=parentId eq {rent}")) == 1


def test_lines_with_a_deleted_dimension_value_cannot_be_expanded(ledger):
    line = ledger.add()
    ledger.send("POST", f"journalLines({line['id']})/dimensionSetLines", {"code": "DEPARTMENT", "valueCode": "RND"})
    ledger.client.books.delete_value("DEPARTMENT", "RND")
    answer = ledger.client.get(f"journals({ledger.batch})/journalLines?$expand=dimensionSetLines")
    assert answer.status_code == 404
    assert len(ledger.lines()) == 1


def test_companies_have_journals_of_their_own(ledger):
    ledger.add()
    meadow = ledger.client.rows(f"{ledger.client.root}/companies?$filter=name eq 'Meadow Tools Ltd'")[0]["id"]
    path = f"{ledger.client.root}/companies({meadow})/journals"
    batch = next(row for row in ledger.client.rows(path) if row["code"] == "ANAPLAN")
    assert ledger.client.rows(f"{path}({batch['id']})/journalLines") == []
