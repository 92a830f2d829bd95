"""``make bench ERP=dynamics_gp``: journal lines of Dynamics GP read and staged, beside the least that they take.

The service lists transactions without lines, so both sides ask for each by its key, over one NTLM connection to one
bare server. The floor sends ready-made envelopes and adds up the amounts by a regular expression: no types, no checks,
no columns. Fails when the sums are not exact, or the read needs more than twice the floor's time.
"""

import argparse
import json
import logging
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from requests_ntlm import HttpNtlmAuth
from rich.console import Console

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.plan import ReadMode, ReadPlan
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import TYPE, answer
from airflow_provider_mlconnector.sandbox.windows import Challenge, Domain
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection
from airflow_provider_mlconnector.systems.dynamics_gp.erp import DynamicsGp
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail

PERIOD = MONTHS_FROM_JULY.period_of_key("FY2027-P04")
DAYS = PERIOD.end.day
ROWS = 200_000
LINES_OF_TWO = 5
"""A transaction has two lines, the next one three: about as many as those of real books."""
MOST = 2
"""Times the floor's time."""

USER, PASSWORD = "BENCH\\reader", "bench"
GP, BASE = "http://schemas.microsoft.com/dynamics/gp/2006/01", "http://schemas.microsoft.com/dynamics/2006/01"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CONTEXT = (
    f'<context><OrganizationKey xmlns="{BASE}" xsi:type="d:CompanyKey"><Id>1</Id></OrganizationKey>'
    f'<CurrencyType xmlns="{BASE}">Local</CurrencyType></context>'
)
NIL = "".join(f'<{name} xsi:nil="true"/>' for name in ("EqualValue", "NotEqualValue"))
NO_BOUNDS = '<GreaterThan xsi:nil="true"/><LessThan xsi:nil="true"/>'
KEY = re.compile(r"<Key xsi:type=\"tns:GLTransactionPostedKey\">(.*?)</Key>", re.DOTALL)
AMOUNT = re.compile(r"<DebitAmount [^>]*>.*?<Value>([^<]+)</Value>", re.DOTALL)

HEAD = {
    "Key": {
        TYPE: "GLTransactionPostedKey",
        **{"JournalId": "{journal}", "Date": f"{PERIOD.end:%Y-%m}-{{day:02d}}T00:00:00"},
        **{"RecurringTransactionSequence": 0, "FiscalYear": PERIOD.year},
    },
    "CurrencyKey": {"ISOCode": "GBP"},
    "ModifiedDate": "2026-11-02T08:12:33.497",
    "Reference": "SI{journal:07d}",
    "SourceDocumentKey": {"Id": "SJ"},
    "TransactionState": "Open",
    "LedgerType": "Base",
}


def line(place: int) -> dict[str, object]:
    """Return the pattern of a line: the first one is a debit, the others are credits."""

    def money(amount: str) -> dict[str, object]:
        return {TYPE: "MoneyAmount", "Currency": "GBP", "Value": amount, "DecimalDigits": 2}

    amounts = ("0.00", f"{{amounts[{place}]}}")
    return {
        "Key": {"TransactionKey": HEAD["Key"], "SequenceNumber": 500 * (place + 1)},
        "CreditAmount": money(amounts[place > 0]),
        "DebitAmount": money(amounts[place == 0]),
        "Description": "Goods, second delivery",
        "GLAccountKey": {"Id": f"{40100 + 100 * place}-{{department}}", "IsEncrypted": False},
    }


POSTED = "GetGLPostedTransactionByKey"


def transaction(count: int) -> str:
    """Return the pattern of the answer with a transaction of so many lines."""
    return answer(POSTED, {**HEAD, "Lines": [line(place) for place in range(count)], "IsVoided": False})


WHOLE = {count: transaction(count) for count in (2, 3)}
LIST_HEAD, SUMMARY, LIST_TAIL = re.split(
    r"(<GLTransactionSummary>.*</GLTransactionSummary>)", answer("GetGLTransactionList", [HEAD])
)
FORMATS = [
    {
        **{"Key": {"SegmentNumber": number}, "SegmentName": name, "MaximumSegmentLength": 9, "SegmentLength": 9},
        **{"IsMainSegment": number == 1, "UserDefinedSegment": 0},
    }
    for number, name in enumerate(("Account", "Department"), start=1)
]
COMPANY = {"Key": {"Id": 1}, "Name": "Bench", "AccountSegmentSeparator": "-", "IsWorkflowEnabled": False}
SMALL = {
    name: answer(name, rows).encode()
    for name, rows in (
        ("GetCompanyList", [COMPANY]),
        ("GetGLAccountFormatList", FORMATS),
        ("GetGLUnitAccountList", []),
    )
}


def debit_of(journal: int) -> int:
    """Return the debit of a transaction, in cents."""
    return journal * 7919 % 999_983 + 2


