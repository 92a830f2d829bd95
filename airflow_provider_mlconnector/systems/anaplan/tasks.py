# SPDX-License-Identifier: Apache-2.0
"""Tasks as Anaplan tells them: what kind, which one, how far, and how it ended.

COMPLETE says that a task is over, not that it went well; that is read from its result, see :class:`Outcome`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import msgspec


class ActionKind(StrEnum):
    """What can be started. ``ACTION`` covers deletes and all else that Anaplan lists under actions."""

    IMPORT = "import"
    EXPORT = "export"
    ACTION = "action"
    PROCESS = "process"

    @property
    def path(self) -> str:
        """The collection in the API's paths."""
        return "processes" if self is ActionKind.PROCESS else f"{self.value}s"


class TaskRef(msgspec.Struct, frozen=True, kw_only=True):
    """The full address of one remote task; a task is found only under the action that started it."""

    workspace_id: str
    model_id: str
    kind: ActionKind
    action_id: str
    task_id: str

    def to_json(self) -> dict[str, str]:
        """Return a flat JSON object."""
        return msgspec.json.decode(msgspec.json.encode(self))  # type: ignore[no-any-return]  # a struct is an object

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return msgspec.convert(dict(data), cls)


class TaskState(StrEnum):
    """Anaplan's task states; one that it may add later reads as ``UNKNOWN`` and is waited through."""

    NOT_STARTED = "NOT_STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETE = "COMPLETE"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"

    @property
    def over(self) -> bool:
        """Whether the task will not move any more."""
        return self in (TaskState.COMPLETE, TaskState.CANCELLED)


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """A line of an action's task list; ``created`` is epoch seconds on Anaplan's clock."""

    task_id: str
    state: TaskState
    created: float | None = None


FAILURE_TYPES = frozenset(
    {
        "actionFailed", "connectorError", "crossCustomerImport", "deleteFromSelectionFailed", "failedToLocateEntity",
        "failedToLocateHierarchy", "failedToLocateModel", "failedToLocateModule", "failedToLocateSavedView",
        "hierarchyImportFailed", "hierarchyImportDuplicateSourceKey", "hierarchyImportDuplicateTargetKey",
        "importFailedGeneralError", "internalError", "missingFields", "moduleImportFailed", "moduleImportNoWriteAccess",
        "msgExportCancelled", "msgImportCancelled", "notAuthorised", "sourceModelArchived",
        "uploadedFileNoLongerAvailable",
    }
)  # fmt: skip  # the "failed" section of Anaplan's table of detail codes

FILE_GONE = "uploadedFileNoLongerAvailable"
ROWS_PROCESSED = "RowsProcessed"  # part of the codes of details that count rows; others tell what was wrong with some

