# SPDX-License-Identifier: Apache-2.0
"""``$batch``: many requests in one, answered one by one, and with a snapshot all carried out or none."""

import pytest

from airflow_provider_mlconnector.sandbox.business_central.journals import journals_of
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import DefaultDimension
from airflow_provider_mlconnector.sandbox.business_central.tenant import Switches
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.sandbox.business_central.conftest import Client

SNAPSHOT = {"Isolation": "snapshot"}
GOING_ON = {"Prefer": "odata.continue-on-error"}


class Sender:
    """Sends several requests in one."""

    def __init__(self, client) -> None:
        self.client = client
        self.journals = journals_of(client.world, client.books)
        self.batch = next(batch.id for batch in self.journals.batches if batch.code == "ANAPLAN")
        self.below = f"companies({client.info['company_id']})"

    def send(self, *operations, **headers):
        url = f"{self.client.root}/$batch"
        return self.client.session.post(url, json={"requests": operations}, headers=headers, timeout=10)

    def told(self, *operations, **headers):
        """Return the answers as id, status and what the body says."""
        answer = self.send(*operations, **headers)
        assert answer.status_code == 200, answer.text
        return [(one["id"], one["status"], said(one.get("body"))) for one in answer.json()["responses"]]

    def line(self, account="60210", **values):
        body = {"accountNumber": account, "amount": 1250.5, "documentNumber": "PLAN1"} | values
        return {"method": "POST", "url": f"{self.below}/journals({self.batch})/journalLines", "body": body}

    def lines(self):
        return [(line.number, line.account, str(line.amount), dict(line.dimensions)) for line in self.journals.lines]


def said(body):
    """Return an error's code, or the value of a record that tells it from others."""
    if not isinstance(body, dict):
        return body
    return body["error"]["code"] if "error" in body else body.get("lineNumber") or body.get("code")


def numbered(*operations):
    return [operation | {"id": f"r{place}"} for place, operation in enumerate(operations, start=1)]


@pytest.fixture(scope="module")
def shared():
    with serve(["business_central"], scale=0.05) as sandbox:
        yield Sender(Client(sandbox))


@pytest.fixture
def sender(shared):
    shared.client.world.faults.clear()
    shared.client.tenant.switches = Switches()
    shared.journals.lines.clear()
    shared.journals.rules.clear()
    return shared


BLOCKED = "60800"
REFUSED = "Application_FieldValidationException"


def test_requests_are_carried_out_in_their_order_and_answered_by_their_ids(sender):
    told = sender.told(*numbered(sender.line(), sender.line("60220", amount=-0.01)))
    assert told == [("r1", 201, 10000), ("r2", 201, 20000)]
    assert sender.lines() == [(10000, "60210", "1250.50", {}), (20000, "60220", "-0.01", {})]


def test_without_ids_the_answers_have_none(sender):
    assert [one[0] for one in sender.told(sender.line(), sender.line())] == [None, None]


@pytest.mark.parametrize("headers", [{}, SNAPSHOT], ids=["", "snapshot"])
def test_the_first_that_fails_is_the_last_that_is_carried_out(sender, headers):
    told = sender.told(*numbered(sender.line(), sender.line(BLOCKED), sender.line()), **headers)
    assert told == [("r1", 201, 10000), ("r2", 400, REFUSED)]
    assert len(sender.lines()) == (0 if headers else 1)


def test_who_prefers_to_continue_is_told_all(sender):
    told = sender.told(*numbered(sender.line(), sender.line(BLOCKED), sender.line()), **GOING_ON)
    assert [one[1] for one in told] == [201, 400, 201]
    assert len(sender.lines()) == 2


def test_a_snapshot_leaves_nothing_of_what_was_carried_out_after_a_failure_either(sender):
    told = sender.told(*numbered(sender.line(), sender.line(BLOCKED), sender.line()), **SNAPSHOT, **GOING_ON)
    assert [one[1] for one in told] == [201, 400, 201]
    assert sender.lines() == []


