# SPDX-License-Identifier: Apache-2.0
"""What a server does to a reader: it either reads all in the end, or says what is wrong; it never misses or doubles."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DataError,
    MlconnectorError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import Fault as SoapFault
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.systems.port import Scope
from tests.unit.systems.dynamics_gp.conftest import PERIOD, Server

XML = {"Content-Type": "text/xml; charset=utf-8"}
SBA = "/GPService/"
AMID = {"skip": 8}
"""The fault strikes in the middle of the transactions, after the lists."""


def expected(server: Server) -> Counter[tuple[str, str]]:
    lines = server.books.lines(PERIOD.key)
    return Counter((line.account, f"{line.debit - line.credit:f}") for line in lines)


def read(server: Server) -> Counter[tuple[str, str]]:
    rows, _ = server.read(Dataset.JOURNAL_LINES)
    assert len({row["record_id"] for row in rows}) == len(rows)
    return Counter((row["account"], f"{row['amount']:.2f}") for row in rows)


def test_silence_is_sat_out_and_nothing_is_missing_or_doubled(server):
    fault_id = server.strike(FaultKind.HANG, seconds=3, **AMID)
    assert read(server) == expected(server)
    assert server.sandbox.world.faults.hits(fault_id) == 1
    assert not server.site.domain.failures


def test_a_refused_request_is_told_by_the_sentences_that_the_service_logged(server):
    fault = SoapFault("A validation exception has occurred.", errors=["The batch is in use.", "Try later."])
    server.site.logged[fault.log_id] = fault
    server.strike(FaultKind.STATUS, status=500, headers=XML, body=fault.body(), **AMID)
    with pytest.raises(BadRequestError, match=r"was refused: The batch is in use\. Try later\.") as raised:
        read(server)
    assert raised.value.request_id == fault.log_id


def test_a_refused_request_whose_log_cannot_be_read_is_still_told(server):
    fault = SoapFault("A validation exception has occurred.", errors=["never logged"])
    server.strike(FaultKind.STATUS, status=500, headers=XML, body=fault.body(), **AMID)
    with pytest.raises(BadRequestError, match="A validation exception has occurred"):
        read(server)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequestError),
        (403, PermissionDeniedError),
        (409, ConflictError),
        (412, ConflictError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_what_sba_refuses_is_an_error_and_not_asked_of_the_web_services(server, status, error):
    server.strike(FaultKind.STATUS, SBA, status=status, body={"Message": "GP security"}, times=None)
    with pytest.raises(error, match=r"GP security|fewer requests"):
        server.read(Dataset.VENDORS)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_bad_moment_of_sba_is_outlived(server, status):
    server.strike(FaultKind.STATUS, SBA, status=status, headers={"Retry-After": "2"}, times=2)
    rows, reading = server.read(Dataset.VENDORS)
    assert [row["number"] for row in rows] == [vendor.number for vendor in server.books.vendors]
    assert not reading.findings


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"Payload": [{"VendorId": "V1", "Vendor', "no JSON"),
        ("<html>Sign in</html>", "no JSON"),
        ('{"Payload": "none"}', "shows no rows"),
        ("[1, 2]", "shows no rows"),
        ('{"Status": {"Code": 500, "Message": "No Dexterity process"}, "Payload": null}', "shows no rows"),
    ],
    ids=["half a list", "a page of HTML", "an envelope of text", "a list of numbers", "an error in a 200"],
)
def test_what_shows_no_rows_is_an_error_and_not_an_empty_list(server, body, told):
    server.strike(FaultKind.STATUS, SBA, status=200, headers={"Content-Type": "application/json"}, body=body)
    with pytest.raises(DataError, match=told):
        server.read(Dataset.VENDORS)


@pytest.mark.parametrize("body", ["[]", "{}", '{"Payload": null}', '{"Status": {"Code": 200}, "Payload": []}'])
def test_a_list_without_rows_is_empty_in_whatever_envelope(server, body):
    server.strike(FaultKind.STATUS, SBA, status=200, headers={"Content-Type": "application/json"}, body=body)
    assert server.read(Dataset.VENDORS)[0] == []


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
    ask, changed = erp._api.soap.read, []

    def ask_after_a_change(question, reader):
        if question.operation == "GetGLPostedTransactionByKey" and not changed:
            changed.append(server.books.change_line(line.entry_number, description="changed meanwhile"))
        return ask(question, reader)

    erp._api.soap.read = ask_after_a_change
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert [row["modified_at"] for row in rows if row["description"] == "changed meanwhile"] == [changed[0].modified_at]
    assert reading.cursor == changed[0].modified_at


def test_every_error_is_one_of_ours(server):
    for path in ("/GPService/", "asmx"):
        server.strike(FaultKind.STATUS, path=path, status=418, times=None)
    for dataset in (Dataset.ACCOUNTS, Dataset.VENDORS, Dataset.EMPLOYEES, Dataset.AP_INVOICES):
        with pytest.raises(MlconnectorError):
            server.read(dataset)