class Handler(BaseHTTPRequestHandler):
    """Logs connections in and fills in patterns, so that its own cost stays small beside the client's."""

    protocol_version = "HTTP/1.1"
    domain = Domain({USER: PASSWORD}, schemes=("NTLM",))
    transactions: int

    def setup(self) -> None:
        super().setup()
        self.login: dict[str, object] = {}

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        entered = self.domain.enter(self.login, self.headers.get("Authorization", ""))
        if isinstance(entered, Challenge):
            self.answer("401 Unauthorized", b"", f"WWW-Authenticate: {entered.headers[0]}\r\n")
            return
        self.answer("200 OK", self.body_of(body))

    def body_of(self, asked: str) -> bytes:
        if found := re.search(r"JournalId>(\d+)<", asked):
            journal = int(found[1])
            first = debit_of(journal)
            amounts = (first, first) if journal % 2 == 0 else (first, first // 2, first - first // 2)
            texts = [f"{cents // 100}.{cents % 100:02d}" for cents in amounts]
            day, department = self.day_of(journal), 100 + journal % 14 * 10
            return WHOLE[len(texts)].format(journal=journal, day=day, amounts=texts, department=department).encode()
        if "GetGLTransactionList" not in asked:
            return next(answered for name, answered in SMALL.items() if name in asked)
        first, last = (int(re.search(rf"{name}>\d+-\d+-(\d+)", asked)[1]) for name in ("From", "To"))
        journals = range(self.first_of(first), self.first_of(last + 1) if "Work" not in asked else 0)
        rows = (SUMMARY.format(journal=journal, day=self.day_of(journal)) for journal in journals)
        return "".join((LIST_HEAD, *rows, LIST_TAIL)).encode()

    def day_of(self, journal: int) -> int:
        return journal * DAYS // self.transactions + 1

    def first_of(self, day: int) -> int:
        return -(-(day - 1) * self.transactions // DAYS)

    def answer(self, status: str, body: bytes, more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


def serve(rows: int) -> None:
    """Print the address and the sum of debits, then serve until ended."""
    Handler.transactions = rows * 2 // LINES_OF_TWO
    debits = Decimal(sum(map(debit_of, range(Handler.transactions)))) / 100
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    sys.stdout.write(json.dumps({"url": url, "debits": str(debits)}) + "\n")
    sys.stdout.flush()
    server.serve_forever()


@contextmanager
def bare_server(rows: int):
    """Serve the transactions of the period while the block runs."""
    process = subprocess.Popen([sys.executable, __file__, "--serve", "--rows", str(rows)], stdout=subprocess.PIPE)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def floor(url: str) -> tuple[int, Decimal]:
    """Return lines and debits by the least work."""
    session = requests.Session()
    session.auth = HttpNtlmAuth(USER, PASSWORD)

    def ask(body: str) -> str:
        spaces = f'xmlns="{GP}" xmlns:d="{BASE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        envelope = f'<s:Envelope xmlns:s="{SOAP}" {spaces}><s:Body>{body}</s:Body></s:Envelope>'
        return session.post(url, data=envelope, headers={"Content-Type": "text/xml"}, timeout=600).content.decode()

    dates = f"{NIL}<From>{PERIOD.start}T00:00:00</From><To>{PERIOD.end}T23:59:59</To>{NO_BOUNDS}"
    listed = ask(f"<GetGLTransactionList><criteria><Date>{dates}</Date></criteria>{CONTEXT}</GetGLTransactionList>")
    amounts: list[Decimal] = []
    for key in KEY.findall(listed):
        one = ask(f"<{POSTED}><key>{key}</key>{CONTEXT}</{POSTED}>")
        amounts += [Decimal(text) for text in AMOUNT.findall(one)]
    return len(amounts), add_money(amounts)


def read(url: str) -> tuple[int, Decimal]:
    """Extract the period to a staged batch; return lines and debits."""
    with tempfile.TemporaryDirectory(prefix="read-") as folder:
        trail = Trail(f"sqlite:///{folder}/trail.db")
        trail.upgrade()
        bench = Bench(trail, Leases(trail.engine), LocalStage(Path(folder) / "stage"), logging.getLogger("read"))
        run = RunRef(run_id="bench", flow="bench", period=PERIOD.key, mode=ReadMode.WHOLE)
        trail.open_run(run, requested_by="bench")
        connection = GpConnection(company="Bench", account=WindowsAccount(USER, PASSWORD), soap_url=url)
        erp = DynamicsGp(connection, MONTHS_FROM_JULY.period_of)
        plan = ReadPlan("bench", "Bench", Dataset.JOURNAL_LINES, ("Department",), ("Load",))
        batch = extract(bench, erp, plan, run, PERIOD)
        erp.close()
        trail.close()
        return batch.rows, Decimal(batch.sums["debit"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args()
    if args.serve:
        serve(args.rows)
    console, walls, right = Console(), {}, True
    with bare_server(args.rows) as told:
        for name, program in (("floor", floor), ("read", read)):
            began, cpu = time.monotonic(), time.process_time()
            lines, debits = program(told["url"])
            walls[name] = wall = time.monotonic() - began
            right &= (lines, debits) == (args.rows, Decimal(told["debits"]))
            console.print(
                f"{name:6} {lines:,} lines in {wall:.1f} s, {lines / wall:,.0f} lines/s, "
                f"cpu {time.process_time() - cpu:.1f} s, "
                f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB",
                highlight=False,
            )
    ratio = walls["read"] / walls["floor"]
    holds = right and ratio <= MOST
    claim = f"exact sums, and at most {MOST} times the floor's time ({ratio:.2f})"
    console.print(f"{'holds' if holds else 'FAILS'}: {claim}", highlight=False)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
