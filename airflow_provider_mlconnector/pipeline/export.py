# SPDX-License-Identifier: Apache-2.0
"""The first step of every way back: an export is run under the model's lease, and its file is staged.

The output of an earlier run of the export is deleted before this one starts, so that what is downloaded afterwards can
be of no earlier run; and it is downloaded under the same lease, before anybody else of ours runs the export again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Protocol

from airflow_provider_mlconnector.errors import HeaderError
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import judge
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import Source, Tolerance
from airflow_provider_mlconnector.pipeline.stage import digest, scratch_file
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.systems.anaplan.definitions import ExportLayout, Kind
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskStatus
from airflow_provider_mlconnector.trail.records import EventKind, Manifest, RunRef, StagedFile

CSV = "text/csv"
MAY_BE_AMOUNTS = frozenset({"NUMBER", "NONE", "MIXED", ""})
"""Types of a column that can hold amounts, as Anaplan names them; all but the first say nothing."""


class ExportPlan(Protocol):
    """What is exported, for a plan that becomes drafts or for a list that is compared.

    ``columns`` are those of the file that are read, and what each of them is.
    """

    @property
    def flow(self) -> str:
        """Name of the flow."""

    @property
    def name(self) -> str:
        """Name of the plan or the comparison."""

    @property
    def export(self) -> str:
        """Name or id of the export action."""

    @property
    def columns(self) -> Mapping[str, Source]:
        """By column of the file, what it is."""


class ExportManifest(Manifest, frozen=True, kw_only=True):
    """A staged export.

    :param separator: between the columns of the file; its header is the first line.
    """

    run: RunRef
    plan: str
    file: StagedFile
    separator: str
    encoding: str
    task_id: str


def begin_export(plan: ExportPlan, work: ModelWork) -> TaskRef:
    """Bring the export under way, or take up the one that an earlier try began.

    :raises UnknownNameError: when the model has no such export.
    :raises HeaderError: when it does not write the columns that the plan reads.
    :raises LeaseTakenError: when somebody else works on the model: come back later.
    :raises ModelBusyError: when the model cannot be worked with now: come back later.
    """
    found = work.model.resolve(Kind.EXPORT, plan.export)
    check_layout(plan, work.model.export_layout(found.id))
    return work.begin(
        ActionJob(
            kind=ActionKind.EXPORT,
            action_id=found.id,
            fingerprint=found.id,
            confirm=lambda: work.model.discard(found.id),
        )
    )


def finish_export(
    bench: Bench, plan: ExportPlan, run: RunRef, work: ModelWork, ref: TaskRef, status: TaskStatus
) -> ExportManifest:
    """Judge the outcome and stage the file.

    :raises TaskFailedError: when the export failed.
    :raises HeaderError: when its file has another header than the model's description of the export.
    """
    work.resume()
    judge(work.finish(ref, status).outcome, Tolerance(), 0)
    layout = work.model.export_layout(ref.action_id)
    check_layout(plan, layout)
    with scratch_file(bench.stage, ".csv") as local:
        work.model.download(ref.action_id, local)
        key = f"{folder('exports', plan.flow, run.run_id)}/{ref.task_id}.csv"
        file = bench.stage.publish(local, key, sha256=digest(local))
    manifest = ExportManifest(
        run=run,
        plan=plan.name,
        file=file,
        separator=layout.separator or ",",
        encoding=layout.encoding or "UTF-8",
        task_id=ref.task_id,
    )
    bench.trail.record(
        run.run_id, EventKind.EXPORTED, {"plan": plan.name, "export": plan.export, "task_id": ref.task_id}, files=[file]
    )
    return manifest


def check_layout(plan: ExportPlan, layout: ExportLayout) -> None:
    """See that an export writes what a plan reads.

    :raises HeaderError: when a column is missing, the amounts are no numbers, or it writes no CSV.
    """
    if layout.format and layout.format != CSV:
        raise HeaderError(f"The export {plan.export} writes {layout.format}.", hint="Let it write CSV.")
    missing = [name for name in plan.columns if name not in layout.header]
    if missing:
        raise HeaderError(
            f"The export {plan.export} has no column {', '.join(missing)}; it writes {', '.join(layout.header)}.",
            hint="Name the columns in the flow as the export does.",
        )
    types = dict(zip(layout.header, layout.data_types, strict=False))
    for name, source in plan.columns.items():
        if source.column == "amount" and types.get(name, "") not in MAY_BE_AMOUNTS:
            raise HeaderError(f"The column {name} of the export {plan.export} is {types[name]}, not numbers.")


def exported_lines(bench: Bench, plan: ExportPlan, exported: ExportManifest) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a staged export with their numbers as a spreadsheet counts them: the header is line 1.

    :raises HeaderError: when the file lacks a column.
    """
    encoding = "utf-8-sig" if exported.encoding.upper() == "UTF-8" else exported.encoding
    with bench.stage.fetch(exported.file).open(newline="", encoding=encoding) as stream:
        lines = csv.reader(stream, delimiter=exported.separator)
        header = next(lines, [])
        missing = [name for name in plan.columns if name not in header]
        if missing:
            raise HeaderError(f"The file of {plan.export} has no column {', '.join(missing)}, but {', '.join(header)}.")
        for cells in lines:
            if cells:
                yield lines.line_num, dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=False))
