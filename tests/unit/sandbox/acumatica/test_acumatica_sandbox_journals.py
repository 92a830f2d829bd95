# SPDX-License-Identifier: Apache-2.0
"""Writing journals into the sandbox's Acumatica with nothing but ``requests``: what the real one keeps and refuses."""

from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.running import serve
from tests.sandbox_control import SandboxControl

RENT = {"Account": "60310", "Subaccount": "SALES   00", "DebitAmount": 5, "ReferenceNbr": "R1"}
ACCRUED = {"Account": "20400", "Subaccount": "0000000000", "CreditAmount": 5}
DETAILS = {"$expand": "Details"}
ACTION = "JournalTransaction/ReleaseJournalTransaction"


class Clerk(SandboxControl):
    """A client that is logged in, and what people do beside it."""

    def __init__(self, sandbox):
        super().__init__({"url": sandbox.url, **sandbox.info})
        self.world, self.told = sandbox.world, sandbox.info["acumatica"]
        self.session = self.log_in()

    def log_in(self):
        session = requests.Session()
        form = {"name": self.told["login"], "password": self.told["password"], "tenant": self.told["tenant"]}
        session.post(f"{self.told['base_url']}/entity/auth/login", json=form, timeout=5).raise_for_status()
        return session

    def with_token(self):
        names = ("client_id", "client_secret")
        form = {"grant_type": "password", "scope": "api", **{name: self.told[name] for name in names}}
        form |= {"username": self.told["login"], "password": self.told["password"]}
        told = requests.post(f"{self.told['base_url']}/identity/connect/token", data=form, timeout=5).json()
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {told['access_token']}"
        return session

    def ask(self, method, path, session=None, **more):
        url = f"{self.told['base_url']}/entity/Default/25.200.001/{path}"
        return (session or self.session).request(method, url, timeout=10, **more)

    def put(self, *lines, headers=None, params=None, **header):
        body = wrapped(header) | ({"Details": [wrapped(line) for line in lines]} if lines else {})
        return self.ask("PUT", "JournalTransaction", json=body, headers=headers, params=DETAILS | (params or {}))

    def made(self, *lines, **header):
        answer = self.put(*lines, **header)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def listed(self, where):
        return self.ask("GET", "JournalTransaction", params=DETAILS | {"$filter": where}).json()

    def turn(self, **switches):
        self.call("PATCH", "/acumatica/switches", switches)


def wrapped(values):
    """Wrap fields; an id and a mark for deletion stand as they are."""
    return {name: value if name in ("id", "delete") else {"value": value} for name, value in values.items()}


def keys_of(record):
    return {name: record[name]["value"] for name in ("Module", "BatchNbr")}


def errors_in(answer):
    """Return the errors that stand beside fields of the record or of its lines."""
    body = answer.json()
    rows = [body, *body.get("Details", ())]
    return {
        name: field["error"]
        for row in rows
        for name, field in row.items()
        if isinstance(field, dict) and "error" in field
    }


@pytest.fixture(scope="module")
def sandbox():
    with serve(["acumatica"], scale=0.05) as running:
        yield running


@pytest.fixture
def clerk(sandbox):
    made = Clerk(sandbox)
    yield made
    for path in ("switches", "sessions", "journals"):
        made.call("DELETE", f"/acumatica/{path}")


def test_a_header_alone_is_a_journal_on_hold_with_a_number_of_its_own(clerk):
    made = clerk.made(Description="ours", PostPeriod="05-2027", TransactionDate="2026-11-30")
    told = {name: made[name].get("value") for name in ("Status", "PostPeriod", "LedgerID", "Module")}
    assert told == {"Status": "On Hold", "PostPeriod": "052027", "LedgerID": "ACTUAL", "Module": "GL"}
    assert made["BatchNbr"]["value"] not in ("", "<NEW>")
    assert made["Details"] == []


def test_the_same_put_again_makes_another_journal_unless_a_filter_finds_the_first(clerk):
    first, second = (clerk.made(Description="twice") for _ in range(2))
    assert first["BatchNbr"] != second["BatchNbr"]
    where = {"$filter": "startswith(Description,'once')"}
    clerk.put(Description="once", params=where)
    assert clerk.put(Description="once", params=where, headers={"If-None-Match": "*"}).status_code == 412
    assert len(clerk.listed("startswith(Description,'once')")) == 1
    clerk.turn(finds_by_filter=False)
    assert clerk.put(Description="once", params=where, headers={"If-None-Match": "*"}).status_code == 200
    assert len(clerk.listed("startswith(Description,'once')")) == 2


