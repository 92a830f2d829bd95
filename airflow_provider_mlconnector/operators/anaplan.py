# SPDX-License-Identifier: Apache-2.0
"""Anaplan's actions as tasks, for use without a flow: upload, import, export, process and delete.

All work under the model's lease, so that no two of them, nor a flow, ever run in one model at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.operators.base import AnaplanOperator, Desk
from airflow_provider_mlconnector.operators.files import check_header, deliver, local_copy
from airflow_provider_mlconnector.operators.remote import Idle, RemoteTaskOperator, Started
from airflow_provider_mlconnector.operators.running import has_ended, owner_of
from airflow_provider_mlconnector.outcomes import counts_of
from airflow_provider_mlconnector.pipeline.stage import digest, scratch_file
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskStatus
from airflow_provider_mlconnector.trail.records import EventKind

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.pipeline.modelwork import Finished, ModelWork


class ActionOperator(RemoteTaskOperator):
    """Runs one action of a model.

    :param action: its name or id.
    :param tolerate: rejected rows that are still a success: a number, or a share of the rows such as ``0.5%``.
    """

    template_fields: Sequence[str] = (*AnaplanOperator.template_fields, "action")
    kind: ActionKind
    lookup: Kind
    repeatable = True

    def __init__(self, *, action: str, tolerate: int | str = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.action = action
        self.tolerate = tolerate

    def begin(self, desk: Desk, work: ModelWork) -> Started | Idle:
        """Find the action and start it."""
        from airflow_provider_mlconnector.pipeline.starting import ActionJob

        found = desk.model.resolve(self.lookup, self.action)
        with ExitStack() as stack:
            upload = self.upload_for(desk, found.id, stack)
            job = ActionJob(
                self.kind,
                found.id,
                mapping=self.mapping_values,
                upload=upload,
                repeatable=self.repeatable,
                fingerprint=self._fingerprint(desk, found.id, upload),
            )
            return Started(work.begin(job), {"name": found.name})

    def finish(self, desk: Desk, work: ModelWork, started: Started, status: TaskStatus) -> dict[str, Any]:
        """Fetch the dumps, put rejected rows on the trail and judge the outcome."""
        from airflow_provider_mlconnector.flows.spec import parse_tolerance
        from airflow_provider_mlconnector.operators.rejects import note_rejects
        from airflow_provider_mlconnector.pipeline.ending import judge

        finished = work.finish(started.ref, status)
        note_rejects(desk.bench, desk.run.run_id, self.action, finished)
        judge(finished.outcome, parse_tolerance(self.tolerate), finished.outcome.sent)
        return {
            "action": started.state["name"],
            "task_id": started.ref.task_id,
            **counts_of(finished.outcome),
            "dumps": [dump.file.to_json() for dump in finished.dumps],
            **self.fetch(desk, started.ref.action_id, finished),
        }

    @property
    def mapping_values(self) -> Mapping[str, str]:
        """Return the members for dimensions that an import asks for when it runs."""
        return {}

    def upload_for(self, desk: Desk, action_id: str, stack: ExitStack) -> tuple[str, Path] | None:
        """Return file id and local file to upload first, if any."""
        return None

    def fetch(self, desk: Desk, action_id: str, finished: Finished) -> dict[str, Any]:
        """Fetch what the action left behind, while the model is still ours; return what to say about it."""
        return {}

    def _fingerprint(self, desk: Desk, action_id: str, upload: tuple[str, Path] | None) -> str:
        """Digest all that makes this the same piece of work when it is tried again."""
        model = desk.model.ref.model_id
        content = digest(upload[1]) if upload else ""
        parts = [self.anaplan_conn_id, model, self.kind, action_id, dict(self.mapping_values), content]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class AnaplanImportOperator(ActionOperator):
    """Runs an import, after uploading a file to it if one is given; both are one piece of work under the lease.

    :param action: name or id of the import.
    :param file: local path or object store URL of the file to upload; its header is checked first.
    :param mapping: by dimension, the member for a mapping that the import asks for when it runs.
    """

    template_fields: Sequence[str] = (*ActionOperator.template_fields, "file", "mapping")
    kind = ActionKind.IMPORT
    lookup = Kind.IMPORT

    def __init__(self, *, file: str | None = None, mapping: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.mapping = mapping

    @property
    def mapping_values(self) -> Mapping[str, str]:
        """Return the members by dimension."""
        return self.mapping or {}

    def upload_for(self, desk: Desk, action_id: str, stack: ExitStack) -> tuple[str, Path] | None:
        """Return the import's own file and what to put into it."""
        from airflow_provider_mlconnector.errors import ConfigurationError

        if not self.file:
            return None
        source = desk.model.import_source(action_id)
        if source.file_id is None:
            raise ConfigurationError(f"Import '{self.action}' reads no file.", hint="Leave the file out.")
        path = stack.enter_context(local_copy(desk.bench.stage, self.file))
        check_header(source, path, self.action)
        return source.file_id, path


