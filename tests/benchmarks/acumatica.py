"""``make bench ERP=acumatica``: the lines of one period out of Acumatica, beside the fastest floor, in one run.

The floor asks for the same ranges of keys and does nothing but decode and add up. Fails when the reader has less than
half of the floor's rows per second, or another sum.
"""

import json
import sys
import time
from contextlib import closing
from decimal import Decimal

import msgspec
import requests

from airflow_provider_mlconnector.demo.sandbox import sandbox_process
from airflow_provider_mlconnector.finance.calendar import MonthlyCalendar
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.acumatica.entities import JOURNALS
from airflow_provider_mlconnector.systems.port import Scope
from tests.sandbox_control import SandboxControl
from tests.unit.systems.acumatica.opening import open_company

KEY = "FY2027-P04"
MONTHS = MonthlyCalendar(calendar="Monthly from July", first_month=7)
LINES_AT_SCALE_1 = 318
"""Lines of the period in the sandbox's own books."""

ROWS = 200_000
PAGE = 500


def read(control: SandboxControl) -> tuple[int, Decimal]:
    """Read the period as a close does; return lines and debits."""
    with closing(open_company(control, page_size=PAGE)) as erp:
        batches = erp.read(Dataset.JOURNAL_LINES, Scope(MONTHS.period(KEY), None, ("DEPARTMENT",))).batches
        rows, debits = 0, Decimal(0)
        for batch in batches:
            rows += batch.num_rows
            debits += sum(batch["debit"].to_pylist(), Decimal(0))
        return rows, debits


def floor(control: SandboxControl) -> tuple[int, Decimal]:
    """Read the same by plain requests: all keys, then the journals in ranges of them."""
    told = control.info["acumatica"]
    session = requests.Session()
    who = {"name": told["login"], "password": told["password"]}
    session.post(f"{told['base_url']}/entity/auth/login", json=who, timeout=60).raise_for_status()
    where = "PostPeriod eq '042027' and LedgerID eq 'ACTUAL' and Status eq 'Posted'"
    path = f"{told['base_url']}/entity/Default/25.200.001/JournalTransaction"
    keys = session.get(path, params={"$filter": where, "$select": "Module,BatchNbr"}, timeout=600).json()
    by_module: dict[str, list[str]] = {}
    for key in keys:
        by_module.setdefault(key["Module"]["value"], []).append(key["BatchNbr"]["value"])
    options = {"$select": ",".join(JOURNALS.selected()), "$expand": "Details"}
    rows, debits = 0, Decimal(0)
    for module, numbers in by_module.items():
        numbers.sort()
        for at in range(0, len(numbers), PAGE):
            part = numbers[at : at + PAGE]
            within = f"{where} and Module eq '{module}' and BatchNbr ge '{part[0]}' and BatchNbr le '{part[-1]}'"
            body = session.get(path, params={"$filter": within, **options}, timeout=600).content
            for journal in msgspec.json.decode(body, type=list[JOURNALS.record]):
                rows += len(journal.Details)
                debits += sum((line.DebitAmount.value for line in journal.Details), Decimal(0))
    session.post(f"{told['base_url']}/entity/auth/logout", timeout=60)
    return rows, debits


def main(rows: int = ROWS) -> int:
    """Measure both; return the exit status."""
    with sandbox_process(["acumatica"], scale=rows / LINES_AT_SCALE_1) as info:
        control = SandboxControl(info)
        told = {}
        for program in (floor, read):
            begun = time.perf_counter()
            count, debits = program(control)
            wall = time.perf_counter() - begun
            figures = {
                "rows": count,
                "wall_s": round(wall, 2),
                "rows_s": round(count / wall),
                "debits": f"{debits:.2f}",
            }
            told[program.__name__] = figures
    print(json.dumps(told, indent=2))
    same = told["floor"]["debits"] == told["read"]["debits"] and told["floor"]["rows"] == told["read"]["rows"]
    return 0 if same and told["read"]["rows_s"] >= told["floor"]["rows_s"] / 2 else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
