# SPDX-License-Identifier: Apache-2.0
"""What a server does to a reader: it either reads all in the end, or says what is wrong; it never misses or doubles."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    ServerError,
    TransportError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import Fault as SoapFault
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.systems.port import Scope
from tests.unit.systems.dynamics_gp.conftest import PERIOD, Server

HTML = {"Content-Type": "text/html"}
XML = {"Content-Type": "text/xml; charset=utf-8"}
SYSTEM_FAULT = SoapFault("An unexpected error occurred. Contact your administrator.").body()
AMID = {"skip": 8}
"""The fault strikes in the middle of the transactions, after the lists."""


def expected(server: Server) -> Counter[tuple[str, str]]:
    lines = server.books.lines(PERIOD.key)
    return Counter((line.account, f"{line.debit - line.credit:f}") for line in lines)


def read(server: Server) -> Counter[tuple[str, str]]:
    rows, _ = server.read(Dataset.JOURNAL_LINES)
    assert len({row["record_id"] for row in rows}) == len(rows)
    return Counter((row["account"], f"{row['amount']:.2f}") for row in rows)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": FaultKind.STATUS, "status": 503, "headers": HTML, "body": "<h1>Service Unavailable</h1>", "times": 3},
        {"kind": FaultKind.STATUS, "status": 429, "headers": {"Retry-After": "2"}, "times": 2},
        {"kind": FaultKind.STATUS, "status": 500, "headers": XML, "body": SYSTEM_FAULT, "times": 2},
        {"kind": FaultKind.STATUS, "status": 502, "headers": HTML, "body": "<h1>Bad Gateway</h1>"},
        {"kind": FaultKind.RESET, "times": 2},
        {"kind": FaultKind.LOST_ANSWER},
        {"kind": FaultKind.TRUNCATE, "times": 2},
        {"kind": FaultKind.HANG, "seconds": 3},
        {"kind": FaultKind.SLOW, "seconds": 0.2},
    ],
    ids=["503", "429", "500 of the service", "502", "reset", "lost answer", "half an answer", "silence", "slow"],
)
def test_a_passing_fault_is_sat_out_and_nothing_is_missing_or_doubled(server, fault):
    fault_id = server.strike(**AMID | fault)
    assert read(server) == expected(server)
    assert server.sandbox.world.faults.hits(fault_id) == fault.get("times", 1)
    assert not server.site.domain.failures


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        ({"status": 400}, BadRequestError, "400"),
        ({"status": 403}, PermissionDeniedError, "403"),
        ({"status": 404}, NotFoundError, "404"),
        ({"status": 409}, ConflictError, "409"),
        ({"status": 412}, ConflictError, "412"),
        ({"status": 422}, BadRequestError, "422"),
        ({"status": 500, "headers": XML, "body": SYSTEM_FAULT, "times": None}, ServerError, "exception log"),
        ({"status": 503, "times": None}, ServerError, "503"),
        ({"status": 500, "headers": XML, "body": SoapFault("Access is denied.").body()}, PermissionDeniedError, "role"),
        ({"status": 200, "headers": XML, "body": "<html>a proxy's page</html>"}, ProtocolError, "legacy endpoint"),
    ],
    ids=["400", "403", "404", "409", "412", "422", "500", "503", "access denied", "a page of HTML"],
)
def test_a_lasting_fault_is_an_error_that_says_what_to_do(server, fault, error, told):
    server.strike(FaultKind.STATUS, **AMID | fault)
    with pytest.raises(error) as raised:
        read(server)
    assert told in str(raised.value)


def test_a_wrong_password_is_one_failed_logon(server):
    with pytest.raises(AuthenticationError, match="svc-planning"):
        server.read(Dataset.JOURNAL_LINES, password="wrong")
    assert sum(server.site.domain.failures.values()) == 1


def test_an_account_that_loses_its_logon_amid_a_read_ends_it(server):
    server.strike(FaultKind.STATUS, status=401, headers={"WWW-Authenticate": "Basic realm=x"}, **AMID)
    with pytest.raises(AuthenticationError, match="offers Basic"):
        read(server)


def test_a_connection_that_is_dropped_amid_a_read_is_logged_in_anew(server):
    server.strike(FaultKind.RESET, skip=8)
    assert read(server) == expected(server)
    assert sum(server.site.domain.logons.values()) == 2
    assert not server.site.domain.failures


def test_an_account_without_a_role_is_told_where_roles_are_given(server):
    server.site.switches.permitted = False
    with pytest.raises(PermissionDeniedError, match="Security Console"):
        server.open().ping()


def test_a_server_that_is_down_for_long_is_an_error_that_can_be_tried_again(server):
    server.strike(FaultKind.RESET, times=None)
    with pytest.raises(TransportError) as raised:
        read(server)
    assert raised.value.retryable


def test_a_transaction_that_changes_between_list_and_key_is_read_as_it_is_then(server):
    erp = server.open()
    reading = erp.read(Dataset.JOURNAL_LINES, Scope(PERIOD))
    line = next(line for line in server.books.lines(PERIOD.key) if line.department)
    ask, changed = erp._api.soap.call, []

    def ask_after_a_change(operation, *asked, **more):
        if operation == "GetGLPostedTransactionByKey" and not changed:
            changed.append(server.books.change_line(line.entry_number, description="changed meanwhile"))
        return ask(operation, *asked, **more)

    erp._api.soap.call = ask_after_a_change
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert [row["modified_at"] for row in rows if row["description"] == "changed meanwhile"] == [changed[0].modified_at]
    assert reading.cursor == changed[0].modified_at


def test_every_error_is_one_of_ours(server):
    for path in ("/GPService/", "asmx"):
        server.strike(FaultKind.STATUS, path=path, status=418, times=None)
    for dataset in (Dataset.ACCOUNTS, Dataset.VENDORS, Dataset.EMPLOYEES, Dataset.AP_INVOICES):
        with pytest.raises(MlconnectorError):
            server.read(dataset)
