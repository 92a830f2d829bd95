# SPDX-License-Identifier: Apache-2.0
"""A plan in a file, as an export writes it, and how its flow reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.inverse import invert
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.draftplan import DraftPlan, MemberList
from airflow_provider_mlconnector.pipeline.export import ExportManifest
from airflow_provider_mlconnector.pipeline.plan import Source
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.systems.anaplan.definitions import Members
from airflow_provider_mlconnector.trail.records import RunRef

JULY = Period(2027, 1, date(2026, 7, 1), date(2026, 7, 31))
AUGUST = Period(2027, 2, date(2026, 8, 1), date(2026, 8, 31))
HEADER = ("Account", "Cost Centre", "Entity", "Version", "Time", "Amount")
CENTRES = crosswalk(
    "cost_centres.csv",
    [
        Rule(MatchKind.EXACT, code, member, line=line)
        for line, (code, member) in enumerate([("ADM", "CC100"), ("SALES", "CC200"), ("", "NONE")], start=2)
    ],
)
PLAN = DraftPlan(
    flow="larkfield_close",
    name="Approved Budget",
    company="LARKFIELD",
    export="Approved Budget",
    columns={
        "Account": Source("account"),
        "Cost Centre": Source("dimension.DEPARTMENT"),
        "Entity": Source(constant="Larkfield"),
        "Version": Source("version"),
        "Time": Source("period"),
        "Amount": Source("amount"),
    },
    batch="ANAPLAN",
    inverses={"Cost Centre": invert(CENTRES)},
    members={"Account": MemberList("Accounts"), "Cost Centre": MemberList("Cost Centres")},
)


class Lists:
    """The lists of a model."""

    def __init__(self) -> None:
        self.lists = {
            "Accounts": {"4000": "Sales", "6100": "Salaries", "6200": "Rent"},
            "Cost Centres": {"CC100": "Administration", "CC200": "Sales team", "NONE": "No department"},
        }

    def members(self, list_name: str) -> Members:
        by_code = self.lists[list_name]
        return Members(by_code, {name: code for code, name in by_code.items()})

    def view_cells(self, view_name: str, target: Path) -> Path:
        raise NotImplementedError


def line(account: str, amount: str, centre: str = "CC100", *, time: str = "Jul 26", **other: str) -> tuple[str, ...]:
    """Return one line of the export."""
    return (account, centre, other.get("entity", "Larkfield"), other.get("version", "Budget"), time, amount)


def exported(
    bench: Bench, run: RunRef, lines: Sequence[Sequence[str]], header: Sequence[str] = HEADER
) -> ExportManifest:
    """Stage a file as the export step does."""
    text = "".join(",".join(cells) + "\r\n" for cells in (header, *lines))
    with scratch_file(bench.stage, ".csv") as local:
        local.write_bytes(b"\xef\xbb\xbf" + text.encode())
        file = bench.stage.publish(local, f"exports/{run.run_id}.csv")
    return ExportManifest(run=run, plan=PLAN.name, file=file, separator=",", encoding="UTF-8", task_id="T")
