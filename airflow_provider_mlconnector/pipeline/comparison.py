# SPDX-License-Identifier: Apache-2.0
"""A list comes back from the model and is held against the ledger's own, step by step.

Nothing is changed, neither in the model nor in the ledger. What differs is a report: a staged file, counts on the
trail and, where the ledger can say so, what it would make of the records that the list has otherwise.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from secrets import token_hex

import msgspec
import pyarrow.parquet as pq

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.datasets import Dataset, arrow_schema
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.control import Control
from airflow_provider_mlconnector.pipeline.export import ExportManifest, exported_lines
from airflow_provider_mlconnector.pipeline.findings import note_findings, noting_drift
from airflow_provider_mlconnector.pipeline.reference_back import (
    ComparePlan,
    Difference,
    DifferenceKind,
    as_text,
    compare_lists,
)
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.pipeline.stage import digest, scratch_file
from airflow_provider_mlconnector.systems.port import Erp, Scope
from airflow_provider_mlconnector.systems.setup import SetupObject
from airflow_provider_mlconnector.trail.records import EventKind, Manifest, RunRef, StagedFile

HEADER = ("Code", "Difference", "Column", "In the list", "In the ledger", "Findings")
"""Columns of the report."""
NOTED = 100
"""Differences that the trail names; the report has all."""

_CHANGES = (DifferenceKind.NOT_IN_LEDGER, DifferenceKind.OTHERWISE)
"""Differences that come from a record which the ledger would have to take."""


class ListManifest(Manifest, frozen=True, kw_only=True):
    """The ledger's records as they stood, staged as Parquet."""

    run: RunRef
    dataset: Dataset
    file: StagedFile
    rows: int


class ComparisonManifest(Manifest, frozen=True, kw_only=True):
    """What a comparison came to.

    :param differences: JSON of what differs; ``report`` is the same as CSV, for people.
    :param listed: members of the list; ``kept`` are records of the ledger.
    :param counts: differences by kind.
    :param asked: records of which the ledger was asked what it would make of them; ``refused`` are those it would not
        take.
    """

    run: RunRef
    name: str
    dataset: Dataset
    differences: StagedFile
    report: StagedFile
    listed: int
    kept: int
    counts: dict[str, int]
    asked: int = 0
    refused: int = 0

    @property
    def sentence(self) -> str:
        """What a person reads first."""
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items())) or "no difference"
        asked = f"; {self.refused} of {self.asked} would be refused" if self.asked else ""
        return f"{self.name}: {self.listed} in the list, {self.kept} {self.dataset} in the ledger: {told}{asked}."


def read_list(bench: Bench, erp: Erp, plan: ComparePlan, run: RunRef) -> ListManifest:
    """Read the ledger's records and stage them. The books of closes are left alone: they may be of other dimensions."""
    schema = arrow_schema(plan.dataset)
    control, reading = Control(schema), erp.read(plan.dataset, Scope(dimensions=plan.dimensions))
    with noting_drift(bench, run.run_id, plan.dataset, reading), ParquetSink(bench.stage, schema) as sink:
        pour(control.passing(reading.batches), sink)
        file = sink.publish(f"{folder('lists', plan.flow, run.run_id)}/{plan.dataset}-{token_hex(6)}.parquet")
    note_findings(bench, run.run_id, plan.dataset, reading.findings)
    kept = ListManifest(run=run, dataset=plan.dataset, file=file, rows=control.rows)
    bench.trail.record(run.run_id, EventKind.LISTED, kept.to_json(), files=[file])
    return kept


def compare(
    bench: Bench, plan: ComparePlan, exported: ExportManifest, kept: ListManifest, day: date
) -> tuple[ComparisonManifest, list[Difference]]:
    """Compare, and stage and record what differs.

    :param day: on which the code books are read.
    :raises HeaderError: when the file lacks a column.
    """
    columns = {name: source.column for name, source in plan.columns.items()}
    records = [row for row in _kept(bench, kept) if all(row[name] == value for name, value in plan.only.items())]
    rows, unknown = _in_codes(plan, [row for _, row in exported_lines(bench, plan, exported)], day)
    found = [*unknown, *compare_lists(rows, records, columns, plan.key)]
    differences, report = _staged(bench, kept.run, found, {})
    done = ComparisonManifest(
        run=kept.run,
        name=plan.name,
        dataset=plan.dataset,
        differences=differences,
        report=report,
        listed=len(rows) + len(unknown),
        kept=len(records),
        counts=dict(Counter(str(one.kind) for one in found)),
    )
    _note(bench, done, [str(one) for one in found])
    return done, found


