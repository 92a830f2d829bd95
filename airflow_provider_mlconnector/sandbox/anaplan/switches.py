# SPDX-License-Identifier: Apache-2.0
"""What Anaplan's documents leave open or contradict, as switches; the defaults are what is best attested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

import msgspec


class SecondTask(StrEnum):
    """What a task start meets while another task runs: accepted and queued, 409, or no answer until it is over."""

    QUEUE = "queue"
    CONFLICT = "conflict409"
    HANG = "hang"


class WhileBusy(StrEnum):
    """What another request meets while a task runs."""

    HANG = "hang"
    ANSWER = "answer"


class CertFormat(StrEnum):
    """Which bodies of a certificate login are taken."""

    ANY = "any"
    V1 = "v1"
    V2 = "v2"


class CertHeader(StrEnum):
    """Which writing of the certificate in the header is taken: base64 of the PEM text, or of the DER bytes."""

    ANY = "any"
    PEM = "pem"
    DER = "der"


class TimeUnit(StrEnum):
    """Unit of the timestamp in a v2 certificate login."""

    SECONDS = "s"
    MILLISECONDS = "ms"


class Refresh(StrEnum):
    """Whether a refreshed token keeps its value."""

    SAME = "same"
    NEW = "new"


class RetryAfter(StrEnum):
    """Form of Retry-After on a 429."""

    SECONDS = "seconds"
    DATE = "date"
    NONE = "none"


class StartAnswer(StrEnum):
    """Answer to a task start: task with id, state and time; task with id alone; the id at top level."""

    TASK = "task"
    TASK_ID = "task_id"
    BARE = "bare"


class EmptyCollection(StrEnum):
    """Whether an empty collection drops its key."""

    OMIT = "omit"
    LIST = "list"


class OthersFile(StrEnum):
    """What a user without a private copy finds in a file: the default content, nothing (404) or an empty file."""

    DEFAULT = "default"
    MISSING = "404"
    EMPTY = "empty"


class MissingChunks(StrEnum):
    """What an import does with a file of which chunks are missing: load the rest without a word, or fail."""

    LOAD = "load"
    FAIL = "fail"


class PageHeader(StrEnum):
    """Which pages of a large read carry the header line."""

    FIRST = "first"
    EVERY = "every"


class ViewNames(StrEnum):
    """How the model's list of views names a saved view: ``Module.View``, or the view alone."""

    QUALIFIED = "qualified"
    PLAIN = "plain"


class Shown(StrEnum):
    """How views and exports show a member: by its name, by its code where it has one, or by what people call it.

    The last two differ from the first for numbered lists: ``#1`` is a name, and has a display name.
    """

    NAMES = "names"
    CODES = "codes"
    DISPLAY_NAMES = "display_names"


@dataclass(frozen=True, slots=True)
class Switches:
    """All switches and paces. Seconds are virtual but for ``hang_seconds``."""

    busy: SecondTask = SecondTask.QUEUE
    reads_while_busy: WhileBusy = WhileBusy.HANG
    uploads_while_busy: WhileBusy = WhileBusy.ANSWER
    hang_seconds: float = 300.0
    """After so many real seconds a hanging request is served all the same."""

    cert_format: CertFormat = CertFormat.ANY
    cert_header: CertHeader = CertHeader.ANY
    cert_time_unit: TimeUnit = TimeUnit.SECONDS
    cert_skew_seconds: float = 300.0
    refresh: Refresh = Refresh.SAME

    rate_limit: int = 600
    """Size of the tenant's bucket, refilled within a minute; 0 for no limit."""
    retry_after: RetryAfter = RetryAfter.SECONDS

    start_answer: StartAnswer = StartAnswer.TASK
    cancelled_has_result: bool = False
    cancel_terminal_is_404: bool = False
    partial_is_successful: bool = True
    """Whether an import that rejected some rows calls itself successful."""
    strange_task_state: str = ""
    """Reported instead of IN_PROGRESS, to see how a client bears a state that it does not know."""
    extra_fields: bool = False
    """Adds fields that no document names."""

    unknown_import_status: int = 500
    dump_absent_status: int = 404
    page_size: int = 5000
    empty_collections: EmptyCollection = EmptyCollection.OMIT
    others_file: OthersFile = OthersFile.DEFAULT
    missing_chunks: MissingChunks = MissingChunks.LOAD
    status_in_envelope: bool = False
    view_names: ViewNames = ViewNames.QUALIFIED
    members_shown: Shown = Shown.NAMES
    page_header: PageHeader = PageHeader.FIRST

    queue_seconds: float = 0.02
    """How long a task stays NOT_STARTED on an idle model."""
    task_seconds: float = 0.05
    longest_task_seconds: float = 0.3
    task_bytes_per_second: float = 200e6
    """A task takes ``task_seconds`` and the time of its file's bytes at this pace, up to the longest."""
    cancel_seconds: float = 0.05
    complete_seconds: float = 0.0
    open_seconds: float = 0.05
    read_request_seconds: float = 0.05

    read_page_rows: int = 20_000
    export_chunk_bytes: int = 10_000_000
    dump_chunk_bytes: int = 10_000_000

    def changed(self, changes: Mapping[str, Any]) -> Switches:
        """Return the switches with some of them set.

        :raises ValueError: when a name or a value is not one of the possible ones.
        """
        unknown = changes.keys() - {field.name for field in fields(self)}
        if unknown:
            raise ValueError(f"there is no switch {', '.join(sorted(unknown))}")
        return msgspec.convert({**asdict(self), **changes}, Switches)
