# SPDX-License-Identifier: Apache-2.0
"""What a task reports: details with counts, rejected rows, nested results of a process."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents

MOST_ROW_DETAILS = 20


class Severity(StrEnum):
    """``W``: loaded with a warning; ``E``: rejected."""

    WARNING = "W"
    ERROR = "E"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a row; ``reason`` is a detail code."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A row of the failure dump; ``values`` are all columns of the source."""

    line: int
    severity: Severity
    values: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Tally:
    """Counts of an import's rows. Each row is loaded, loaded with a warning, failed or ignored."""

    created: int = 0
    updated: int = 0
    warned_created: int = 0
    warned_updated: int = 0
    renamed: int = 0
    failed: int = 0
    ignored: int = 0

    def loaded(self, *, created: bool, warned: bool = False) -> None:
        """Count a loaded row."""
        if warned:
            self.warned_created += created
            self.warned_updated += not created
        else:
            self.created += created
            self.updated += not created

    @property
    def successes(self) -> int:
        """Return the rows loaded without a warning."""
        return self.created + self.updated

    @property
    def warnings(self) -> int:
        """Return the rows loaded with a warning."""
        return self.warned_created + self.warned_updated

    @property
    def total(self) -> int:
        """Return all rows."""
        return self.successes + self.warnings + self.failed + self.ignored

    def values(self, name_key: str, name: str) -> tuple[str, ...]:
        """Return the flat key, value list of a task's detail."""
        all_created, all_updated = self.created + self.warned_created, self.updated + self.warned_updated
        pairs: tuple[tuple[str, object], ...] = (
            (name_key, name),
            ("successRowCount", self.successes),
            ("successCreateCount", self.created),
            ("successUpdateCount", self.updated),
            ("warningsRowCount", self.warnings),
            ("warningsCreateCount", self.warned_created),
            ("warningsUpdateCount", self.warned_updated),
            ("failedCount", self.failed),
            ("ignoredCount", self.ignored),
            ("totalRowCount", self.total),
            ("totalCreateCount", all_created),
            ("totalUpdateCount", all_updated),
            ("invalidCount", self.failed),
            ("updatedCount", all_updated),
            ("renamedCount", self.renamed),
            ("createdCount", all_created),
        )
        return tuple(str(word) for pair in pairs for word in pair)

    def sentence(self, name: str) -> str:
        """Return the counts as Anaplan words them."""
        done = f"{name}: {self.successes} ({self.created}/{self.updated}) rows successful"
        if not self.failed and not self.warnings:
            return f"{done}, {self.ignored} ignored "
        warned = f"{self.warnings} ({self.warned_created}/{self.warned_updated}) rows has warnings"
        return f"{done}, {warned}, {self.failed} failed, {self.ignored} ignored"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import made of a file: the new contents, its counts and the rows of its failure dump."""

    contents: Contents
    tally: Tally
    header: tuple[str, ...]
    rejects: Sequence[Reject]


@dataclass(frozen=True, slots=True)
class Detail:
    """One detail of a result; ``values`` is a flat key, value list."""

    type: str
    text: str
    occurrences: int = 0
    values: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as the API writes it."""
        return {
            "type": self.type,
            "occurrences": self.occurrences,
            "localMessageText": self.text,
            "values": list(self.values),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one action."""

    object_id: str
    object_name: str
    successful: bool
    details: tuple[Detail, ...] = ()
    dump: Path | None = None
    nested: tuple[Result, ...] = field(default_factory=tuple)
    is_process: bool = False
    started_at: datetime | None = None
    seconds: float = 0.0

    def to_json(self, *, timing: bool = False) -> dict[str, Any]:
        """Return it as the API writes it; a process has no details of its own."""
        body: dict[str, Any] = {
            "successful": self.successful,
            "objectId": self.object_id,
            "objectName": self.object_name,
            "failureDumpAvailable": self.dump is not None,
            "details": [detail.to_json() for detail in self.details],
        }
        if self.is_process:
            body["nestedResults"] = [nested.to_json(timing=timing) for nested in self.nested]
        if timing and self.started_at is not None:
            body |= {"startTime": self.started_at.isoformat(), "duration": f"{self.seconds:.3f}"}
        return body


def failure(object_id: str, object_name: str, reason: str, message: str) -> Result:
    """Return the result of an action that did nothing."""
    return Result(object_id, object_name, successful=False, details=(Detail(reason, message),))


def import_details(loaded: Loaded, name: str, *, is_list: bool) -> tuple[Detail, ...]:
    """Return the summary of an import, then what was wrong with its rows, by kind."""
    tally = loaded.tally
    if is_list and not tally.total:
        return (Detail("hierarchyNoChanges", f"{name}: no changes required", 0, ("hierarchyName", name)),)
    suffix = "WithFailures" if tally.failed or tally.warnings else ""
    kind, key = ("hierarchyRowsProcessed", "hierarchyName") if is_list else ("lineItemRowsProcessed", "moduleName")
    summary = Detail(kind + suffix, tally.sentence(name), 0, tally.values(key, name))
    return (summary, *_row_details(loaded.rejects))


def _row_details(rejects: Sequence[Reject]) -> list[Detail]:
    findings = Counter(finding for reject in rejects for finding in reject.findings)
    common = findings.most_common(MOST_ROW_DETAILS)
    return [Detail(finding.reason, finding.message, count) for finding, count in common]


def write_dump(path: Path, header: Sequence[str], rejects: Sequence[Reject]) -> None:
    """Write a failure dump: status, source columns, line, and as many error columns as a row needs at most."""
    width = max(len(reject.findings) for reject in rejects)
    errors = [f"_Error_{number}_" for number in range(1, width + 1)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(["_Status_", *header, "_Line_", *errors])
        for reject in sorted(rejects, key=lambda reject: reject.line):
            messages = [finding.message for finding in reject.findings]
            padding = [""] * (width - len(messages))
            writer.writerow([reject.severity, *reject.values, reject.line, *messages, *padding])
