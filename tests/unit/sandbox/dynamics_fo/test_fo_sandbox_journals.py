# SPDX-License-Identifier: Apache-2.0
"""The sandbox's general journals take, fill in and refuse what the environment does; nothing but requests is used."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Switches, environment_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import JournalName, NewVoucher, journals_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import AccountRule, ValueRule, rules_of
from airflow_provider_mlconnector.sandbox.running import serve

HEADERS, LINES = "LedgerJournalHeaders", "LedgerJournalLines"
DAY = "2026-11-30T12:00:00Z"


class Client:
    """A logged-in client of Larkfield's general journals."""

    def __init__(self, sandbox):
        told = sandbox.info["dynamics_fo"]
        self.url, self.base = f"{told['base_url']}/data", told["base_url"]
        self.world = sandbox.world
        self.environment = environment_of(sandbox.world)
        self.journals = journals_of(sandbox.world, sandbox.world.books)
        self.rules = rules_of(sandbox.world, sandbox.world.books)
        form = {
            "grant_type": "client_credentials",
            "client_id": told["login"],
            "client_secret": told["password"],
            "scope": f"{told['base_url']}/.default",
        }
        token = requests.post(f"{told['authority_url']}/{told['tenant']}/oauth2/v2.0/token", data=form, timeout=5)
        self.headers = {"Authorization": f"Bearer {token.json()['access_token']}"}

    def send(self, method, path, body=None, **headers):
        return requests.request(
            method, f"{self.url}/{path}", json=body, headers={**self.headers, **headers}, timeout=10
        )

    def add_header(self, **values):
        return self.send("POST", HEADERS, {"dataAreaId": "lark", "JournalName": "ANAPLAN", **values})

    def add_line(self, number, line=None, display="60210-SALES-", debit=5, **values):
        body = {
            "dataAreaId": "lark",
            "JournalBatchNumber": number,
            "AccountDisplayValue": display,
            "DebitAmount": debit,
            "TransDate": DAY,
            **({} if line is None else {"LineNumber": line}),
        }
        return self.send("POST", LINES, {**body, **values})

    def rows(self, set_name, where):
        answer = self.send("GET", f"{set_name}?cross-company=true&$filter={where}")
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


@pytest.fixture(scope="module")
def running():
    with serve(["dynamics_fo"], scale=0.05) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def fo(running):
    running.journals.headers.clear()
    running.journals.lines.clear()
    running.journals.put_name(JournalName("ANAPLAN"))
    yield running
    running.environment.switches = Switches()
    running.rules.clear()


@pytest.fixture
def number(fo):
    return fo.add_header().json()["JournalBatchNumber"]


def refusal(answer):
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["message"] == "An error has occurred."
    return error["innererror"]["message"]


def at(set_name, number, line=None):
    key = f"dataAreaId='lark',JournalBatchNumber='{number}'" + (f",LineNumber={line}" if line else "")
    return f"{set_name}({key})?cross-company=true"


def test_a_new_journal_gets_its_number_from_the_server_and_shows_no_currency_yet(fo):
    answer = fo.add_header(Description="Plan", PostingLayer="Operations")
    made = answer.json()
    assert answer.status_code == 201
    assert made["@odata.context"].endswith("#LedgerJournalHeaders/$entity")
    assert made["JournalBatchNumber"].startswith("LARK-")
    assert (made["IsPosted"], made["PostingLayer"], made["AccountingCurrency"]) == ("No", "Operations", "")
    (read,) = fo.rows(HEADERS, "Description eq 'Plan'")
    assert (read["AccountingCurrency"], read["JournalTotalDebit"]) == ("GBP", 0)
    assert base64.b64decode(read["@odata.etag"][3:-1]).startswith(b"'1,")


def test_an_unknown_name_company_property_or_layer_is_refused(fo):
    assert "Infolog: Warning: The value 'NOPE' in field 'Name'" in refusal(fo.add_header(JournalName="NOPE"))
    assert "Company 'nope'" in refusal(fo.add_header(dataAreaId="nope"))
    assert "'IsPosted'" in refusal(fo.add_header(IsPosted="Yes"))
    assert fo.add_header(PostingLayer="Budget").status_code == 400
    assert "at most 60" in refusal(fo.add_header(Description="x" * 61))


def test_a_line_is_filled_in_with_voucher_currency_and_company(fo, number):
    made = fo.add_line(number, 1, Text="Rent", Document="D1").json()
    assert (made["LineNumber"], made["DebitAmount"], made["CreditAmount"]) == (1, 5, 0)
    assert (made["CurrencyCode"], made["Company"], made["ExchRate"], made["TransDate"]) == ("GBP", "lark", 100, DAY)
    assert made["Voucher"].startswith("LARK-V")
    assert (made["Text"], made["Document"], made["DocumentDate"]) == ("Rent", "D1", "1900-01-01T12:00:00Z")
    assert fo.add_line(number).json()["LineNumber"] == 2


