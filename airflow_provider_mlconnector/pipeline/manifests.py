# SPDX-License-Identifier: Apache-2.0
"""The small records that steps hand to each other: ids, counts, digests and keys of staged files, never rows.

They travel through XCom as plain JSON objects; amounts are text.
"""

from __future__ import annotations

from datetime import date, datetime

from msgspec import field

from airflow_provider_mlconnector.trail.records import Manifest, RunRef, StagedFile


class BatchManifest(Manifest, frozen=True, kw_only=True):
    """What an extract left behind. ``file`` is None when nothing was read (unchanged).

    :param book_version: version of the period's book after this batch joined it.
    :param sums: per money column, the sum over the batch, as text.
    :param totals_by: where the ERP's own totals came from, "" when not asked.
    :param agrees: whether the book agrees with the ERP's own count and totals; None when not checked.
    :param erp_total: sum of the absolute movements of all accounts by the ERP's own figures, as text.
    :param book_total: the same of the book; None for a dataset without amounts per account.
    :param difference: sum of the absolute differences between the two per account, as text.
    :param erp_accounts: Parquet of the ERP's own movement per account (``account``, ``amount``).
    """

    run: RunRef
    dataset: str
    batch_id: str
    mode: str
    rows: int
    sums: dict[str, str]
    file: StagedFile | None
    book_version: int
    book_rows: int
    cursor: datetime | None = None
    requests: int = 0
    findings: int = 0
    agrees: bool | None = None
    totals_by: str = ""
    erp_count: int | None = None
    erp_total: str | None = None
    book_total: str | None = None
    difference: str | None = None
    erp_accounts: StagedFile | None = None


class Tally(Manifest, frozen=True, kw_only=True):
    """What became of a book's rows. Sums are debit minus credit, as text; "" for a dataset without amounts.

    :param left_out: by reason, how many rows are not loaded by rule and what they add up to, as a sentence.
    """

    rows_book: int
    rows_accepted: int
    rows_quarantined: int
    rows_left_out: int
    sum_book: str
    sum_accepted: str
    sum_quarantined: str
    sum_left_out: str
    left_out: dict[str, str] = field(default_factory=dict)


class PreparedManifest(Manifest, frozen=True, kw_only=True):
    """A file ready to be imported, computed against one version of the accepted cells.

    Sums are of the plan's value column in ledger sign, as text; ``""`` when the plan has no amounts.

    :param against: version of the accepted cells that the file was computed against, and ``former`` their file.
    :param file: CSV for the import; None when no cell changed.
    :param touched: Parquet of the cells in the file, one row per line of it, in order.
    :param cells: Parquet of all cells of the book as it stands.
    :param quarantine: Parquet of the rows that did not map, with reason.
    :param complete: the file brings the model to all of ``cells``; a replay sends only some of them.
    :param cursor: up to where the batch had read; the watermark, once the cells are accepted.
    :param keys: columns of ``touched`` and ``cells`` that address a cell; ``values`` hold its amounts; ``constants``
        are the same in every line of the file.
    :param until: last day of the period.
    """

    run: RunRef
    dataset: str
    import_name: str
    batch_id: str
    book_version: int
    against: int
    rows_book: int
    rows_accepted: int
    rows_quarantined: int
    rows_left_out: int
    sum_book: str
    sum_accepted: str
    sum_quarantined: str
    sum_left_out: str
    cells_now: int
    cells_sent: int
    cells_zeroed: int
    sum_cells: str
    file: StagedFile | None
    touched: StagedFile | None
    cells: StagedFile | None
    quarantine: StagedFile | None
    columns: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    former: StagedFile | None = None
    complete: bool = True
    cursor: datetime | None = None
    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    until: date | None = None


class LoadManifest(Manifest, frozen=True, kw_only=True):
    """What Anaplan made of the file.

    :param task_id: the remote task, "" when there was nothing to send.
    :param accepted_version: version of the accepted cells after the load.
    :param counted: Anaplan told the numbers; they are taken from the file otherwise.
    :param unknown: why it cannot be told which cells Anaplan holds now, so that all of them are sent again; "" as a
        rule.
    """

    run: RunRef
    dataset: str
    import_name: str
    prepared: PreparedManifest
    task_id: str
    sent: int
    loaded: int
    rejected: int
    ignored: int
    warned: int
    accepted_version: int
    dump: StagedFile | None = None
    counted: bool = True
    unknown: str = ""


class Figure(Manifest, frozen=True, kw_only=True):
    """A number of the reconcile table with its source; ``value`` None prints "not checked"."""

    name: str
    value: str | None
    source: str


class Summary(Manifest, frozen=True, kw_only=True):
    """One line of the table of a close. Amounts are text; None where there is no source for them.

    :param loaded: cells or records that Anaplan took in this run; ``rejected`` that it refused; None where it told
        no counts.
    :param erp_total: sum of the absolute movements of all accounts, by the ERP's own figures.
    :param model_total: the same of the cells read back from the model.
    :param difference: sum of the absolute differences between the two, account by account, once the lines that are
        left out by rule are taken off the ERP's figures. Rows that were quarantined and cells that were rejected are in
        it; only what they do not explain is a problem.
    """

    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_left_out: int
    loaded: int | None
    rejected: int | None
    erp_total: str | None = None
    model_total: str | None = None
    difference: str | None = None


class DatasetCheck(Manifest, frozen=True, kw_only=True):
    """The reconcile table of one import of a run; ``problems`` are sentences."""

    dataset: str
    import_name: str
    summary: Summary
    figures: tuple[Figure, ...]
    problems: tuple[str, ...] = ()


class ReconcileReport(Manifest, frozen=True, kw_only=True):
    """All checks of a run; the run is good when none has a problem.

    :param difference: sum of the differences of all checks, as text; None when nothing could be compared.
    """

    run: RunRef
    checks: tuple[DatasetCheck, ...]
    difference: str | None
    agrees: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems, each with the import that it is about."""
        return tuple(f"{check.import_name}: {problem}" for check in self.checks for problem in check.problems)


class LatePostings(Manifest, frozen=True, kw_only=True):
    """What was posted or changed in a closed period and is not loaded.

    :param lines: how many lines; ``new`` of them were not reported before.
    :param debit: sum of their debits, as text.
    :param latest: the newest of their modified stamps.
    :param records: ids of some of them, the new ones first.
    :param digest: tells one set of late postings from another.
    """

    period: str
    lines: int
    new: int
    debit: str
    latest: datetime | None
    records: tuple[str, ...]
    digest: str

    @property
    def sentence(self) -> str:
        """Return what a person should know, and do."""
        return (
            f"{self.period} is closed, but {self.lines} of its lines were posted or changed after it was loaded "
            f"({self.new} new): debits {self.debit}, latest {self.latest or 'without a stamp'}. "
            f"Trigger a run with the partition key {self.period} to load them."
        )


class SweepManifest(Manifest, frozen=True, kw_only=True):
    """What a sweep found in the closed periods.

    :param periods: how many were asked.
    """

    run: RunRef
    periods: int
    requests: int
    late: tuple[LatePostings, ...] = ()
