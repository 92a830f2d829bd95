"""Reading journal lines of Finance & Operations up to the staged batch, beside the fastest floor, on one bare server.

The floor downloads the same pages, decodes them exactly, joins lines with headers and writes CSV: no staging and no
checks. ``run.py --erp dynamics_fo`` runs both, each as a process of its own; rows and debits have to agree.
"""

import argparse
import json
import logging
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from queue import Queue
from urllib.parse import parse_qs, urlsplit

from rich.console import Console

ROWS, PAGE, LINES_OF_ONE = 200_000, 10_000, 4
REPEATS = 3
HEADERS, LINES = "GeneralJournalEntryBiEntities", "GeneralJournalAccountEntryBiEntities"
RECORD = 22_566_000_001


def cents_of(number: int) -> int:
    """Return the amount of a line."""
    return (number * 7919 % 999_983) - 499_991


def header(number: int) -> bytes:
    return (
        f'{{"@odata.etag":"W/\\"JzEs{number}Jw==\\"","SourceKey":{number},"FiscalCalendarPeriod":{RECORD},'
        f'"AccountingDate":"2026-10-{number % 28 + 1:02d}T12:00:00Z",'
        f'"CreatedOn":"2026-11-{number % 19 + 1:02d}T08:12:33Z",'
        f'"PostingLayer":"Current","SubledgerVoucher":"G{number:07d}","DocumentNumber":"","JournalCategory":"Purch"}}'
    ).encode()


def line(number: int) -> bytes:
    amount = format((Decimal(cents_of(number)) / 100).normalize(), "f")
    account = 40000 + number % 60 * 10
    return (
        f'{{"@odata.etag":"W/\\"JzEs{number}Jw==\\"","SourceKey":{number},'
        f'"GeneralJournalEntry":{number // LINES_OF_ONE},"MainAccount":{account},'
        f'"AccountingCurrencyAmount":{amount},"IsCredit":"{"No" if cents_of(number) > 0 else "Yes"}",'
        f'"PostingType":"LedgerJournal","TransactionCurrencyCode":"USD","TransactionCurrencyAmount":{amount},'
        f'"Text":"Entry {number}, October","LedgerDimensionValuesJson":"[{{\\"MAINACCOUNT\\":\\"{account}\\",'
        f'\\"DEPARTMENT\\":\\"D{number % 7}\\",\\"PROJECT\\":\\"P{number % 31:03d}\\"}}]"}}'
    ).encode()


SMALL_SETS = {
    "LegalEntities": [{"LegalEntityId": "usmf", "Name": "Bench"}],
    "Ledgers": [
        {
            **{"LegalEntityId": "usmf", "Name": "Bench", "LedgerRecId": 1, "AccountingCurrency": "USD"},
            **{"ChartOfAccounts": "Shared", "FiscalCalendar": "Bench"},
        }
    ],
    "FiscalCalendarPeriodBiEntities": [
        {
            **{"SourceKey": RECORD, "FiscalCalendar": 1, "FiscalCalendarYear": 1, "Type": "Operating", "Name": "P"},
            **{"StartDate": "2026-10-01T12:00:00Z", "EndDate": "2026-10-31T12:00:00Z"},
        }
    ],
    "DimensionAttributes": [{"DimensionName": "Department"}, {"DimensionName": "Project"}],
    "MainAccounts": [
        {
            **{"ChartOfAccounts": "Shared", "MainAccountId": str(number), "MainAccountRecId": number, "Name": "A"},
            **{"MainAccountType": "Asset", "AccountCategoryDescription": "", "IsSuspended": "No"},
            **{"DoNotAllowManualEntry": "No", "ParentMainAccountId": ""},
        }
        for number in range(40000, 40600, 10)
    ],
}


