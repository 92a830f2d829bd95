# SPDX-License-Identifier: Apache-2.0
"""What a trigger does off the event loop: one look at a remote task or at a model, on connections that it keeps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_mlconnector.systems.anaplan.definitions import ModelRef
from airflow_provider_mlconnector.systems.anaplan.flags import Flag
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskRef, TaskStatus
from airflow_provider_mlconnector.trail.leases import Lease, Leases
from airflow_provider_mlconnector.trail.records import EventKind

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
    from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
    from airflow_provider_mlconnector.trail.store import Trail

_CONFIRM_SECONDS = 10.0
_CONFIRM_EVERY = 1.0


@dataclass(slots=True)
class TaskWatch:
    """Looks at one remote task and keeps the model's lease alive while it runs."""

    client: AnaplanClient
    model: AnaplanModel
    ref: TaskRef
    trail: Trail
    lease: Lease | None
    lease_seconds: float

    @classmethod
    def open(
        cls, hook: AnaplanHook, task: Mapping[str, Any], lease: Mapping[str, Any] | None, lease_seconds: float
    ) -> Self:
        """Connect; nothing is sent to Anaplan yet."""
        ref = TaskRef.from_json(task)
        client = hook.get_client()
        return cls(
            client=client,
            model=client.model(ModelRef(ref.workspace_id, ref.model_id, ref.workspace_id, ref.model_id)),
            ref=ref,
            trail=hook.trail,
            lease=Lease.from_json(dict(lease)) if lease else None,
            lease_seconds=lease_seconds,
        )

    def look(self) -> TaskStatus:
        """Renew the lease, then ask Anaplan how far the task is.

        :raises FencedError: when somebody else took the model over.
        """
        if self.lease is not None:
            self.lease = self._leases.renew(self.lease, self.lease_seconds)
        return self.model.task(self.ref)

    def cancel(self, run_id: str) -> None:
        """Cancel the task, wait a moment for it to be over, and say on the trail what came of it."""
        self.model.cancel(self.ref)
        over = self._over()
        if over and self.lease is not None:
            self._leases.release(self.lease)
        if run_id:
            detail = {"task": self.ref.to_json(), "by": "a person, in Airflow", "confirmed": over}
            self.trail.record(run_id, EventKind.CANCELLED, detail)

    def close(self) -> None:
        """Release connections."""
        self.client.close()

    @property
    def _leases(self) -> Leases:
        return Leases(self.trail.engine)

    def _over(self) -> bool:
        until = time.monotonic() + _CONFIRM_SECONDS
        while not self.model.task(self.ref).state.over:
            if time.monotonic() > until:
                return False
            time.sleep(_CONFIRM_EVERY)
        return True


@dataclass(slots=True)
class ModelWatch:
    """Looks whether a model is free."""

    client: AnaplanClient
    model: AnaplanModel

    @classmethod
    def open(cls, hook: AnaplanHook, workspace: str, model: str) -> Self:
        """Connect and find the model."""
        client = hook.get_client()
        return cls(client, client.model(client.resolve_model(workspace, model)))

    def look(self) -> str:
        """See that the model can be worked with now; there is nothing more to wait for.

        :raises ModelBusyError: while it cannot.
        """
        self.model.ensure_ready()
        return ""

    def close(self) -> None:
        """Release connections."""
        self.client.close()


@dataclass(slots=True)
class FlagWatch(ModelWatch):
    """Looks whether people have set a flag in a model."""

    flag: Flag

    @classmethod
    def watching(cls, hook: AnaplanHook, workspace: str, model: str, flag: Flag) -> Self:
        """Connect and find the model."""
        client = hook.get_client()
        return cls(client, client.model(client.resolve_model(workspace, model)), flag)

    def look(self) -> str:
        """Return what is missing as a sentence, "" when nothing is.

        :raises ModelBusyError: while the model cannot be read.
        """
        self.model.ensure_ready()
        return self.flag.unset(self.model)
