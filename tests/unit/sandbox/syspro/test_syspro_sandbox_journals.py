# SPDX-License-Identifier: Apache-2.0
"""General journals in the sandbox's SYSPRO, by plain requests: checked, posted whole or not at all, and permanent."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest
import requests

from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.sandbox.syspro import site_of
from tests.sandbox_control import SandboxControl

PERIOD = "FY2027-P05"


def document(*lines: tuple[str, str], period: str = "5", day: str = "2026-11-30", **more: str) -> str:
    texts = {"Reference": "OURS-1", "Comment": "Rent", **more}
    rows = "".join(
        f"<JournalLine><GlCode>{code}</GlCode><EntryValue>{value}</EntryValue><Reference>{texts['Reference']}</Reference>"
        f"<Comment>{texts['Comment']}</Comment></JournalLine>"
        for code, value in lines or (("60210.ADM", "12.34"), ("20400.000", "-12.34"))
    )
    head = f"<JournalDate>{day}</JournalDate><GlYear>2027</GlYear><GlPeriod>{period}</GlPeriod>"
    return f'<?xml version="1.0" encoding="Windows-1252"?><PostGlJournal><Item>{head}{rows}</Item></PostGlJournal>'


class Desk:
    def __init__(self, sandbox):
        self.info = sandbox.info["syspro"]
        self.world = sandbox.world
        self.site = site_of(sandbox.world)
        self.control = SandboxControl({"url": sandbox.url, **sandbox.info})

    def call(self, path, **params):
        answer = requests.get(f"{self.info['enet_url']}/{path}", params=params, timeout=10)
        assert answer.status_code == 200
        return answer.content.decode("cp1252")

    def log_on(self):
        told = {"Operator": self.info["login"], "OperatorPassword": self.info["password"], "CompanyId": "L"}
        return self.call("Logon", **told, CompanyPassword=self.info["company_password"])

    def send(self, text, *, only="N", business_object="GENTJL", session=None):
        parameters = f"<PostGlJournal><Parameters><ValidateOnly>{only}</ValidateOnly></Parameters></PostGlJournal>"
        return self.call(
            "Transaction/Post",
            UserId=session or self.log_on(),
            BusinessObject=business_object,
            XmlParameters=parameters,
            XmlIn=text.encode("cp1252"),
        )

    def told(self):
        return self.control.call("GET", "/syspro/journals")

    def posted(self):
        found = [line for line in self.control.lines(PERIOD) if line["document"] == "OURS-1"]
        return [(line["account"], line["department"], Decimal(line["amount"]), line["description"]) for line in found]


@pytest.fixture(scope="module")
def running():
    with serve(["syspro"], scale=0.05) as sandbox:
        yield Desk(sandbox)


@pytest.fixture
def desk(running):
    yield running
    running.site.sessions.clear()


def errors(text):
    root = ElementTree.fromstring(text.partition("?>")[2])
    assert root.tag == "postgljournal"
    return {
        (one.tag, one.findtext("Value")): one.findtext("ErrorDescription")
        for one in root.iter()
        if one.find("ErrorNumber") is not None
    }


def test_a_check_alone_posts_nothing_and_a_posting_tells_its_journal(desk):
    before = desk.told()
    assert errors(desk.send(document(), only="Y")) == {}
    assert desk.posted() == []
    answer = desk.send(document(Comment="Miete März"))
    assert "<GlJournal>" in answer
    assert "<ItemsProcessed>000001</ItemsProcessed>" in answer
    assert desk.posted() == [
        ("60210", "ADM", Decimal("12.34"), "Miete März"),
        ("20400", "", Decimal("-12.34"), "Miete März"),
    ]
    after = desk.told()
    assert (after["validations"] - before["validations"], after["post_calls"] - before["post_calls"]) == (1, 1)


def test_all_that_is_wrong_is_told_in_an_answer_of_200_and_nothing_is_posted(desk):
    wrong = document(("99999.ADM", "1"), ("60990.ADM", "0"), ("60210.ADM", "5"), period="1", Comment="x" * 51)
    before = len(desk.posted())
    found = errors(desk.send(wrong))
    assert found["glcode", "99999.ADM"] == "GL code '99999.ADM' not found"
    assert found["glperiod", "1"] == "GL period 1 of 2027 is closed"
    assert found["entryvalue", "6"] == "Journal is out of balance"
    assert found["entryvalue", "0"] == "Invalid journal value"
    assert found["comment", "x" * 51] == "Comment exceeds 50 characters"
    assert len(desk.posted()) == before


def test_what_cannot_be_read_and_what_is_not_logged_on_is_a_text(desk):
    assert desk.send("<PostGlJournal>").startswith("ERROR: Invalid XML")
    assert desk.send("<Other/>").startswith("ERROR: Invalid root element")
    assert desk.send(document(), business_object="GENXXX").startswith("ERROR: Business object 'GENXXX'")
    assert desk.send(document(), session="A" * 34 + "  ").startswith("ERROR: Unable to read")


def test_a_line_may_say_its_side_beside_a_positive_amount(desk):
    line = "<JournalLine><LedgerCode>{}</LedgerCode><Amount>{}</Amount><DebitCredit>{}</DebitCredit></JournalLine>"
    lines = line.format("60210.ADM", "7", "D") + line.format("20400", "7", "C")
    text = document().partition("<JournalLine>")[0] + lines + "</Item></PostGlJournal>"
    assert errors(desk.send(text, only="Y")) == {}


def test_a_person_posts_a_file_as_the_service_would(desk):
    before = desk.told()
    text = document(("60210.SALES", "3"), ("20400.000", "-3"))
    numbers = desk.control.call("POST", "/syspro/journals/post", {"document": text})["journals"]
    assert len(numbers) == 1
    assert ("60210", "SALES", Decimal("3.00"), "Rent") in desk.posted()
    assert desk.told() == before
    rows = requests.get(
        f"{desk.info['odata_url']}/SysproCompanyL/GenJournalDetail",
        params={"$filter": "Reference eq 'OURS-1' and GlYear eq 2027", "$select": "GlCode,EntryValue"},
        auth=(desk.info["login"], desk.info["password"]),
        timeout=10,
    ).json()["value"]
    assert {row["GlCode"].strip() for row in rows} >= {"60210.SALES", "20400.000"}
