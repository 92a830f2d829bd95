"""The close at line level, extract to loaded: staging, book and trail included, Airflow not.

Reads ``generalLedgerEntries`` with expanded dimensions from any server that pages them, writes one CSV line per entry
and loads it into any server that answers upload, start and status. Prints one JSON line.
"""

import argparse
import json
import logging
import resource
import tempfile
import time
from calendar import monthrange
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb  # noqa: F401  # as the floor does: what is loaded once per process is not part of the measure
import pyarrow.json
import pyarrow.parquet  # noqa: F401
import requests  # noqa: F401

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.header import ImportTarget
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, ReadMode, ReadPlan, Shape, Source
from airflow_provider_mlconnector.pipeline.prepare import prepare
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.systems.anaplan.auth import BasicLogin
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.hosts import custom_hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalTokenStore
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.trail.budgets import Budgets
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail


def month_of(day: date) -> Period:
    """Return the period of a day: fiscal years are calendar years."""
    return Period(day.year, day.month, day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


PERIOD = month_of(date(2026, 10, 1))
IMPORT = "Load Journal Lines"
COLUMNS = {
    "id": "record_id",
    "entryNumber": "entry_number",
    "postingDate": "posting_date",
    "documentNumber": "document",
    "documentType": "document_type",
    "accountNumber": "account",
    "description": "description",
    "debitAmount": "debit",
    "creditAmount": "credit",
    "lastModifiedDateTime": "modified_at",
    "department": "dimension.DEPARTMENT",
    "project": "dimension.PROJECT",
}
READ = ReadPlan(
    flow="bench",
    company="bench",
    dataset=Dataset.JOURNAL_LINES,
    dimensions=("DEPARTMENT", "PROJECT"),
    imports=(IMPORT,),
)
LOAD = LoadPlan(
    flow="bench",
    company="bench",
    dataset=Dataset.JOURNAL_LINES,
    import_name=IMPORT,
    columns={name: Source(column=column) for name, column in COLUMNS.items()},
    shape=Shape.RECORDS,
)


class OneTry:
    """Keeps the record of the remote job for the one try that this is."""

    def __init__(self) -> None:
        self.record = None

    def get(self):
        return self.record

    def set(self, record) -> None:
        self.record = record


def main() -> None:
    args = arguments()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="close-") as folder:
        trail = Trail(f"sqlite:///{folder}/trail.db")
        trail.upgrade()
        bench = Bench(trail, Leases(trail.engine), LocalStage(Path(folder) / "stage"), logging.getLogger("close"))
        ledger, client = open_ledger(args), open_anaplan(args, trail)
        figures = close(bench, ledger, client.model(client.resolve_model(args.workspace_id, args.model_id)), args)
        requests = ledger.requests_made + client.requests_made
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures |= {
        "wall_s": round(time.monotonic() - started, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_rss_mb": round(usage.ru_maxrss / 1024),
        "requests": requests,
        "logins": client.logins,
    }
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("erp-url", "company-id", "anaplan-api-url", "anaplan-auth-url"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("workspace-id", "model-id", "file-id", "import-id"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rows", type=int, required=True, help="how many entries the ledger serves")
    parser.add_argument("--login", default="bench@example.com")
    parser.add_argument("--password", default="bench")
    return parser.parse_args()


def open_ledger(args: argparse.Namespace) -> BusinessCentral:
    return BusinessCentral(
        BusinessCentralConnection(
            tenant="",
            environment="",
            company=args.company_id,
            credential=None,
            api_url=args.erp_url,
            source=FinanceApi.V2,
        ),
        month_of,
    )


def open_anaplan(args: argparse.Namespace, trail: Trail) -> AnaplanClient:
    return AnaplanClient(
        custom_hosts(args.anaplan_api_url, args.anaplan_auth_url, args.anaplan_auth_url),
        BasicLogin(args.login, args.password),
        tokens=LocalTokenStore(),
        budget=Budgets(trail.engine),
    )


def close(bench: Bench, ledger: BusinessCentral, model, args: argparse.Namespace) -> dict[str, object]:
    """Run all steps and return what they counted."""
    run = RunRef(run_id="bench", flow="bench", period=PERIOD.key, mode=ReadMode.WHOLE)
    bench.trail.open_run(run, requested_by="bench")
    marks = {"start": time.monotonic()}
    batch = extract(bench, ledger, READ, run, PERIOD)
    marks["extract_s"] = time.monotonic()

    def again():
        return prepare(bench, LOAD, batch, PERIOD, None)

    prepared = again()
    marks["prepare_s"] = time.monotonic()
    work = ModelWork(
        bench, model, owner="bench", store=OneTry(), generation=0, run_id="bench", deadline=time.time() + 3600
    )
    state = begin_load(bench, LOAD, prepared, work, again, ImportTarget(args.import_id, args.file_id))
    status = run_to_end(work, state.ref, bench.clock)
    loaded = finish_load(bench, LOAD, state, work, status)
    marks["load_s"] = time.monotonic()
    steps = {name: round(at - before, 3) for (_, before), (name, at) in pairwise(marks.items())}
    if (batch.rows, loaded.loaded) != (args.rows, args.rows):
        raise SystemExit(f"{args.rows} entries were expected, {batch.rows} read, {loaded.loaded} loaded.")
    return {"rows": loaded.loaded, "debits": batch.sums["debit"], **steps}


if __name__ == "__main__":
    main()
