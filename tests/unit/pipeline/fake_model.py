# SPDX-License-Identifier: Apache-2.0
"""An Anaplan model in memory: imports that really change cells, tasks that end when asked, answers that get lost."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.errors import LostAnswerError, MlconnectorError, NotFoundError
from airflow_provider_mlconnector.systems.anaplan.definitions import Import, ImportSource, Kind, Members, ModelRef
from airflow_provider_mlconnector.systems.anaplan.tasks import (
    ActionKind,
    Outcome,
    TaskRef,
    TaskState,
    TaskStatus,
    TaskSummary,
)
from airflow_provider_mlconnector.systems.anaplan.uploads import Uploaded

HEADER = ("Account", "Cost Centre", "Version", "Time", "Amount")
MODEL = ModelRef("8a81b09c5e8c6f27015ece3402487d33", "A1B2C3D4E5F60718293A4B5C6D7E8F90", "Finance", "FP&A Hub")
FILE, IMPORT = "113000000001", "112000000001"


@dataclass
class FakeTask:
    """A task; its work is done when it is first asked about, or when ``run_tasks`` is called."""

    task_id: str
    kind: ActionKind
    action_id: str
    state: TaskState = TaskState.IN_PROGRESS
    outcome: Outcome | None = None
    dump: str = ""


@dataclass
class FakeModel:
    """One model with one import of cells.

    :param rejected: accounts whose lines the import refuses.
    :param lists: members by list; where there is one of accounts, the import refuses those that it lacks.
    :param clears: the import clears its target first.
    :param on_start: called before the task is made; may raise.
    :param lose_answer: the start makes the task, but its answer gets lost.
    """

    header: tuple[str, ...] | None = HEADER
    rejected: set[str] = field(default_factory=set)
    ignored: int = 0
    dump_lines: bool = True
    told_counts: bool = True
    lose_answer: bool = False
    lose_request: bool = False
    hold: bool = False
    not_ready: MlconnectorError | None = None
    fails: bool = False
    clears: bool = False
    on_upload: Callable[[], None] = lambda: None
    on_start: Callable[[], None] = lambda: None
    cells: dict[tuple[str, ...], str] = field(default_factory=dict)
    made: list[FakeTask] = field(default_factory=list)
    uploads: list[bytes] = field(default_factory=list)
    lists: dict[str, Members] = field(default_factory=dict)
    ref: ModelRef = MODEL
    host: str = "api.anaplan.test"
    request_timeout: float = 320.0

    def ensure_ready(self) -> None:
        if self.not_ready:
            raise self.not_ready

    def resolve(self, kind: Kind, name: str) -> Import:
        return Import(IMPORT, name)

    def import_source(self, import_id: str) -> ImportSource:
        return ImportSource(FILE, self.header)

    def upload(self, file_id: str, path: Path, *, fence: Callable[[], None], **_: Any) -> Uploaded:
        fence()
        self.on_upload()
        self.uploads.append(path.read_bytes())
        return Uploaded(1, path.stat().st_size)

    def tasks(self, kind: ActionKind, action_id: str) -> tuple[TaskSummary, ...]:
        return tuple(TaskSummary(task.task_id, task.state) for task in self.made)

    def start(
        self, kind: ActionKind, action_id: str, mapping: Mapping[str, str] | None = None, *, fence: Callable[[], None]
    ) -> str:
        fence()
        self.on_start()
        if self.lose_request:
            self.lose_request = False
            raise LostAnswerError("the connection broke")
        task = self.foreign(kind, action_id)
        if self.lose_answer:
            self.lose_answer = False
            raise LostAnswerError("the connection broke")
        return task.task_id

    def foreign(self, kind: ActionKind = ActionKind.IMPORT, action_id: str = IMPORT) -> FakeTask:
        """Make a task, as somebody else would."""
        task = FakeTask(f"{len(self.made) + 1:032X}", kind, action_id)
        self.made.append(task)
        return task

    def task(self, ref: TaskRef) -> TaskStatus:
        task = self._find(ref)
        if task.state is TaskState.IN_PROGRESS and not self.hold:
            self._run(task)
        return TaskStatus(task.task_id, task.state, outcome=task.outcome)

    def cancel(self, ref: TaskRef) -> None:
        self._find(ref).state = TaskState.CANCELLED

    def dump(self, ref: TaskRef, target: Path, object_id: str | None = None) -> bool:
        text = self._find(ref).dump
        if text:
            target.write_text(text, encoding="utf-8")
        return bool(text)

    def members(self, list_name: str) -> Members:
        return self.lists[list_name]

    def view_cells(self, view_name: str, target: Path) -> Path:
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows([*key, amount] for key, amount in self.cells.items())
        return target

    def amounts(self) -> dict[tuple[str, str], Decimal]:
        """Return the amounts by account and cost centre, without cells that are zero."""
        found = {(key[0], key[1]): Decimal(amount) for key, amount in self.cells.items()}
        return {key: amount for key, amount in found.items() if amount}

    def _find(self, ref: TaskRef) -> FakeTask:
        for task in self.made:
            if task.task_id == ref.task_id:
                return task
        raise NotFoundError("no such task")

    def _run(self, task: FakeTask) -> None:
        """Import the file that was uploaded last."""
        task.state = TaskState.COMPLETE
        if self.fails:
            task.outcome = Outcome(False, types=("importFailedGeneralError",), messages=("it failed",))
            return
        lines = list(csv.reader(self.uploads[-1].decode().splitlines()))
        header, rows = lines[0], lines[1:]
        if self.clears:
            self.cells.clear()
        refused = [(at, row) for at, row in enumerate(rows, 2) if self._refuses(row[0])]
        for row in rows:
            if not self._refuses(row[0]):
                self.cells[tuple(row[:-1])] = row[-1]
        if refused and self.dump_lines:
            task.dump = "\n".join(
                [
                    ",".join(['"_Status_"', *header, '"_Line_"', '"_Error_1_"']),
                    *(",".join(['"E"', *row, str(at), '"no such account"']) for at, row in refused),
                ]
            )
        task.outcome = self._outcome(len(rows), len(refused))

    def delete_account(self, account: str) -> None:
        """Delete a member as a person does; its cells go with it."""
        self.lists["Accounts"] = without(self.lists["Accounts"], account)
        self.cells = {key: amount for key, amount in self.cells.items() if key[0] != account}

    def _refuses(self, account: str) -> bool:
        accounts = self.lists.get("Accounts")
        return account in self.rejected or (accounts is not None and account not in accounts.by_code)

    def _outcome(self, sent: int, refused: int) -> Outcome:
        if not self.told_counts:
            return Outcome(True)
        return Outcome(
            True,
            sent=sent,
            loaded=sent - refused - self.ignored,
            rejected=refused,
            ignored=self.ignored,
            failure_dump=bool(refused),
        )


def without(members: Members, code: str) -> Members:
    """Return a list less one member."""
    left = {known: name for known, name in members.by_code.items() if known != code}
    return Members(left, {name: known for known, name in left.items()})


class MemoryStore:
    """A job store that outlives what works with it."""

    def __init__(self) -> None:
        self.record: dict[str, Any] | None = None

    def get(self) -> dict[str, Any] | None:
        return self.record

    def set(self, record: dict[str, Any]) -> None:
        self.record = record
