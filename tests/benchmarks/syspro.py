"""``make bench ERP=syspro``: journals read, staged and booked, beside a floor that only downloads and decodes them.

One bare server gives pages of 5,000 entries, as SYSPRO's OData service does, each behind the last key that it is asked
for. The floor does what no reader can do without: ask for a page, decode it exactly, write it to Parquet. Fails when
less than half of the floor's rows per second are read, or the sum is not exact.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
import threading
import time
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
import requests
from rich.console import Console
from rich.table import Table

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.plan import ReadMode, ReadPlan
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.erp import Syspro
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail

ROWS, PAGE, REPEATS, ENTRIES = 200_000, 5_000, 3, 25
PERIOD = Period(2027, 4, date(2026, 10, 1), date(2026, 10, 31))
NAMES = {
    "GenJournalDetail": "Company GlYear GlPeriod Journal EntryNumber GlCode EntryValue EntryDate Source Reference "
    "TimeStamp",
    "GenMaster": "Company GlCode Description AccountType GlGroup",
}
TEXTS = ("Company", "GlCode", "EntryDate", "Source", "Reference", "TimeStamp")
NUMBERS = ("Journal", "EntryNumber")
ENTRY = pa.struct(
    [
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.int64()) for name in NUMBERS),
        ("EntryValue", pa.decimal128(38, 6)),
    ]
)


def cents(number: int) -> int:
    return (number * 7919 % 999_983) - 499_991


def row(number: int) -> str:
    """Return an entry as the service writes it, padded."""
    journal, entry = divmod(number, ENTRIES)
    return (
        f'{{"Company":"L   ","GlYear":2027,"GlPeriod":4,"Journal":{journal + 1},"EntryNumber":{entry + 1},'
        f'"GlCode":"{f"{40000 + number % 60 * 10}.D{number % 7}":35}","EntryValue":{Decimal(cents(number)) / 100},'
        f'"EntryDate":"2026-10-{number % 28 + 1:02d}T00:00:00Z","Source":"GL","Reference":"G{number // 2:07d}",'
        f'"TimeStamp":"AAAAAAA{number % 10}AAA="}}'
    )


def metadata() -> bytes:
    types = "".join(f'<EntityType Name="{name}">{columns(text)}</EntityType>' for name, text in NAMES.items())
    sets = "".join(f'<EntitySet Name="{name}" EntityType="S.{name}"/>' for name in NAMES)
    schema = f'<Schema Namespace="S" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}'
    return f'{schema}<EntityContainer Name="C">{sets}</EntityContainer></Schema>'.encode()


def columns(text: str) -> str:
    return "".join(f'<Property Name="{name}" Type="Edm.String"/>' for name in text.split())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: tuple[bytes, ...]

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body, status = self.answer()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self) -> tuple[bytes, int]:
        target = unquote_plus(self.path)
        if "$metadata" in target:
            return metadata(), 200
        if "$count" in target or "GenHistory" in target:
            return b"{}", 404
        if "GenJournalDetail" not in target:
            return b'{"value":[]}', 200
        journal = re.search(r"Journal gt (\d+)", target)
        entry = re.search(r"EntryNumber gt (\d+)", target)
        seen = (int(journal[1]) - 1) * ENTRIES + int(entry[1]) if journal and entry else 0
        return (self.pages[seen // PAGE] if seen < ROWS else b'{"value":[]}'), 200


def floor(url: str) -> Decimal:
    """Download, decode and write all pages; return the sum."""
    session, total, seen = requests.Session(), Decimal(0), 0
    schema = pa.schema([("value", pa.list_(ENTRY))])
    with (
        tempfile.TemporaryDirectory() as folder,
        pq.ParquetWriter(f"{folder}/x.parquet", pa.schema(list(ENTRY))) as sink,
    ):
        while True:
            where = f"Journal gt {seen // ENTRIES + 1} or EntryNumber gt {seen % ENTRIES}"
            body = session.get(f"{url}/GenJournalDetail?$filter={where}", timeout=60).content
            if len(body) < 100:
                return total
            page = pyarrow.json.read_json(
                pa.BufferReader(body),
                read_options=pyarrow.json.ReadOptions(block_size=len(body) + 1, use_threads=False),
                parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
            )
            rows = pa.Table.from_struct_array(page["value"].combine_chunks().flatten())
            sink.write_table(rows)
            total += pa.compute.sum(rows["EntryValue"]).as_py()
            seen += len(rows)


def ours(url: str) -> Decimal:
    """Read the period as a close does, to its book; return the sum."""
    with tempfile.TemporaryDirectory() as folder:
        trail = Trail(f"sqlite:///{folder}/trail.db")
        trail.upgrade()
        bench = Bench(trail, Leases(trail.engine), LocalStage(Path(folder) / "stage"), logging.getLogger("bench"))
        run = RunRef(run_id="bench", flow="bench", period=PERIOD.key, mode=ReadMode.WHOLE)
        trail.open_run(run, requested_by="bench")
        erp = Syspro(SysproConnection(odata_url=url, company="L", operator="x", password="y"))
        plan = ReadPlan("bench", "L", Dataset.JOURNAL_LINES, ("DEPARTMENT",), ("Load",))
        batch = extract(bench, erp, plan, run, PERIOD)
        erp.close()
        trail.close()
        return Decimal(batch.sums["amount"])


def main() -> int:
    lines = [row(number) for number in range(ROWS)]
    Handler.pages = tuple(f'{{"value":[{",".join(lines[at : at + PAGE])}]}}'.encode() for at in range(0, ROWS, PAGE))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    right = Decimal(sum(map(cents, range(ROWS)))) / 100
    figures, exact = {}, True
    for name, program in (("floor", floor), ("extract", ours)):
        walls = []
        for _ in range(REPEATS):
            began = time.monotonic()
            exact &= program(url) == right
            walls.append(time.monotonic() - began)
        figures[name] = min(walls)
    server.shutdown()
    table = Table("program", "wall s", "rows/s", "of the floor", title=f"{ROWS:,} entries of SYSPRO")
    for name, wall in figures.items():
        table.add_row(name, f"{wall:.2f}", f"{ROWS / wall:,.0f}", f"{figures['floor'] / wall:.2f}")
    Console().print(table)
    holds = exact and figures["floor"] / figures["extract"] >= 0.5
    Console().print(f"{'holds' if holds else 'FAILS'}: half of the floor's rows per second, and exact sums")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