def ask(
    bench: Bench,
    plan: ComparePlan,
    compared: ComparisonManifest,
    open_setup: Callable[[], SetupObject],
    open_erp: Callable[[], Erp],
) -> tuple[ComparisonManifest, dict[str, list[str]]]:
    """Ask the ledger what it would make of the records that the list has otherwise; nothing is to be changed by that.

    So the first record is asked about alone, and then the ledger is read again: one that changes what it was only asked
    about changes one record at most. Sessions follow each other, since each may be a seat.

    :returns: the comparison with a report that has the findings, and those of refused records by their codes.
    :raises DataError: when the ledger has changed the first record.
    """
    found = msgspec.json.decode(bench.stage.fetch(compared.differences).read_bytes(), type=list[Difference])
    wanted = list({one.code: one for one in found if one.kind in _CHANGES}.values())
    findings = _asked(open_setup, wanted[:1])
    if wanted:
        with closing(open_erp()) as erp:
            _see_untouched(plan, erp, wanted[0])
    findings |= _asked(open_setup, wanted[1:])
    refused = {code: told for code, told in findings.items() if told}
    _, report = _staged(bench, compared.run, found, findings)
    done = msgspec.structs.replace(compared, report=report, asked=len(wanted), refused=len(refused))
    _note(bench, done, [f"{code}: {sentence}" for code, told in refused.items() for sentence in told])
    return done, refused


def _asked(open_setup: Callable[[], SetupObject], wanted: Sequence[Difference]) -> dict[str, list[str]]:
    with closing(open_setup()) as through:
        return {one.code: through.refusals(one.record, exists=one.kind is DifferenceKind.OTHERWISE) for one in wanted}


def _see_untouched(plan: ComparePlan, erp: Erp, one: Difference) -> None:
    """See that a record is not by now what the ledger was asked about."""
    batches = erp.read(plan.dataset, Scope(dimensions=plan.dimensions)).batches
    rows = [row for batch in batches for row in batch.to_pylist() if as_text(row[plan.key]) == one.code]
    if not compare_lists([one.record], rows, {column: column for column in one.record}, plan.key):
        raise DataError(
            f"The ledger has {one.code} as the list says since it was asked what it would make of it.",
            hint="Its setup object does not heed ValidateOnly: leave 'setup' out of the flow, and see to this record.",
        )


def _kept(bench: Bench, kept: ListManifest) -> list[dict[str, object]]:
    return pq.read_table(bench.stage.fetch(kept.file)).to_pylist()


def _in_codes(
    plan: ComparePlan, rows: Sequence[Mapping[str, str]], day: date
) -> tuple[list[Mapping[str, str]], list[Difference]]:
    """Return the rows in the ledger's own codes, and those of which the code books know none.

    A member that stands for the blank code, such as "no department", is no record of a ledger and is left out.
    """
    known: list[Mapping[str, str]] = []
    unknown: list[Difference] = []
    for row in rows:
        codes = {name: inverse.code(row[name].strip(), day) for name, inverse in plan.inverses.items()}
        strange = next((name for name, code in codes.items() if code is None), "")
        if strange:
            name = next((row[other].strip() for other in plan.columns if other != strange), "")
            unknown.append(Difference(DifferenceKind.WITHOUT_CODE, row[strange].strip(), strange, listed=name))
        elif all(code != "" for code in codes.values()):
            known.append({**row, **{name: code for name, code in codes.items() if code}})
    return known, unknown


def _staged(
    bench: Bench, run: RunRef, found: Sequence[Difference], findings: Mapping[str, Sequence[str]]
) -> tuple[StagedFile, StagedFile]:
    """Stage what differs twice: as JSON for the next step, and as CSV for people."""
    place = folder("lists", run.flow, run.run_id)
    with scratch_file(bench.stage, ".json") as local:
        local.write_bytes(msgspec.json.encode(found))
        sha256 = digest(local)
        differences = bench.stage.publish(local, f"{place}/differences-{sha256[:12]}.json", sha256=sha256)
    with scratch_file(bench.stage, ".csv") as local:
        with local.open("w", newline="", encoding="utf-8-sig") as stream:
            csv.writer(stream).writerows([HEADER, *_lines(found, findings)])
        sha256 = digest(local)
        report = bench.stage.publish(local, f"{place}/differences-{sha256[:12]}.csv", sha256=sha256)
    return differences, report


def _lines(found: Sequence[Difference], findings: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for one in found:
        told = "; ".join(findings[one.code]) or "would be taken" if one.code in findings else ""
        yield one.code, one.kind, one.column, one.listed, one.kept, told


def _note(bench: Bench, done: ComparisonManifest, sentences: Sequence[str]) -> None:
    """Put the comparison on the trail, with the first of its sentences."""
    detail = {**done.to_json(), "sentences": list(sentences[:NOTED])}
    bench.trail.record(done.run.run_id, EventKind.COMPARED, detail, files=[done.differences, done.report])