HINTS = {
    "notAuthorised": "Give the user's model role the action and the module that it writes.",
    "moduleImportNoWriteAccess": "Give the user's model role write access to the module.",
    FILE_GONE: "Upload again as the same user: a private file lives for 48 hours without access.",
    "sourceModelArchived": "Unarchive the source model.",
    "missingFields": "The file lacks a column that the import needs; compare its header with the import's.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task, or one action of a process, ended. Counts are rows of the source; a process adds up its actions.

    :param successful: what Anaplan says; true although rows were rejected, false for a process that only had warnings.
    :param sent: rows that the import looked at.
    :param loaded: rows that it took, those with a warning included.
    :param messages: Anaplan's own sentences.
    :param types: detail codes of the API, see ``FAILURE_TYPES``.
    :param failure_dump: rejected or warned rows can be downloaded.
    :param object_id: the action; addresses the dump of one action in a process.
    """

    successful: bool
    sent: int = 0
    loaded: int = 0
    rejected: int = 0
    ignored: int = 0
    warned: int = 0
    messages: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    failure_dump: bool = False
    nested: tuple[Outcome, ...] = ()
    object_id: str = ""
    object_name: str = ""

    @property
    def failed(self) -> bool:
        """Whether the work was not done at all; rejected rows alone are for the caller's tolerance to judge.

        A process that is over without success, details or dump had warnings only; its actions decide.
        """
        if any(action.failed for action in self.nested):
            return True
        if FAILURE_TYPES.intersection(self.types):
            return bool(self.nested) or not self.loaded
        warnings_only = bool(self.nested) and not self.types
        return not self.successful and not self.rejected and not warnings_only

    @property
    def hint(self) -> str:
        """What to do about the failure, where Anaplan's code for it says so."""
        own = next((HINTS[kind] for kind in self.types if kind in HINTS), "")
        return own or next((action.hint for action in self.nested if action.hint), "")

    def sentence(self) -> str:
        """Return the counts, or what Anaplan says where there are none, in one line."""
        if self.sent:
            counts = f"{self.loaded} of {self.sent} rows loaded, {self.rejected} rejected, {self.ignored} ignored"
            return f"{counts}, {self.warned} with a warning."
        said = " ".join((*self.messages, *(action.sentence() for action in self.nested)))
        return said or ("Done." if not self.failed else "Anaplan gives no reason.")


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """One answer about one task.

    :param step: Anaplan's word for what it does, free text.
    :param progress: between 0 and 1.
    :param outcome: known once the task is over; a cancelled one may have none.
    """

    task_id: str
    state: TaskState
    step: str = ""
    progress: float = 0.0
    cancelled_by: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class _Counts:
    sent: int = 0
    loaded: int = 0
    rejected: int = 0
    ignored: int = 0
    warned: int = 0


def parse_state(text: Any) -> TaskState:
    """Read a state; what is not known is ``UNKNOWN``."""
    return TaskState(text) if text in TaskState.__members__ else TaskState.UNKNOWN


def parse_summary(task: Mapping[str, Any]) -> TaskSummary:
    """Read a line of a task list."""
    created = task.get("creationTime")
    return TaskSummary(
        task_id=str(task.get("taskId") or ""),
        state=parse_state(task.get("taskState")),
        created=created / 1000.0 if isinstance(created, (int, float)) else None,
    )


def parse_status(task: Mapping[str, Any]) -> TaskStatus:
    """Read the ``task`` object of a status answer."""
    result = task.get("result")
    progress = task.get("progress")
    return TaskStatus(
        task_id=str(task.get("taskId") or ""),
        state=parse_state(task.get("taskState")),
        step=str(task.get("currentStep") or ""),
        progress=float(progress) if isinstance(progress, (int, float)) else 0.0,
        cancelled_by=str(task.get("cancelledBy") or ""),
        outcome=parse_outcome(result) if isinstance(result, Mapping) else None,
    )


def parse_outcome(result: Mapping[str, Any]) -> Outcome:
    """Read the ``result`` of a task or of one action in a process."""
    details = [detail for detail in result.get("details") or () if isinstance(detail, Mapping)]
    nested = tuple(parse_outcome(inner) for inner in result.get("nestedResults") or () if isinstance(inner, Mapping))
    own = _same_rows([_counts(detail) for detail in details])
    return Outcome(
        successful=result.get("successful") is True,
        sent=own.sent + sum(action.sent for action in nested),
        loaded=own.loaded + sum(action.loaded for action in nested),
        rejected=own.rejected + sum(action.rejected for action in nested),
        ignored=own.ignored + sum(action.ignored for action in nested),
        warned=own.warned + sum(action.warned for action in nested),
        messages=tuple(str(detail["localMessageText"]).strip() for detail in details if detail.get("localMessageText")),
        types=tuple(str(detail["type"]) for detail in details if detail.get("type")),
        failure_dump=result.get("failureDumpAvailable") is True,
        nested=nested,
        object_id=str(result.get("objectId") or ""),
        object_name=str(result.get("objectName") or ""),
    )


def _counts(detail: Mapping[str, Any]) -> _Counts:
    values = detail.get("values") or ()
    if ROWS_PROCESSED not in str(detail.get("type")):
        return _Counts()
    if not isinstance(values, Sequence) or "totalRowCount" not in values:
        return _counts_in_text(str(detail.get("localMessageText") or ""))
    named = dict(zip(values[::2], values[1::2], strict=False))
    sent, rejected = _number(named.get("totalRowCount")), _number(named.get("failedCount"))
    ignored, warned = _number(named.get("ignoredCount")), _number(named.get("warningsRowCount"))
    told = named.get("successRowCount")
    loaded = max(0, sent - rejected - ignored) if told is None else _number(told) + warned
    return _Counts(sent, loaded, rejected, ignored, warned)


def _counts_in_text(text: str) -> _Counts:
    """Read counts from the sentence, for servers that leave ``values`` out.

    Such as: ``GL: 13 (0/13) rows successful, 0 (0/0) rows has warnings, 2 failed, 0 ignored``.
    """

    def count(word: str) -> int:
        found = re.search(rf"(\d+)(?: \(\d+/\d+\))?(?: rows?(?: has| have)?)? {word}", text)
        return int(found.group(1)) if found else 0

    done, warned, rejected, ignored = count("successful"), count("warnings"), count("failed"), count("ignored")
    return _Counts(done + warned + rejected + ignored, done + warned, rejected, ignored, warned)


def _same_rows(details: Sequence[_Counts]) -> _Counts:
    """Join the details of one action: each counts the same source rows, for another of its targets.

    What the counts of one target do not account for is not accounted for by the whole.
    """
    sent = max((detail.sent for detail in details), default=0)
    rejected = min(sent, sum(detail.rejected for detail in details))
    ignored = min(sent - rejected, max((detail.ignored for detail in details), default=0))
    warned = max((detail.warned for detail in details), default=0)
    apart = (detail.sent - detail.loaded - detail.rejected - detail.ignored for detail in details)
    return _Counts(sent, sent - rejected - ignored - max(apart, key=abs, default=0), rejected, ignored, warned)


def _number(text: Any) -> int:
    return int(text) if text is not None and str(text).isdigit() else 0