class AnaplanExportOperator(ActionOperator):
    """Runs an export and brings its file to where it is wanted.

    :param action: name or id of the export.
    :param target: local path or object store URL; a file that is there already is replaced.
    """

    template_fields: Sequence[str] = (*ActionOperator.template_fields, "target")
    kind = ActionKind.EXPORT
    lookup = Kind.EXPORT

    def __init__(self, *, target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target

    def fetch(self, desk: Desk, action_id: str, finished: Finished) -> dict[str, Any]:
        """Download the file, under the lease: the next run of the export replaces it."""
        with scratch_file(desk.bench.stage, ".export") as local:
            size = desk.model.download(action_id, local)
            sha256 = digest(local)
            deliver(local, self.target)
        detail = {"export": self.action, "target": self.target, "bytes": size, "sha256": sha256}
        desk.bench.trail.record(desk.run.run_id, EventKind.EXPORTED, detail)
        return {"target": self.target, "bytes": size, "sha256": sha256}


class AnaplanProcessOperator(ActionOperator):
    """Runs a process; upload the files of its imports by :class:`AnaplanUploadOperator` before.

    :param action: name or id of the process.
    :param repeatable: running it twice does no harm. When an answer gets lost and somebody else started the same
        process meanwhile, a repeatable one is started once more; another one fails with the question.
    """

    kind = ActionKind.PROCESS
    lookup = Kind.PROCESS

    def __init__(self, *, repeatable: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repeatable = repeatable


class AnaplanDeleteOperator(ActionOperator):
    """Runs a delete action, or any other action that Anaplan lists beside imports, exports and processes.

    :param action: name or id of the action.
    """

    kind = ActionKind.ACTION
    lookup = Kind.ACTION
    repeatable = False


class AnaplanUploadOperator(AnaplanOperator):
    """Uploads a file into a file object of a model.

    An import that reads it runs later: to be sure that nobody puts another file there between the two, give the file to
    :class:`AnaplanImportOperator` instead.

    :param file_name: name or id of the file object.
    :param path: local path or object store URL of what to upload.
    """

    template_fields: Sequence[str] = (*AnaplanOperator.template_fields, "file_name", "path")

    def __init__(self, *, file_name: str, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file_name = file_name
        self.path = path

    def execute(self, context: Context) -> dict[str, Any]:
        """Upload under the model's lease."""
        from airflow_provider_mlconnector.pipeline.leasing import ModelLease

        with self.at_desk(context) as desk, local_copy(desk.bench.stage, self.path) as path:
            file = desk.model.resolve(Kind.FILE, self.file_name)
            ended = partial(has_ended, context)
            lease = ModelLease(desk.bench, desk.model, owner_of(context), desk.run.run_id, ended)
            lease.hold()
            try:
                lease.see_earlier_task_over()
                desk.model.ensure_ready()
                sent = desk.model.upload(file.id, path, fence=lease.fence)
            finally:
                lease.release()
            done = {"file": file.name, "file_id": file.id, "chunks": sent.chunks, "bytes": sent.bytes}
            desk.bench.trail.record(desk.run.run_id, EventKind.UPLOADED, done)
            return {**done, "sha256": digest(path)}