class Handler(BaseHTTPRequestHandler):
    """Answers nothing beyond pages, so that its own cost stays small beside the client's."""

    protocol_version = "HTTP/1.1"
    lines: list[bytes]
    headers_: list[bytes]

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = parts.path.rpartition("/")[2]
        query = {option: values[0] for option, values in parse_qs(parts.query).items()}
        if name in SMALL_SETS:
            self.answer(json.dumps({"@odata.count": len(SMALL_SETS[name]), "value": SMALL_SETS[name]}).encode())
            return
        rows = self.lines if name == LINES else self.headers_
        where = query.get("$filter", "")
        first, last = 0, len(rows) - 1
        spans = re.findall(r"GeneralJournalEntry (ge|le) (\d+)", where)
        if spans:
            first, last = int(spans[0][1]) * LINES_OF_ONE, int(spans[-1][1]) * LINES_OF_ONE + LINES_OF_ONE - 1
        behind = re.search(r"SourceKey gt (\d+)", where)
        start = max(first, int(behind[1]) + 1) if behind else first
        page = rows[start : min(start + int(query.get("$top", PAGE)), last + 1)]
        count = b'"@odata.count":%d,' % (last + 1 - start) if "$count" in query else b""
        self.answer(b"".join((b"{", count, b'"value":[', b",".join(page), b"]}")))

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(rows: int) -> None:
    """Print the address and the sum of debits, then serve until ended."""
    Handler.lines = [line(number) for number in range(rows)]
    Handler.headers_ = [header(number) for number in range(rows // LINES_OF_ONE)]
    debits = Decimal(sum(max(cents_of(number), 0) for number in range(rows))) / 100
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    sys.stdout.write(json.dumps({"url": url, "debits": str(debits)}) + "\n")
    sys.stdout.flush()
    server.serve_forever()


def read(url: str) -> tuple[int, Decimal]:
    """Extract the period to a staged batch; return rows and debits."""
    from airflow_provider_mlconnector.finance.datasets import Dataset
    from airflow_provider_mlconnector.finance.periods import Period
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.extract import extract
    from airflow_provider_mlconnector.pipeline.plan import ReadMode, ReadPlan
    from airflow_provider_mlconnector.pipeline.stage import LocalStage
    from airflow_provider_mlconnector.systems.dynamics_fo.connection import FinanceOperationsConnection
    from airflow_provider_mlconnector.systems.dynamics_fo.erp import FinanceOperations
    from airflow_provider_mlconnector.trail.leases import Leases
    from airflow_provider_mlconnector.trail.records import RunRef
    from airflow_provider_mlconnector.trail.store import Trail

    period = Period(2026, 10, date(2026, 10, 1), date(2026, 10, 31))
    with tempfile.TemporaryDirectory(prefix="read-") as folder:
        trail = Trail(f"sqlite:///{folder}/trail.db")
        trail.upgrade()
        bench = Bench(trail, Leases(trail.engine), LocalStage(Path(folder) / "stage"), logging.getLogger("read"))
        run = RunRef(run_id="bench", flow="bench", period=period.key, mode=ReadMode.WHOLE)
        trail.open_run(run, requested_by="bench")
        connection = FinanceOperationsConnection(environment_url=url, tenant="", company="usmf", credential=None)
        plan = ReadPlan("bench", "usmf", Dataset.JOURNAL_LINES, ("DEPARTMENT", "PROJECT"), ("Load",))
        batch = extract(bench, FinanceOperations(connection, lambda day: period), plan, run, period)
        return batch.rows, Decimal(batch.sums["debit"])


def floor(url: str) -> tuple[int, Decimal]:
    """Download, decode exactly, join, write CSV; return rows and debits."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as arrow_csv
    import pyarrow.json as arrow_json
    import requests

    money = pa.decimal128(38, 6)
    texts = {name: pa.string() for name in ("SubledgerVoucher", "AccountingDate", "CreatedOn", "Text", "IsCredit")}
    types = {"SourceKey": pa.int64(), "GeneralJournalEntry": pa.int64(), "AccountingCurrencyAmount": money} | texts
    types |= {"MainAccount": pa.int64(), "LedgerDimensionValuesJson": pa.string()}
    schema = pa.schema([("value", pa.list_(pa.struct(list(types.items()))))])

    def decode(body: bytes) -> pa.Table:
        options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        reading = arrow_json.ReadOptions(block_size=len(body) + 1, use_threads=False)
        table = arrow_json.read_json(pa.BufferReader(body), read_options=reading, parse_options=options)
        return pa.Table.from_struct_array(table["value"].combine_chunks().flatten())

    pages: Queue = Queue(maxsize=3)

    def download() -> None:
        session = requests.Session()
        for first in range(0, ROWS // LINES_OF_ONE, PAGE):
            heads = session.get(f"{url}/data/{HEADERS}?$filter=SourceKey gt {first - 1}&$top={PAGE}").content
            for at in range(first * LINES_OF_ONE, min((first + PAGE) * LINES_OF_ONE, ROWS), PAGE):
                body = session.get(f"{url}/data/{LINES}?$filter=SourceKey gt {at - 1}&$top={PAGE}").content
                pages.put((heads, body))
        pages.put(None)

    threading.Thread(target=download, daemon=True).start()
    rows, debits = 0, Decimal(0)
    with tempfile.TemporaryFile() as file:
        while (page := pages.get()) is not None:
            heads, entries = decode(page[0]), decode(page[1])
            places = pc.index_in(entries["GeneralJournalEntry"], value_set=heads["SourceKey"])
            joined = entries.append_column("Voucher", heads["SubledgerVoucher"].take(places))
            arrow_csv.write_csv(joined, file)
            rows += len(entries)
            debits += pc.sum(entries.filter(pc.equal(entries["IsCredit"], "No"))["AccountingCurrencyAmount"]).as_py()
    return rows, debits


LEAST = 0.33
"""Claimed of the floor's rows per second. The floor leaves the JSON of dimensions as text, and stages nothing."""

PROGRAMS = {"floor": floor, "read": read}
LOADED_ONCE = (
    *("duckdb", "pandas", "pyarrow.compute", "pyarrow.csv", "pyarrow.json", "pyarrow.parquet", "requests"),
    "airflow_provider_mlconnector.pipeline.extract",
    "airflow_provider_mlconnector.systems.dynamics_fo.erp",
    "airflow_provider_mlconnector.trail.migrate",
)
"""What a process loads once, whatever it reads, is not part of the measure."""


def measured(program: str, url: str) -> None:
    """Run one program in this process; print what it took as one JSON line."""
    for module in LOADED_ONCE:
        import_module(module)
    started = time.monotonic()
    rows, debits = PROGRAMS[program](url)
    told = {"rows": rows, "debits": str(debits), "wall_s": time.monotonic() - started}
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(told | {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_rss_mb": round(usage.ru_maxrss / 1024)}))


@contextmanager
def bare_server():
    """Serve the lines of one period while the block runs."""
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure floor and read, the best of some runs each; fail when they disagree or the read is below its claim."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    console, best = Console(), {}
    with bare_server() as told:
        for program in PROGRAMS:
            command = [sys.executable, __file__, "--program", program, "--url", told["url"]]
            runs = [
                json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
                for _ in range(REPEATS)
            ]
            best[program] = min(runs, key=lambda run: run["wall_s"])
            run = best[program]
            console.print(
                f"{program:6} {ROWS:,} lines in {run['wall_s']:.2f} s, {ROWS / run['wall_s']:,.0f} rows/s, "
                f"cpu {run['cpu_s']:.2f} s, peak {run['peak_rss_mb']} MB",
                highlight=False,
            )
            if (run["rows"], Decimal(run["debits"])) != (ROWS, Decimal(told["debits"])):
                sys.exit(f"{program} read {run['rows']} lines with debits {run['debits']}, not {told['debits']}")
    ratio = best["floor"]["wall_s"] / best["read"]["wall_s"]
    holds = ratio >= LEAST
    console.print(f"{'holds' if holds else 'FAILS'}: at least {LEAST} of the floor's rows/s ({ratio:.2f})")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--program", choices=PROGRAMS)
    parser.add_argument("--url", default="")
    args = parser.parse_args()
    if args.serve:
        serve(ROWS)
    elif args.program:
        measured(args.program, args.url)
    else:
        main()