@pytest.mark.parametrize("how", ["cookie", "token"])
def test_what_was_asked_for_before_a_logout_is_done_after_it(clerk, how):
    session = clerk.log_in() if how == "cookie" else clerk.with_token()
    assert clerk.ask("GET", "JournalTransaction", session, params={"$top": "1"}).status_code == 200
    clerk.fault("late", "JournalTransaction", method="PUT")
    with pytest.raises(requests.ConnectionError):
        clerk.ask("PUT", "JournalTransaction", session, json=wrapped({"Description": how}))
    session.post(f"{clerk.told['base_url']}/entity/auth/logout", timeout=5).raise_for_status()
    clerk.world.clock.advance(30)
    assert len(clerk.listed(f"Description eq '{how}'")) == 1
    assert len(clerk.call("GET", "/acumatica/sessions")) == 1, "nobody is logged in again by that"


def test_a_journal_that_is_gone_is_not_made_again_by_who_may_only_change_it(clerk):
    keys = keys_of(clerk.made(RENT))
    assert clerk.ask("DELETE", f"JournalTransaction/GL/{keys['BatchNbr']}").status_code == 204
    assert clerk.put(RENT, **keys, headers={"If-Match": "*"}).status_code == 412
    gone = clerk.ask("DELETE", f"JournalTransaction/GL/{keys['BatchNbr']}")
    assert (gone.status_code, gone.json()["exceptionMessage"]) == (500, "No entity satisfies the condition.")


def test_lines_without_an_id_are_added_and_others_are_changed_or_deleted(clerk):
    made = clerk.made(RENT, ACCRUED)
    again = clerk.made(RENT, ACCRUED, **keys_of(made))
    assert [row["LineNbr"]["value"] for row in again["Details"]] == [1, 2, 3, 4]
    first, second, *more = [row["id"] for row in again["Details"]]
    body = [{"id": first, "CreditAmount": 7}, {"id": second, "delete": True}, *({"id": id_} for id_ in more)]
    kept = clerk.made(*body, **keys_of(made))["Details"]
    assert [row["id"] for row in kept] == [first, *more]
    assert (kept[0]["DebitAmount"], kept[0]["CreditAmount"]) == ({"value": 0.0}, {"value": 7.0})


def test_what_is_too_long_is_cut_off_and_a_missing_subaccount_is_that_of_the_line_before(clerk):
    line = {**RENT, "ReferenceNbr": "0123456789ABCDEFG", "TransactionDescription": "x" * 600}
    bare = {name: value for name, value in RENT.items() if name != "Subaccount"}
    made = clerk.made(line, bare, Description="d" * 600)
    first, second = made["Details"]
    assert (first["ReferenceNbr"]["value"], len(first["TransactionDescription"]["value"])) == ("0123456789ABCDE", 512)
    assert len(made["Description"]["value"]) == 512
    assert second["Subaccount"]["value"] == "SALES   00"


@pytest.mark.parametrize(
    ("line", "header", "field", "said"),
    [
        ({"Account": "NONE"}, {}, "Account", "cannot be found"),
        ({"Account": "60000"}, {}, "Account", "cannot be found"),
        ({"Account": "60800"}, {}, "Account", "inactive"),
        ({"Account": "10200"}, {}, "Account", "control account"),
        ({"Subaccount": "NONE"}, {}, "Subaccount", "cannot be found"),
        ({"Subaccount": "LEGACY  00"}, {}, "Subaccount", "inactive"),
        ({"BranchID": "NOWHERE"}, {}, "BranchID", "cannot be found"),
        ({"Project": "P100"}, {}, "ProjectTask", "cannot be empty"),
        ({}, {"LedgerID": "BUDGET"}, "LedgerID", "'Ledger' cannot be found"),
        ({}, {"BranchID": "NOWHERE"}, "BranchID", "cannot be found"),
        ({}, {"CurrencyID": "USD"}, "CurrencyID", "rate"),
        ({}, {"PostPeriod": "042027"}, "PostPeriod", "04-2027 financial period is closed"),
        ({}, {"PostPeriod": "992027"}, "PostPeriod", "cannot be found"),
        ({}, {"Hold": False}, "Hold", "not balanced"),
    ],
)
def test_a_journal_is_refused_with_the_error_beside_what_is_wrong_and_nothing_is_kept(clerk, line, header, field, said):
    answer = clerk.put({**RENT, **line}, Description="wrong", **header)
    assert answer.status_code == 422
    assert errors_in(answer).keys() == {field}
    assert said in errors_in(answer)[field]
    assert clerk.listed("Description eq 'wrong'") == []


