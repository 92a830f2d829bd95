# SPDX-License-Identifier: Apache-2.0
"""Endpoint, version and contract are those of the connection, or it is an error; nothing is misread."""

from __future__ import annotations

from contextlib import closing

import pytest

from airflow_provider_mlconnector.errors import (
    CapabilityError,
    ConfigurationError,
    DataError,
    PermissionDeniedError,
    ProtocolError,
    SchemaDriftError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.company import parse_post_period
from airflow_provider_mlconnector.systems.acumatica.connection import AcumaticaConnection, CookieLogin
from airflow_provider_mlconnector.systems.acumatica.entities import JOURNALS
from airflow_provider_mlconnector.systems.acumatica.erp import Acumatica
from airflow_provider_mlconnector.systems.acumatica.subaccounts import parse_segments
from airflow_provider_mlconnector.systems.port import PeriodStatus, Scope
from tests.unit.systems.acumatica.conftest import rows_of
from tests.unit.systems.http.scripted_server import Reply, as_json, quick, serving

VENDORS = "/entity/Default/25.200.001/Vendor"


def test_a_version_that_the_site_does_not_serve_is_an_error_that_lists_those_that_it_does(opened):
    with pytest.raises(UnknownNameError, match=r"no endpoint Default/21\.200\.001.*Default/24\.200\.001") as caught:
        opened(version="21.200.001").ping()
    assert "Default/25.200.001" in caught.value.candidates


def test_a_release_that_dropped_the_version_is_noticed_before_anything_is_read(control, opened):
    control.turn(versions=["24.200.001"])
    with pytest.raises(UnknownNameError, match=r"Default/24\.200\.001"):
        rows_of(opened(), Dataset.VENDORS)


def test_the_newest_version_is_never_taken_by_itself(control, opened):
    control.turn(versions=["25.200.001", "26.200.001"])
    assert rows_of(opened(), Dataset.VENDORS)[0]
    with pytest.raises(CapabilityError, match="speaks contract 5"):
        rows_of(opened(version="26.200.001"), Dataset.VENDORS)


def test_a_connection_that_works_is_told_in_one_sentence(opened):
    health = opened().ping()
    assert health.ok
    assert health.server_time
    assert health.sentence == (
        "Logged in to tenant Larkfield; Default/25.200.001 is served; ledger ACTUAL in GBP, branch LARKFIELD found."
    )


def test_a_branch_and_a_ledger_that_are_not_there_are_named_with_those_that_are(opened):
    with pytest.raises(UnknownNameError, match=r"LARKFIELD|ACTUAL \(Actual\)"):
        opened(branch="NOWHERE").ping()
    with pytest.raises(UnknownNameError, match=r"No ledger 'OLD'.*TAX \(Reporting\)"):
        opened(ledger="OLD").ping()
    with pytest.raises(UnknownNameError, match="No branch 'NOWHERE'"):
        opened(branch="NOWHERE", ledger="ACTUAL").ping()


def test_a_feature_that_is_off_is_a_missing_permission_with_what_to_do(control, opened):
    control.turn(subaccounts=False)
    with pytest.raises(PermissionDeniedError, match="feature is on"):
        rows_of(opened(), Dataset.COST_CENTRES, Scope(dimensions=("DEPARTMENT",)))


def test_unknown_dimensions_are_refused_with_those_that_there_are(opened, sandbox):
    period = sandbox.world.books.period("FY2027-P04")
    with pytest.raises(CapabilityError, match="no dimension COLOUR; they have SUBACCOUNT, DEPARTMENT, LOCATION"):
        rows_of(opened(), Dataset.JOURNAL_LINES, Scope(period, None, ("COLOUR",)))
    with pytest.raises(CapabilityError, match="name SUBACCOUNT or DEPARTMENT"):
        rows_of(opened(), Dataset.COST_CENTRES, Scope(dimensions=("PROJECT",)))


def test_lines_tell_their_subaccount_whole_and_by_segment_and_their_branch_and_project(opened, sandbox):
    period = sandbox.world.books.period("FY2027-P04")
    dimensions = ("SUBACCOUNT", "DEPARTMENT", "LOCATION", "BRANCH", "PROJECT")
    rows, _ = rows_of(opened(), Dataset.JOURNAL_LINES, Scope(period, None, dimensions))
    told = {tuple(row[f"dimension.{name}"] for name in dimensions) for row in rows}
    assert ("ADM     00", "ADM", "00", "LARKFIELD", "X") in told
    assert ("0000000000", "00000000", "00", "LARKFIELD", "X") in told


def test_inventory_is_refused_with_the_sentence_that_the_flow_gets_at_parse_time(opened):
    with pytest.raises(CapabilityError, match="Acumatica cannot be read for inventory; it has accounts"):
        opened().read(Dataset.INVENTORY, Scope())


def test_a_calendar_that_differs_from_the_master_calendar_is_refused(opened, sandbox):
    right = sandbox.world.books.period("FY2027-P04")
    wrong = Period(right.year, right.number, right.start, right.end.replace(day=30))
    with pytest.raises(ConfigurationError, match="2026-10-01 to 2026-10-31 as 04-2027"):
        opened().period_totals(wrong)
    with pytest.raises(ConfigurationError, match="has nothing as 04-2031"):
        opened().period_totals(Period(2031, 4, right.start, right.end))


def test_periods_are_open_or_closed_as_the_master_calendar_says(opened, sandbox):
    erp, books = opened(), sandbox.world.books
    assert erp.period_status(books.period("FY2026-P01")) is PeriodStatus.CLOSED
    assert erp.period_status(books.period("FY2027-P05")) is PeriodStatus.OPEN


@pytest.mark.parametrize(
    ("text", "wanted"), [("052027", (2027, 5)), ("05-2027", (2027, 5)), ("202705", (2027, 5)), ("132026", (2026, 13))]
)
def test_a_period_is_read_in_each_way_that_it_is_written(text, wanted):
    assert parse_post_period(text) == wanted


def test_what_is_no_period_is_an_error():
    with pytest.raises(DataError, match="no financial period"):
        parse_post_period("May 27")


def test_segments_are_named_once_and_with_their_lengths():
    segments = parse_segments("department 3, REGION:2")
    assert segments.names == ("SUBACCOUNT", "DEPARTMENT", "REGION")
    assert [segments.value(name, "AB 01") for name in segments.names] == ["AB 01", "AB", "01"]
    for wrong in ("DEPARTMENT", "DEPARTMENT 3, DEPARTMENT 2", "SUBACCOUNT 4", "A 0"):
        with pytest.raises(ConfigurationError, match="no segment"):
            parse_segments(wrong)


# answers that the sandbox does not give


class Site:
    """A site that answers as it is told, in front of which nobody has to log in twice."""

    def __init__(self, answers):
        self._answers = answers

    def __call__(self, request):
        if request.path.endswith("/auth/login"):
            return Reply(204, headers={"Set-Cookie": "ASP.NET_SessionId=one; path=/"})
        if request.path.endswith("/auth/logout"):
            return Reply(204)
        return self._answers.get(request.path, as_json({"message": "not here"}, 404))


ENDPOINTS = as_json({"endpoints": [{"name": "Default", "version": "25.200.001", "href": "/x"}]})


def vendors_of(answers, **options):
    with serving(Site(answers)) as server:
        connection = AcumaticaConnection(base_url=server.url, login=CookieLogin("ada", "x"), **options)
        with closing(Acumatica(connection, quick())) as erp:
            return rows_of(erp, Dataset.VENDORS)[0]


def test_an_old_build_lists_its_endpoints_without_a_frame():
    old = as_json([{"name": "Default", "version": "25.200.001", "href": "/x"}])
    assert vendors_of({"/entity": old, VENDORS: as_json([])}) == []


@pytest.mark.parametrize("contract", [4, 5])
def test_the_contract_of_a_custom_endpoint_is_read_from_its_schema(contract):
    listed = as_json({"endpoints": [{"name": "Own", "version": "1", "href": "/x"}]})
    answers = {
        "/entity": listed,
        "/entity/Own/1/swagger.json": as_json({"info": {"version": str(contract)}}),
        "/entity/Own/1/Vendor": as_json([]),
    }
    if contract == 4:
        assert vendors_of(answers, endpoint="Own", version="1") == []
    else:
        with pytest.raises(CapabilityError, match="Own/1 speaks contract 5"):
            vendors_of(answers, endpoint="Own", version="1")


@pytest.mark.parametrize(
    "status", [{"value": {"ID": "A", "Description": "Active"}}, "Active", 7], ids=["contract 5", "plain", "number"]
)
def test_a_field_that_is_not_wrapped_as_contract_4_has_it_is_drift_and_never_misread(status):
    row = {"id": "1", "VendorID": {"value": "V1"}, "VendorName": {"value": "One"}, "Status": status}
    with pytest.raises(SchemaDriftError, match=r"Vendor is not as contract 4 has it: .*Status"):
        vendors_of({"/entity": ENDPOINTS, VENDORS: as_json([row])})


def test_a_needed_field_that_is_gone_is_drift():
    with pytest.raises(SchemaDriftError, match="VendorName"):
        vendors_of({"/entity": ENDPOINTS, VENDORS: as_json([{"id": "1", "VendorID": {"value": "V1"}}])})


def test_an_answer_that_stays_broken_is_an_error_after_some_tries():
    with pytest.raises(ProtocolError, match="Vendor is broken"):
        vendors_of({"/entity": ENDPOINTS, VENDORS: Reply(200, b'[{"id": "1", "VendorID": {"va')})


def test_a_login_page_in_place_of_an_answer_is_an_error():
    with pytest.raises(ProtocolError, match="Vendor is broken"):
        vendors_of({"/entity": ENDPOINTS, VENDORS: Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})})


def test_just_the_fields_that_are_read_are_asked_for():
    assert {"Details/Account", "Details/DebitAmount", "PostPeriod"} <= set(JOURNALS.selected())
    assert "id" not in JOURNALS.selected()
    assert not JOURNALS.is_optional("Details/Account")
    assert JOURNALS.is_optional("Details/Project")
    assert not JOURNALS.is_optional("Details")


def test_only_the_lines_of_the_branch_are_read_and_all_of_them_where_none_is_named(opened, sandbox):
    scope = Scope(sandbox.world.books.period("FY2027-P04"))
    ours, _ = rows_of(opened(), Dataset.JOURNAL_LINES, scope)
    every, _ = rows_of(opened(branch=""), Dataset.JOURNAL_LINES, scope)
    theirs, _ = rows_of(opened(branch="OTHER", ledger="ACTUAL"), Dataset.JOURNAL_LINES, scope)
    assert (len(every), theirs) == (len(ours), [])
