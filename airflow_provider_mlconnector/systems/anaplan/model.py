# SPDX-License-Identifier: Apache-2.0
"""One model: what it is made of, its files, its tasks and its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    LostAnswerError,
    MlconnectorError,
    ModelBusyError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RemoteError,
    ServerError,
)
from airflow_provider_mlconnector.systems.anaplan import definitions, downloads, reads, tasks
from airflow_provider_mlconnector.systems.anaplan.definitions import (
    Action,
    Export,
    ExportLayout,
    File,
    Import,
    ImportSource,
    Kind,
    List,
    Members,
    ModelInfo,
    ModelRef,
    ModelStatus,
    Named,
    Process,
    View,
)
from airflow_provider_mlconnector.systems.anaplan.ports import Fence, no_fence
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskStatus, TaskSummary
from airflow_provider_mlconnector.systems.anaplan.uploads import CHUNK_BYTES, PARALLEL, Upload, Uploaded
from airflow_provider_mlconnector.systems.anaplan.wire import ModelApi, is_not_offered, object_of

PROBE_TIMEOUT = (10.0, 60.0)  # a model that keeps us waiting for a minute is busy, or waking up
REQUEST_SLACK = 10.0  # seconds that a request may be on its way beyond our own time-outs
LOCALE = "en_US"  # the only one that Anaplan supports, and mandatory
CLOSED_TO_US = frozenset({"LOCKED", "MAINTENANCE", "PRODUCTION_MAINTENANCE"})
ARCHIVED = "ARCHIVED"


class AnaplanModel:
    """Works with one model. Collections are asked for anew at every call.

    Everything but tasks, dumps and definitions of actions raises ModelBusyError while the model is busy, locked or
    offline, and ModelUnavailableError when it is archived; see :class:`wire.ModelApi`.
    """

    def __init__(self, ref: ModelRef, api: ModelApi) -> None:
        self.ref = ref
        self._api = api

    @property
    def host(self) -> str:
        """Where the model is, such as ``api.anaplan.com``; host and model id together name its lease."""
        return urlsplit(self._api.session.base_url).netloc

    @property
    def request_timeout(self) -> float:
        """Seconds after which a request that was sent, whatever became of it, can no longer take effect."""
        return sum(self._api.session.transport.timeout) + REQUEST_SLACK

    # What it is and does

    def details(self) -> ModelInfo:
        """Ask what the model is, and whether something changes it just now."""
        return definitions.parse_model(self._api.about({"modelDetails": "true"}, PROBE_TIMEOUT))

    def status(self) -> ModelStatus:
        """Ask what the model does just now, and for whom."""
        answer = self._api.read(self._api.path("status"), timeout=PROBE_TIMEOUT)
        return definitions.parse_model_status(object_of(answer, "requestStatus"))

    def ensure_ready(self) -> None:
        """See that the model can be worked with now.

        A deployed model (PRODUCTION) is ready: imports, exports and processes run in it as long as they do not change
        its structure. One that would is answered 425 by Anaplan, and that is ModelUnavailableError. Where the details
        may not be seen, or the server offers none, the model counts as ready: the next request will tell.

        :raises ModelBusyError: when waiting helps; ``state`` is locked, maintenance, changing, hanging …
        :raises ModelUnavailableError: when it does not.
        """
        try:
            model = self.details()
        except (NotFoundError, PermissionDeniedError, BadRequestError):
            return
        if model.active_state == ARCHIVED:
            raise ModelUnavailableError(f"Model {self._name(model)} is archived.", hint="Unarchive it in Anaplan.")
        if model.active_state in CLOSED_TO_US:
            state = model.active_state.lower().replace("_", " ")
            raise ModelBusyError(f"Model {self._name(model)} is in the state {state}.", state=state)
        if model.transaction_running:
            raise ModelBusyError(f"Model {self._name(model)} is being changed{self._by_whom()}.", state="changing")

    # What it is made of

    def imports(self) -> tuple[Import, ...]:
        """List the imports that the user may run."""
        return tuple(map(definitions.parse_import, self._api.listed(Kind.IMPORT)))

    def exports(self) -> tuple[Export, ...]:
        """List the exports that the user may run."""
        return tuple(map(definitions.parse_export, self._api.listed(Kind.EXPORT)))

    def processes(self) -> tuple[Process, ...]:
        """List the processes that the user may run."""
        return tuple(map(definitions.parse_process, self._api.listed(Kind.PROCESS)))

    def actions(self) -> tuple[Action, ...]:
        """List the other actions that the user may run, deletes among them."""
        return tuple(map(definitions.parse_action, self._api.listed(Kind.ACTION)))

    def files(self) -> tuple[File, ...]:
        """List the file objects."""
        return tuple(map(definitions.parse_file, self._api.rows(Kind.FILE)))

    def lists(self) -> tuple[List, ...]:
        """List the lists."""
        return tuple(map(definitions.parse_list, self._api.rows(Kind.LIST)))

    def views(self) -> tuple[View, ...]:
        """List the default and saved views of all modules."""
        return tuple(map(definitions.parse_view, self._api.rows(Kind.VIEW)))

    def resolve(self, kind: Kind, name_or_id: str) -> Named:
        """Find one thing by its exact name or its id. A saved view is found by its own name, too, without the module's.

        :raises UnknownNameError: when there is none, or more than one of that name; lists what there is.
        """
        listers: Mapping[Kind, Callable[[], tuple[Named, ...]]] = {
            Kind.IMPORT: self.imports,
            Kind.EXPORT: self.exports,
            Kind.PROCESS: self.processes,
            Kind.ACTION: self.actions,
            Kind.FILE: self.files,
            Kind.LIST: self.lists,
            Kind.VIEW: self.views,
        }
        return definitions.find(kind.noun, listers[kind](), name_or_id, within=f"Model {self.ref.model_name!r}")

    def import_source(self, import_id: str) -> ImportSource:
        """Ask what an import expects of its file, and which file it reads.

        :raises UnknownNameError: when there is no such import.
        """
        found = definitions.find("import", self.imports(), import_id, within=f"Model {self.ref.model_name!r}")
        answer = self._api.answer("GET", self._api.path("imports", found.id))
        return definitions.parse_import_source(object_of(answer, "importMetadata"), found.file_id)

    def export_layout(self, export_id: str) -> ExportLayout:
        """Ask what an export writes."""
        answer = self._api.answer("GET", self._api.path("exports", export_id))
        return definitions.parse_export_layout(object_of(answer, "exportMetadata"))

    # Files

    def upload(
        self,
        file_id: str,
        path: Path,
        *,
        fence: Fence = no_fence,
        chunk_bytes: int = CHUNK_BYTES,
        parallel: int = PARALLEL,
    ) -> Uploaded:
        """Upload a file from disk; returns only when every chunk is known to be stored.

        :param chunk_bytes: size of a chunk before compression; at most ``parallel`` of them are in memory.
        :raises FencedError: from ``fence``, before anything more is sent.
        :raises ProtocolError: when Anaplan stored another number of chunks, or took them for another file.
        :raises MlconnectorError: when a chunk cannot be stored; the file is then not completed.
        """
        return Upload(self._api, file_id, fence, parallel=parallel).file(path, chunk_bytes)

    def upload_chunks(
        self,
        file_id: str,
        blocks: Iterable[bytes],
        *,
        fence: Fence = no_fence,
        chunk_bytes: int = CHUNK_BYTES,
        parallel: int = PARALLEL,
    ) -> Uploaded:
        """Upload while the content is being made; blocks may be of any size. Otherwise as :meth:`upload`."""
        return Upload(self._api, file_id, fence, parallel=parallel).stream(blocks, chunk_bytes)

    def discard(self, file_id: str) -> None:
        """Delete this user's own content of a file, such as the output of an earlier export; none is no error."""
        with suppress(NotFoundError):
            self._api.send("DELETE", self._api.path(Kind.FILE, file_id))

    def download(self, file_id: str, target: Path) -> int:
        """Write a file's content to disk, chunk by chunk; return its bytes. An export's output has the export's id.

        :raises NotFoundError: when it holds no content for this user.
        """
        return downloads.download_file(self._api, file_id, target)

    # Tasks

    def start(
        self, kind: ActionKind, action_id: str, mapping: Mapping[str, str] | None = None, *, fence: Fence = no_fence
    ) -> str:
        """Start an action with one POST and return the task's id.

        :param mapping: member by dimension, for an import whose mapping asks at run time.
        :raises LostAnswerError: when it cannot be told whether a task was started; look into the task list.
        """
        body: dict[str, Any] = {"localeName": LOCALE}
        if mapping:
            body["mappingParameters"] = [
                {"entityType": dimension, "entityName": member} for dimension, member in mapping.items()
            ]
        path = self._api.path(kind.path, action_id, "tasks")
        try:
            answer = self._api.answer("POST", path, json=body, guard=fence)
        except (ServerError, ProtocolError) as exc:
            raise LostAnswerError(f"The start was not answered properly: {exc.message}", path=path) from exc
        task_id = object_of(answer, "task").get("taskId")
        if not task_id:
            raise LostAnswerError("The start was answered without a task id.", path=path)
        return str(task_id)

    def tasks(self, kind: ActionKind, action_id: str) -> tuple[TaskSummary, ...]:
        """List an action's recent tasks, oldest first; none where a server keeps no such list."""
        try:
            rows = self._api.listed(f"{kind.path}/{action_id}/tasks", "tasks")
        except RemoteError as exc:
            if is_not_offered(exc):
                return ()
            raise
        return tuple(sorted(map(tasks.parse_summary, rows), key=lambda task: task.created or 0.0))

    def task(self, ref: TaskRef) -> TaskStatus:
        """Ask how far a task is. A time-out is not sat through again: the caller polls anyway."""
        params = {"includeProcessDetails": "true"} if ref.kind is ActionKind.PROCESS else None
        answer = self._api.answer(
            "GET", self._task_path(ref), params=params, repeat_timeouts=False, timeout=PROBE_TIMEOUT
        )
        return tasks.parse_status(object_of(answer, "task"))

    def cancel(self, ref: TaskRef) -> None:
        """Ask Anaplan to cancel a task; its work is rolled back. One that is over, or gone, stays as it is."""
        with suppress(NotFoundError):
            self._api.session.request("DELETE", self._task_path(ref))

    def dump(self, ref: TaskRef, target: Path, object_id: str | None = None) -> bool:
        """Write the failure dump of a task to disk; return False when there is none.

        Take it at once: the next run of the import replaces it.

        :param object_id: the action within a process.
        """
        return downloads.download_dump(self._api, ref, target, object_id)

    # Data

    def read_view(self, view_id: str, target: Path) -> Path:
        """Write the cells of a view to a CSV file, one column per dimension and line item; return its path."""
        reads.read_view(self._api, view_id, target)
        return target

    def read_list(self, list_id: str, target: Path) -> Path:
        """Write the items of a list to a CSV file; return its path."""
        reads.read_list(self._api, list_id, target)
        return target

    def members(self, list_id: str) -> Members:
        """Return names and codes of a list's items."""
        return reads.read_members(self._api, list_id)

    def _task_path(self, ref: TaskRef) -> str:
        return self._api.path(ref.kind.path, ref.action_id, "tasks", ref.task_id)

    def _name(self, model: ModelInfo) -> str:
        return repr(model.name or self.ref.model_name)

    def _by_whom(self) -> str:
        """Return who runs what, as far as Anaplan tells."""
        try:
            tooltip = self.status().tooltip
        except MlconnectorError:
            return ""
        return f" ({tooltip})" if tooltip else ""
