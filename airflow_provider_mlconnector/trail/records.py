# SPDX-License-Identifier: Apache-2.0
"""The small records that are handed on between steps and kept in the trail: ids, digests and keys, never rows."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import msgspec

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def make_run_id(flow: str, period: str, origin: str) -> str:
    """Return the trail's id of a run: the same for the same three texts, safe in a file name.

    :param origin: what makes the run unique for its flow and period, such as Airflow's run id.
    """
    mark = hashlib.sha256("\x00".join((flow, period, origin)).encode()).hexdigest()[:12]
    return ".".join(_UNSAFE.sub("_", part) for part in (flow, period, mark) if part)


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Base of all manifests."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object, fit for XCom: nothing but what JSON itself has, so no tuples."""
        return msgspec.json.decode(msgspec.json.encode(self))  # type: ignore[no-any-return]  # a struct is an object

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return msgspec.convert(data, cls)


class StagedFile(Manifest, frozen=True, kw_only=True):
    """A file in the staging area: its key there, sha256 in hex and size in bytes."""

    key: str
    sha256: str
    size: int


class RunRef(Manifest, frozen=True, kw_only=True):
    """Which run of which flow, for which period, a step works for.

    :param run_id: the trail's own id of the run (deterministic, from ``make_run_id``).
    :param mode: ``whole`` or ``changes``.
    """

    run_id: str
    flow: str
    period: str
    mode: str


class BookScope(Manifest, frozen=True, kw_only=True):
    """Which book: the records of one dataset of one company in one period ("" where the dataset has none)."""

    flow: str
    company: str
    dataset: str
    period: str


class CellScope(Manifest, frozen=True, kw_only=True):
    """Whose accepted cells: one import of one flow in one period ("" where the dataset has none)."""

    flow: str
    import_name: str
    period: str


class EventKind(StrEnum):
    """What an event of a run says. The trail itself writes those marked so."""

    EXTRACTED = "extracted"
    """A batch was stored (written by ``add_batch``)."""
    UNCHANGED = "unchanged"
    FINDING = "finding"
    TOTALS_DIFFER = "totals_differ"
    LATE_POSTINGS = "late_postings"
    """Lines of a closed period are not loaded (written by ``put_book``)."""
    BOOKED = "booked"
    """The book moved to a new version (written by ``put_book``)."""
    PREPARED = "prepared"
    LEASED = "leased"
    TAKEN_OVER = "taken_over"
    WAITED = "waited"
    UPLOADED = "uploaded"
    IN_FLIGHT = "in_flight"
    """The values of some cells are unknown from now on (written by ``mark_in_flight``)."""
    STARTED = "started"
    ADOPTED = "adopted"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REJECTS = "rejects"
    """Rows were rejected, quarantined or warned about (written by ``add_rejects`` and ``accept``)."""
    ACCEPTED = "accepted"
    """The accepted cells moved to a new version (written by ``accept``)."""
    RECONCILED = "reconciled"
    LISTED = "listed"
    """The ledger's own records were read, to hold a list of the model against them."""
    COMPARED = "compared"
    """A list of the model was held against them; holds how many differ, and in what."""
    REPLAYED = "replayed"
    EXPORTED = "exported"
    RESOLVED = "resolved"
    CHECKED = "checked"
    """A plan passed its preflight; holds what a person is to be shown."""
    ASKED = "asked"
    """A person was asked about these bytes."""
    APPROVED = "approved"
    """A person answered, or nobody did in time (written by ``Approvals.add``)."""
    DRAFTED = "drafted"
    VERIFIED = "verified"
    POSTED = "posted"
    """A person posted a document, as the ledger says."""
    NOTE = "note"


class RunOutcome(StrEnum):
    """How a run ended; ``ABANDONED`` is a run that retention found open long after its last event."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class RunRow(Manifest, frozen=True, kw_only=True):
    """A run as the trail knows it.

    :param events: number of its events; :param head: hash of the last one, or of the run's own header.
    :param outcome: None while the run is open.
    :param closing: its closing hash as the flow's chain holds it, "" while the run is open.
    """

    run_id: str
    flow: str
    period: str
    mode: str
    requested_by: str
    opened_at: datetime
    detail: dict[str, Any]
    events: int
    head: str
    outcome: RunOutcome | None = None
    closed_at: datetime | None = None
    closing: str = ""

    @property
    def ref(self) -> RunRef:
        """Return the reference that steps hand on."""
        return RunRef(run_id=self.run_id, flow=self.flow, period=self.period, mode=self.mode)


class FlowHead(Manifest, frozen=True, kw_only=True):
    """The end of a flow's chain: the number of its links, when the last was added, and its hash, which proves all."""

    flow: str
    links: int
    at: datetime
    head: str