def test_accounts_tell_which_module_controls_them_when_they_are_asked_to(clerk):
    fields = ("AccountRecords.ControlAccountModule", "AccountRecords.AllowManualEntry")
    told = clerk.ask("GET", "Account/10200", params={"$custom": ",".join(fields)}).json()["custom"]["AccountRecords"]
    assert told["ControlAccountModule"] == {"type": "CustomStringField", "value": "AR"}
    assert told["AllowManualEntry"] == {"type": "CustomBooleanField", "value": False}
    assert clerk.ask("GET", "Account/10200").json()["custom"] == {}


def test_what_a_person_posts_keeps_number_and_description_and_its_lines_their_references(clerk):
    made = clerk.made(RENT, ACCRUED, Description="KEY1 Budget", PostPeriod="052027")
    number = made["BatchNbr"]["value"]
    entries = clerk.call("POST", "/acumatica/journals/KEY1/post")["entries"]
    (posted,) = clerk.listed("startswith(Description,'KEY1')")
    assert (posted["BatchNbr"]["value"], posted["Status"]["value"], posted["id"]) == (number, "Posted", made["id"])
    assert posted["Details"][0]["ReferenceNbr"] == {"value": "R1"}
    assert clerk.ask("GET", f"JournalTransaction/GL/{number}").json()["Description"] == {"value": "KEY1 Budget"}
    lines = [clerk.world.books.line(entry) for entry in entries]
    assert [(line.account, line.amount, line.department) for line in lines] == [
        ("60310", Decimal(5), "SALES"),
        ("20400", Decimal(-5), ""),
    ]
    assert clerk.put(RENT, **keys_of(made)).status_code == 500
    assert clerk.ask("DELETE", f"JournalTransaction/GL/{number}").status_code == 500
    assert clerk.call("GET", "/acumatica/journals")["post_calls"] == 0


def test_a_person_cannot_post_what_is_out_of_balance(clerk):
    clerk.made(RENT, Description="KEY2")
    with pytest.raises(requests.HTTPError, match="409"):
        clerk.call("POST", "/acumatica/journals/KEY2/post")


def test_a_release_goes_on_for_a_while_in_which_its_session_gets_nothing_else(clerk):
    made = clerk.made(RENT, ACCRUED, Hold=False, Description="KEY3")
    body = {"entity": wrapped(keys_of(made))}
    started = clerk.ask("POST", ACTION, json=body)
    assert started.status_code == 202
    status = f"{clerk.told['base_url'].removesuffix('/acumatica')}{started.headers['Location']}"
    assert clerk.session.get(status, timeout=5).status_code == 202
    assert clerk.ask("GET", "JournalTransaction").status_code == 409
    assert clerk.ask("GET", "Account/60310").status_code == 200
    assert clerk.ask("GET", "JournalTransaction", clerk.log_in(), params={"$top": "1"}).status_code == 200
    clerk.world.clock.advance(2)
    assert clerk.session.get(status, timeout=5).status_code == 204
    assert [one["Status"]["value"] for one in clerk.listed("startswith(Description,'KEY3')")] == ["Posted"]
    assert clerk.call("GET", "/acumatica/journals")["post_calls"] == 1


def test_a_release_can_be_over_at_once_wait_for_a_person_to_post_it_or_fail(clerk):
    clerk.turn(release_seconds=0, posts_on_release=False)
    made = clerk.made(RENT, ACCRUED, Hold=False, Description="KEY4")
    body = {"entity": wrapped(keys_of(made))}
    assert clerk.ask("POST", ACTION, json=body).status_code == 204
    assert [one["Status"]["value"] for one in clerk.listed("startswith(Description,'KEY4')")] == ["Unposted"]
    assert clerk.ask("POST", ACTION, json=body).status_code == 422
    missing = clerk.ask("POST", ACTION, json={"entity": wrapped({"Module": "GL", "BatchNbr": "NONE"})})
    assert missing.status_code == 500
    held = clerk.made(RENT, ACCRUED)
    assert clerk.ask("POST", ACTION, json={"entity": wrapped(keys_of(held))}).status_code == 422