def test_a_snapshot_takes_back_changes_dimensions_and_removals(sender):
    sender.journals.rules.put_default(DefaultDimension("60210", "DEPARTMENT", "ADM"))
    sender.told(sender.line(), sender.line("60220"))
    first, second = (line.id for line in sender.journals.lines)
    before = sender.lines()
    any_version = {"If-Match": "*"}
    changes = [
        {"method": "PATCH", "url": f"journalLines({first})", "headers": any_version, "body": {"amount": 7}},
        {
            "method": "POST",
            "url": f"journalLines({first})/dimensionSetLines",
            "body": {"code": "PROJECT", "valueCode": "P100"},
        },
        {"method": "DELETE", "url": f"journalLines({second})", "headers": any_version},
    ]
    changes = [one | {"url": f"{sender.below}/{one['url']}"} for one in changes]
    told = sender.told(*changes, changes[-1], **SNAPSHOT)
    assert [one[1] for one in told] == [200, 201, 204, 404]
    assert sender.lines() == before
    assert [one[1] for one in sender.told(*changes, **SNAPSHOT)] == [200, 201, 204]
    assert sender.lines() == [(10000, "60210", "7.00", {"DEPARTMENT": "ADM", "PROJECT": "P100"})]


def test_a_server_that_does_not_keep_to_snapshots_leaves_what_came_first(sender):
    sender.client.tenant.switches.isolation = False
    told = sender.told(sender.line(), sender.line(BLOCKED), **SNAPSHOT)
    assert [one[1] for one in told] == [201, 400]
    assert len(sender.lines()) == 1


def test_what_was_posted_in_a_batch_stays_posted(sender):
    both = sender.line(postingDate="2026-11-03"), sender.line("20400", amount=-1250.5, postingDate="2026-11-03")
    post = {"method": "POST", "url": f"{sender.below}/journals({sender.batch})/Microsoft.NAV.post"}
    sender.told(*both)
    assert [one[1] for one in sender.told(post, sender.line(), sender.line(BLOCKED), **SNAPSHOT)] == [204, 201, 400]
    assert sender.lines() == []
    posted = sender.client.rows("generalLedgerEntries?$filter=documentNumber eq 'PLAN1'")
    assert [row["accountNumber"] for row in posted] == ["60210", "20400"]


def test_reads_have_their_options_and_the_company_may_stand_in_query_or_header(sender):
    id_ = sender.client.info["company_id"]
    told = sender.send(
        {"method": "GET", "url": f"accounts?company={id_}&$filter=number eq '60210'&$select=number"},
        {"method": "GET", "url": "accounts?$top=1&$select=number", "headers": {"CompanyId": id_}},
        {"method": "GET", "url": "accounts/$count", "headers": {"Company": sender.client.books.name}},
    ).json()["responses"]
    assert [one["status"] for one in told] == [200] * 3
    assert [row["number"] for row in told[0]["body"]["value"]] == ["60210"]
    assert len(told[1]["body"]["value"]) == 1
    assert int(told[2]["body"]) == len(sender.client.rows("accounts"))


@pytest.mark.parametrize(
    ("operation", "refusal"),
    [
        ({"method": "GET", "url": "accounts"}, (400, "BadRequest_RequiredParamNotProvided")),
        ({"method": "GET", "url": "companies(none)/accounts"}, (404, "Internal_CompanyNotFound")),
        ({"method": "POST", "url": "$batch", "body": {"requests": []}}, (400, "BadRequest_InvalidRequestUrl")),
    ],
    ids=["no company", "unknown company", "a batch"],
)
def test_a_request_within_is_refused_as_it_is_alone(sender, operation, refusal):
    assert sender.told(operation) == [(None, *refusal)]


def test_a_hundred_requests_are_the_most(sender):
    read = {"method": "GET", "url": "companies?$top=1"}
    assert len(sender.told(*[read] * 100)) == 100
    assert sender.send(*[read] * 101).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b'{"requests": [{"url": "companies"}]}'])
def test_what_is_no_batch_is_refused(sender, body):
    answer = sender.client.session.post(f"{sender.client.root}/$batch", data=body, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_a_batch_needs_a_token_and_is_struck_by_faults_as_any_request(sender):
    url = f"{sender.client.root}/$batch"
    assert sender.client.session.post(url, json={"requests": []}, headers={"Authorization": ""}).status_code == 401
    sender.client.world.faults.add(Fault(FaultKind.LATE, "business_central", "POST", r"/\$batch$", seconds=30))
    with pytest.raises(OSError, match="Connection"):
        sender.send(sender.line(), sender.line())
    assert sender.lines() == []
    sender.client.world.clock.advance(31)
    sender.client.rows("accounts?$top=1")
    assert len(sender.lines()) == 2
