# SPDX-License-Identifier: Apache-2.0
"""What is hashed, and how: sha256 over canonical JSON text, each hash covering the one before.

A run's chain begins with the hash of its header; every event covers the hash before it, its own text, the digests of
the files and of the rows that it announces. A run's opening and its closing are links of its flow's chain; the closing
covers the run's header, the number of its events and the hash of the last. So a changed row, a changed file, a missing
tail and a missing run show, and a link goes on to prove what a run was after the run itself has been replaced by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_mlconnector.trail.database import to_text
from airflow_provider_mlconnector.trail.records import Manifest, RunRow, StagedFile


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, ASCII; decimals and times become text.

    :raises ValueError: for what JSON cannot say, such as NaN.
    :raises TypeError: for an object that is no JSON.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def header_hash(run: RunRow) -> str:
    """Return the hash that a run's chain begins with."""
    header = (run.run_id, run.flow, run.period, run.mode, run.requested_by, to_text(run.opened_at), run.detail)
    return _sha256(canonical(header))


def event_hash(previous: str, run_id: str, seq: int, kind: str, at: datetime, texts: Sequence[str]) -> str:
    """Return an event's hash; ``texts`` are its detail, its files and the digest of its rows, as stored."""
    return _sha256(canonical([previous, run_id, seq, kind, to_text(at), *texts]))


def link_hash(previous: str, flow: str, seq: int, kind: str, run_id: str, at: datetime, detail: str) -> str:
    """Return the hash of a link of a flow's chain; ``detail`` is its text as stored."""
    return _sha256(canonical([previous, flow, seq, kind, run_id, to_text(at), detail]))


def rows_digest(rows: Iterable[Mapping[str, Any] | Manifest]) -> str:
    """Return the digest of rows in their order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical(row).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def text_digest(text: str) -> str:
    """Return the digest of a state as it is stored; it equals the rows digest of that one state."""
    return _sha256(f"{text}\n")


def files_text(files: Sequence[StagedFile]) -> str:
    """Return the text that an event keeps of its files, and that its hash covers."""
    return canonical([file.to_json() for file in files])


def read_files(text: str) -> tuple[StagedFile, ...]:
    """Read what :func:`files_text` wrote."""
    return tuple(StagedFile.from_json(file) for file in json.loads(text))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, Decimal | date):
        return str(value)
    if isinstance(value, Manifest):
        return msgspec.to_builtins(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