class EventRow(Manifest, frozen=True, kw_only=True):
    """An event of a run; ``seq`` counts from 1, ``hash`` covers everything else and ``previous``."""

    run_id: str
    seq: int
    kind: str
    at: datetime
    detail: dict[str, Any]
    files: tuple[StagedFile, ...]
    rows_digest: str
    previous: str
    hash: str


class BatchTicket(Manifest, frozen=True, kw_only=True):
    """The right to add one batch to a book; a higher ``seq`` began to read later, so its version of a record wins."""

    batch_id: str
    seq: int
    run_id: str
    scope: BookScope
    mode: str
    started_at: datetime


class BatchRow(Manifest, frozen=True, kw_only=True):
    """A batch: what one read of one dataset brought. Unfinished while ``finished_at`` is None.

    :param file: Parquet of the rows; None when nothing was read.
    :param sums: per money column, the sum over the batch, as text.
    :param cursor: largest modified stamp seen.
    :param resource: the ERP's own name of what was read.
    """

    batch_id: str
    seq: int
    run_id: str
    scope: BookScope
    mode: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    sums: dict[str, str]
    file: StagedFile | None
    cursor: datetime | None
    resource: str
    requests: int


class BookFile(Manifest, frozen=True, kw_only=True):
    """A file of a book, and the batch up to which it speaks.

    :param whole: of a base, the seq of the read of the whole period that it stands on; smaller than ``seq`` once
        changes were merged into it. None: ``seq`` itself.
    """

    file: StagedFile
    batch_id: str
    seq: int
    rows: int
    whole: int | None = None

    @property
    def whole_seq(self) -> int:
        """Seq of the read of the whole period under it."""
        return self.seq if self.whole is None else self.whole


class BookState(Manifest, frozen=True, kw_only=True):
    """A book at one version: a base, and changes to be laid over it in order. Version 0 is a book never written."""

    version: int = 0
    base: BookFile | None = None
    changes: tuple[BookFile, ...] = ()
    columns_digest: str = ""


class Accepted(Manifest, frozen=True, kw_only=True):
    """What Anaplan last accepted of a cell scope. Version 0 is a scope never loaded.

    :param file: Parquet of the accepted cells.
    :param in_flight: Parquets of cells that were sent without a known outcome: their values are unknown.
    :param watermark: from where the next read of changes starts.
    """

    version: int = 0
    file: StagedFile | None = None
    in_flight: tuple[StagedFile, ...] = ()
    watermark: datetime | None = None


class RejectKind(StrEnum):
    """Why a row is an exception: Anaplan refused it, we held it back, or Anaplan took it with a warning."""

    REJECTED = "rejected"
    QUARANTINED = "quarantined"
    WARNED = "warned"


class Reject(Manifest, frozen=True, kw_only=True):
    """A row that did not go through as meant.

    :param line: its line in the import file, counted from 1 without the header.
    :param record_id: the ERP's key of the row, where the row is one record.
    :param cell: address of the target cell, by column of the import file.
    :param amount: exact decimal as text.
    :param values: the row as it was sent or read.
    """

    kind: RejectKind
    dataset: str
    reason: str
    import_name: str = ""
    line: int | None = None
    record_id: str | None = None
    cell: dict[str, str] = {}
    amount: str | None = None
    values: dict[str, Any] = {}


class RejectRow(Manifest, frozen=True, kw_only=True):
    """A reject as the trail holds it: ``event`` announced it, as its row number ``position``."""

    run_id: str
    event: int
    position: int
    reject: Reject


class ProblemKind(StrEnum):
    """What a check of the trail found."""

    RUN_CHANGED = "run_changed"
    RUN_MISSING = "run_missing"
    EVENT_CHANGED = "event_changed"
    EVENT_MISSING = "event_missing"
    ROWS_CHANGED = "rows_changed"
    CHAIN_BROKEN = "chain_broken"
    FILE_BAD = "file_bad"


class Problem(Manifest, frozen=True, kw_only=True):
    """Something that is not what the chain says; ``subject`` names it: a run, an event, a batch, a file key.

    :param advice: what to do about it.
    """

    kind: ProblemKind
    subject: str
    sentence: str
    advice: str = ""


class Pruned(Manifest, frozen=True, kw_only=True):
    """What retention took, and why it left what it had to leave.

    :param runs: those that went, as they were.
    :param problems: of runs that were old enough and stay as evidence, since they are not what the chain says.
    """

    runs: tuple[RunRow, ...]
    problems: tuple[Problem, ...] = ()
