# SPDX-License-Identifier: Apache-2.0
"""A person posts a general journal of the sandbox: what is checked then, and what the books hold afterwards."""

from datetime import date
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Switches, environment_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import (
    Approval,
    DraftLine,
    JournalName,
    journals_of,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_posting import PostingError, post
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import AccountRule, Side, Span, ValueRule, rules_of
from airflow_provider_mlconnector.sandbox.running import serve
from tests.sandbox_control import SandboxControl
from tests.unit.systems.dynamics_fo.fo_desk import FoDesk

DAY, KEY = date(2026, 11, 30), "FY2027-P05"


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_fo"], scale=0.05) as running:
        yield running


@pytest.fixture
def journals(sandbox):
    found = journals_of(sandbox.world, sandbox.world.books)
    found.put_name(JournalName("ANAPLAN"))
    yield found
    rules_of(sandbox.world, sandbox.world.books).clear()
    sandbox.world.books.reopen_period(KEY)


@pytest.fixture
def rules(sandbox):
    return rules_of(sandbox.world, sandbox.world.books)


def entered(journals, *amounts, **name):
    journals.put_name(JournalName("ANAPLAN", **name))
    header = journals.add_header(journals.names["ANAPLAN"])
    accounts = [{"MainAccount": "60210", "Department": "SALES"}, {"MainAccount": "20400"}]
    for number, amount in enumerate(amounts or ("12.34", "-12.34"), start=1):
        value = Decimal(amount)
        journals.lines[header.number][Decimal(number)] = DraftLine(
            journals.next_record(),
            Decimal(number),
            DAY,
            "GBP",
            voucher=f"V{header.number}",
            segments=accounts[(number - 1) % 2],
            debit=max(value, Decimal(0)),
            credit=max(-value, Decimal(0)),
            text="Rent",
            document="D-1",
        )
    return header


def test_what_is_posted_comes_to_the_books_and_to_the_posted_journals(sandbox, journals, rules):
    header = entered(journals)
    first, second = post(journals, rules, header)
    lines = [sandbox.world.books.line(entry) for entry in (first, second)]
    assert [(line.account, line.amount, line.department) for line in lines] == [
        ("60210", Decimal("12.34"), "SALES"),
        ("20400", Decimal("-12.34"), ""),
    ]
    desk = FoDesk(sandbox)
    api = desk.api()
    page = next(api._reader.pages("GeneralJournalEntryBiEntities", {"$filter": "DocumentNumber eq 'D-1'"}))
    shown = page.body.tobytes().decode()
    assert f'"LedgerPostingJournal":"{header.number}"' in shown
    assert f'"SubledgerVoucher":"V{header.number}"' in shown
    desk.close()
    with pytest.raises(PostingError, match="already"):
        post(journals, rules, header)


def test_lines_may_vanish_when_they_are_posted(journals, rules):
    header = entered(journals, deletes_lines=True)
    post(journals, rules, header)
    assert (header.posted, journals.lines_of(header.number)) == (True, [])


def test_what_entering_does_not_look_at_is_refused_at_posting(sandbox, journals, rules):
    books = sandbox.world.books

    def told(header):
        with pytest.raises(PostingError) as error:
            post(journals, rules, header)
        assert not header.posted
        return str(error.value)

    assert "do not balance" in told(entered(journals, "5", "-4"))
    assert "no lines" in told(journals.add_header(journals.names["ANAPLAN"]))
    assert "more than 1 lines" in told(entered(journals, line_limit=1))
    assert "approved" in told(entered(journals, workflow=True))
    rules.accounts["60210"] = AccountRule(side=Side.CREDIT)
    assert "only allows the credit side" in told(entered(journals))
    rules.accounts["60210"] = AccountRule(active=Span(last=date(2026, 1, 1)))
    assert "not active" in told(entered(journals))
    rules.clear()
    rules.values["Department", "SALES"] = ValueRule(active=Span(first=date(2027, 1, 1)))
    assert "not active" in told(entered(journals))
    rules.clear()
    rules.on_hold.add(KEY)
    assert "not open" in told(entered(journals))
    rules.clear()
    books.close_period(KEY)
    assert "not open" in told(entered(journals))


def test_a_journal_of_another_layer_is_posted_to_it(sandbox, journals, rules):
    header = entered(journals, layer="CustomLayer3", workflow=True)
    header.approval = Approval.APPROVED
    entries = post(journals, rules, header)
    assert sandbox.world.books.line(entries[0]).ledger == "CustomLayer3"


def test_people_work_over_the_control_routes(sandbox, journals):
    control = SandboxControl({"url": sandbox.url, **sandbox.info})
    header = entered(journals)
    path = f"/dynamics_fo/journals/{header.number}"
    control.call("PATCH", f"{path}/lines/1", {"debit": "20", "segments": {"Department": "ADM"}})
    with pytest.raises(requests.HTTPError, match="409"):
        control.call("POST", f"{path}/post")
    control.call("PATCH", f"{path}/lines/2", {"credit": "20"})
    copy = control.call("POST", f"{path}/copy")["number"]
    assert len(control.call("POST", f"{path}/post")["entries"]) == 2
    shown = {one["number"]: one for one in control.call("GET", "/dynamics_fo/journals")["journals"]}
    assert (shown[header.number]["posted"], shown[copy]["posted"]) == (True, False)
    assert shown[copy]["lines"][0]["segments"] == {"MainAccount": "60210", "Department": "ADM"}
    control.call("DELETE", path)
    control.call("DELETE", f"/dynamics_fo/journals/{copy}/lines/1")
    with pytest.raises(requests.HTTPError, match="404"):
        control.call("POST", f"{path}/post")
    for setting, body in (
        ("journal-names/OTHER", {"layer": "Tax"}),
        ("account-rules/60210", {"side": "Debit"}),
        ("value-rules/Department/SALES", {"manual": False}),
        (f"period-status/{KEY}/OnHold", {}),
    ):
        control.call("PUT", f"/dynamics_fo/{setting}", body)
    control.call("DELETE", "/dynamics_fo/journal-names/OTHER")
    control.call("DELETE", "/dynamics_fo/posting-rules")


def test_the_customers_service_posts_where_there_is_one_and_every_call_is_counted(sandbox, journals):
    desk = FoDesk(sandbox)
    header = entered(journals)
    environment = environment_of(sandbox.world)
    token = desk.api().session._tokens.headers()
    url = f"{sandbox.info['dynamics_fo']['base_url']}/api/services/Plan/PlanService/post"
    body = {"dataAreaId": "lark", "journalBatchNumber": header.number}
    assert requests.post(url, json=body, headers=token, timeout=5).status_code == 404
    before = journals.post_calls
    environment.switches = Switches(posting_service="Plan/PlanService/post")
    assert requests.post(url, json=body, timeout=5).status_code == 401
    assert requests.post(url, json=body, headers=token, timeout=5).json() == header.number
    assert requests.post(url, json=body, headers=token, timeout=5).status_code == 500
    assert (header.posted, journals.post_calls - before) == (True, 2)
    environment.switches = Switches()
    desk.close()
