# SPDX-License-Identifier: Apache-2.0
"""Posted transactions out of the XML of answers, and which of them are no actuals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.sandbox.books import NewLine
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import DraftEntry
from airflow_provider_mlconnector.sandbox.dynamics_gp.resources import JOURNAL_LINES
from airflow_provider_mlconnector.systems.dynamics_gp.soap import SoapService
from airflow_provider_mlconnector.systems.dynamics_gp.transactions import BY_KEY, list_posted, posted_by_key
from airflow_provider_mlconnector.systems.port import FindingKind, Scope
from tests.unit.systems.dynamics_gp.conftest import PERIOD, Server

SPACES = (
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://schemas.microsoft.com/dynamics/gp/2006/01" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
KEY = (
    "<JournalId>7</JournalId><Date>2026-10-31T00:00:00</Date>"
    "<RecurringTransactionSequence>2</RecurringTransactionSequence><FiscalYear>2027</FiscalYear>"
)
HEAD = f'<Key xsi:type="GLTransactionPostedKey">{KEY}</Key><ModifiedDate>2026-11-01T08:00:00.497</ModifiedDate>'
DEBIT = '<DebitAmount xsi:type="MoneyAmount"><Value>12.50</Value><DecimalDigits>2</DecimalDigits></DebitAmount>'
LINE_KEY = "<Key><SequenceNumber>500</SequenceNumber></Key>"
ACCOUNT = "<GLAccountKey><Id> 60310-100 </Id><IsEncrypted>false</IsEncrypted></GLAccountKey>"
LINE = f'<GLTransactionLine>{LINE_KEY}<CreditAmount xsi:nil="true"/>{DEBIT}{ACCOUNT}</GLTransactionLine>'
NIL_LINE = '<GLTransactionLine xsi:nil="true"/>'


def answer(inner: str, operation: str = BY_KEY) -> bytes:
    body = f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    return f"<s:Envelope {SPACES}><s:Body>{body}</s:Body></s:Envelope>".encode()


class Answering:
    """The web services of one installation that answer everything with the same."""

    def __init__(self, content: bytes) -> None:
        http = SimpleNamespace(base_url="http://gp", request=lambda *_, **__: SimpleNamespace(content=content))
        self.soap = SoapService(http)
        self.context = self.soap.context(1)


def transaction(content: bytes):
    api = Answering(content)
    key = SimpleNamespace(journal=7, date=datetime(2026, 10, 31), sequence=2, year=2027)  # noqa: DTZ001 - as it comes
    return next(posted_by_key(api, [key]))


def test_a_transaction_is_read_with_its_lines():
    found = transaction(answer(f"{HEAD}<Lines>{LINE}{NIL_LINE}</Lines><Reference> Paper </Reference>"))
    (line,) = found.lines
    assert not found.voided
    assert (line.record_id, line.number, line.reference) == ("7/2027/2/500", "60310-100", "Paper")
    assert (line.debit, line.credit) == (Decimal("12.50"), Decimal(0))
    assert line.modified_at == datetime(2026, 11, 1, 8, 0, 0, 497_000, UTC)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(answer(f"{HEAD}<Lines>{LINE}</Lines>")[:-40], id="half an answer"),
        pytest.param(answer("").replace(b"Response", b"Answer"), id="another answer"),
        pytest.param(answer("").replace(f"<{BY_KEY}Result></{BY_KEY}Result>".encode(), b""), id="no transaction"),
        pytest.param(answer(""), id="an empty transaction"),
        pytest.param(answer(HEAD.replace(">2027<", "><") + f"<Lines>{LINE}</Lines>"), id="no fiscal year"),
        pytest.param(answer(f"{HEAD}<Lines>{LINE.replace(ACCOUNT, '')}</Lines>"), id="no account"),
        pytest.param(answer(f"{HEAD}<Lines>{LINE.replace('12.50', '')}</Lines>"), id="no value"),
        pytest.param(answer(f"{HEAD}<Lines>{LINE.replace('12.50', '12,50')}</Lines>"), id="no number"),
    ],
)
def test_what_is_no_transaction_is_an_error(content):
    with pytest.raises(ProtocolError, match=BY_KEY):
        transaction(content)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_list_has_its_rows_and_none_that_is_null(rows):
    summary = f"<GLTransactionSummary>{HEAD}</GLTransactionSummary>"
    null = '<GLTransactionSummary xsi:nil="true"/>'
    api = Answering(answer(summary * rows + null, "GetGLTransactionList"))
    assert [one.name for one in list_posted(api, None)] == ["7/2027/2"] * rows


@pytest.fixture
def voided(server: Server) -> Iterator[DraftEntry]:
    """Void an entry of the period before anybody posts it."""
    drafts = server.site.companies[0].drafts
    entry = drafts.save(
        PERIOD.end, "ACCRUALS", [NewLine("60310", Decimal("12.50"), "IT"), NewLine("20400", Decimal("-12.50"))]
    )
    drafts.void(entry.number)
    yield entry
    drafts.clear()


@pytest.mark.parametrize("resource", ["", JOURNAL_LINES])
def test_an_entry_that_was_voided_before_it_was_posted_is_told_and_left_out(server, voided, resource):
    server.site.switches.sba_resources = (JOURNAL_LINES,)
    rows, reading = server.read(Dataset.JOURNAL_LINES, gl_resource=resource)
    assert len(rows) == server.books.count(PERIOD.key)
    detail = f"12.50 of {PERIOD.end} was voided before it was posted, and left out"
    told = [(found.kind, found.subject, found.detail) for found in reading.findings]
    assert told == [(FindingKind.NOT_POSTED, f"journal {voided.number}", detail)]


def test_a_voided_entry_is_no_part_of_balances_that_are_summed(server, voided):
    with_it, _ = server.read(Dataset.ACCOUNT_BALANCES)
    server.site.companies[0].drafts.clear()
    assert server.read(Dataset.ACCOUNT_BALANCES)[0] == with_it


def test_a_posted_entry_that_was_reversed_is_read_with_its_reversal(server):
    entry, *_ = server.books.post_document(
        PERIOD.end, [NewLine("60310", Decimal("12.50"), "IT"), NewLine("20400", Decimal("-12.50"))]
    )
    server.books.reverse_document(entry)
    try:
        batches = server.open().read(Dataset.JOURNAL_LINES, Scope(PERIOD)).batches
        rows = [row for batch in batches for row in batch.to_pylist()]
    finally:
        server.books.roll_back(entry)
    amounts = [row["amount"] for row in rows if abs(row["amount"]) == Decimal("12.50")]
    assert sorted(amounts) == [Decimal("-12.50")] * 2 + [Decimal("12.50")] * 2