@pytest.mark.parametrize(("how", "distinct"), [(NewVoucher.BALANCE, 2), (NewVoucher.ONE, 1), (NewVoucher.MANUAL, 1)])
def test_the_journal_name_says_when_a_new_voucher_begins(fo, how, distinct):
    fo.journals.put_name(JournalName("ANAPLAN", new_voucher=how))
    number = fo.add_header().json()["JournalBatchNumber"]
    amounts = [(5, 0), (0, 5), (7, 0), (0, 7)]
    vouchers = [fo.add_line(number, debit=debit, CreditAmount=credit).json()["Voucher"] for debit, credit in amounts]
    assert len(set(vouchers)) == distinct
    assert ("" in vouchers) is (how is NewVoucher.MANUAL)


def test_a_line_number_is_taken_once_and_debit_and_credit_exclude_each_other(fo, number):
    assert fo.add_line(number, 1).status_code == 201
    assert "already exists" in refusal(fo.add_line(number, 1))
    assert "Debit and credit" in refusal(fo.add_line(number, 2, CreditAmount=5))
    assert "Journal batch number" in refusal(fo.add_line("LARK-999999", 1))


@pytest.mark.parametrize(
    ("display", "told"),
    [
        ("99999--", "MainAccount"),
        ("60210-NOPE-", "The value 'NOPE' in field 'Department'"),
        ("20100--", "manual entry"),
        ("60210-ADM-P100", "A value for dimension"),
        ("60210-LOG-", "blocked for manual entry"),
    ],
)
def test_accounts_and_dimensions_are_looked_at_when_a_line_is_entered(fo, number, display, told):
    fo.rules.values["Department", "LOG"] = ValueRule(manual=False)
    fo.rules.accounts["60210"] = AccountRule(demands=("Project",))
    if display.endswith("P100"):
        display = "60210-ADM-"
    assert told in refusal(fo.add_line(number, 1, display))


def test_extra_segments_are_dropped_silently_missing_ones_are_blank_and_delimiters_escaped(fo, number):
    assert fo.add_line(number, 1, "60210-SALES-P100-MORE").json()["AccountDisplayValue"] == "60210-SALES-P100"
    assert fo.add_line(number, 2, "60210").json()["AccountDisplayValue"] == "60210--"
    assert fo.add_line(number, 3, "60210-SA\\LES-").json()["AccountDisplayValue"] == "60210-SALES-"
    fo.environment.switches = Switches(dimension_format=())
    assert "No active format" in refusal(fo.add_line(number, 4))


def test_a_record_is_named_by_its_whole_key_and_only_across_companies(fo, number):
    fo.add_line(number, 1)
    assert fo.send("GET", at(LINES, number, 1)).json()["LineNumber"] == 1
    assert fo.send("GET", at(LINES, number, 1).replace("true", "false")).status_code == 404
    assert fo.send("GET", at(LINES, number, 7)).status_code == 404
    assert fo.send("GET", f"{LINES}(dataAreaId='lark')?cross-company=true").status_code == 400


def test_a_change_answers_204_or_the_record_and_respects_the_etag(fo, number):
    etag = fo.add_line(number, 1).json()["@odata.etag"]
    assert fo.send("PATCH", at(LINES, number, 1), {"Text": "a"}, **{"If-Match": etag}).status_code == 204
    assert fo.send("PATCH", at(LINES, number, 1), {"Text": "b"}, **{"If-Match": etag}).status_code == 412
    answer = fo.send("PATCH", at(LINES, number, 1), {"Text": "b"}, Prefer="return=representation")
    assert (answer.status_code, answer.json()["Text"]) == (200, "b")
    assert fo.send("PATCH", at(HEADERS, number), {"Description": "New"}, **{"If-Match": "*"}).status_code == 204
    assert "cannot be edited" in refusal(fo.send("PATCH", at(HEADERS, number), {"JournalName": "GenJrn"}))


def test_a_journal_is_deleted_after_its_lines(fo, number):
    fo.add_line(number, 1)
    assert "while it has lines" in refusal(fo.send("DELETE", at(HEADERS, number)))
    assert fo.send("DELETE", at(LINES, number, 1)).status_code == 204
    assert fo.send("DELETE", at(HEADERS, number)).status_code == 204
    assert fo.send("DELETE", at(HEADERS, number)).status_code == 404
    assert fo.rows(HEADERS, f"JournalBatchNumber eq '{number}'") == []


def test_two_requests_at_work_on_one_journal_meet_a_conflict(fo, number):
    fo.environment.switches = Switches(write_seconds=0.1)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda line: fo.add_line(number, line), (1, 2)))
    assert sorted(answer.status_code for answer in answers) == [201, 400]
    assert "conflict" in refusal(max(answers, key=lambda answer: answer.status_code))


def test_the_offset_account_of_a_journal_name_comes_with_every_line(fo):
    fo.journals.put_name(JournalName("ANAPLAN", offset_account="20400"))
    (name,) = fo.rows("JournalNames", "Name eq 'ANAPLAN' and dataAreaId eq 'lark'")
    assert name["OffsetAccountDisplayValue"] == "20400--"
    number = fo.add_header().json()["JournalBatchNumber"]
    assert fo.add_line(number, 1).json()["OffsetAccountDisplayValue"] == "20400--"
    assert fo.send("PATCH", at(LINES, number, 1), {"OffsetAccountDisplayValue": ""}).status_code == 204
