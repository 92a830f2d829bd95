# SPDX-License-Identifier: Apache-2.0
"""The lease of one model, as one task holds it: taken, renewed, taken over when its holder is gone, given back.

The remote task that runs under it is noted on it, without an id from before the POST until the answer. Expired is not
free: a lease is taken over only when that task is over, and when a chunk that its holder may still be sending has
timed out.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from airflow_provider_mlconnector.errors import LeaseTakenError, ModelBusyError, NotFoundError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskRef
from airflow_provider_mlconnector.trail.leases import Lease
from airflow_provider_mlconnector.trail.records import EventKind

LEASE_SECONDS = 900.0
CHUNK_TIMEOUT = timedelta(seconds=320)


class ModelLease:
    """The right of one task to change one model."""

    def __init__(self, bench: Bench, model: AnaplanModel, owner: str, run_id: str) -> None:
        self._bench = bench
        self._model = model
        self._owner = owner
        self._run_id = run_id
        self._resource = f"{model.host}/{model.ref.model_id}"
        self.held: Lease | None = None

    @property
    def remote(self) -> dict[str, Any] | None:
        """The remote task that is noted on the lease, None when there is none."""
        return self.held.remote if self.held else None

    def hold(self) -> None:
        """Take the lease, unless this process has it.

        :raises LeaseTakenError: when somebody else works on the model, or may still.
        """
        if self.held is not None:
            return
        try:
            self.held = self._bench.leases.acquire(self._resource, self._owner, LEASE_SECONDS)
        except LeaseTakenError as taken:
            self.held = self._take_over(taken)
            return
        self._note(EventKind.LEASED, token=self.held.token)

    def _take_over(self, taken: LeaseTakenError) -> Lease:
        now = self._bench.clock.now()
        silent = taken.expired and taken.until is not None and now >= taken.until + CHUNK_TIMEOUT
        if not silent or not self._is_over(taken.remote):
            raise taken
        lease = self._bench.leases.takeover(self._resource, self._owner, taken.token, LEASE_SECONDS)
        self._note(EventKind.TAKEN_OVER, token=lease.token, from_owner=taken.owner, remote=taken.remote)
        return lease

    def see_earlier_task_over(self) -> None:
        """See that no task which an earlier try of ours started is still running.

        :raises ModelBusyError: when one is.
        """
        if not self._is_over(self.remote):
            raise ModelBusyError("The remote task of an earlier try still runs.", state="running our earlier task")

    def _is_over(self, remote: Mapping[str, Any] | None) -> bool:
        """Say whether a noted task is over; one without an id may be any of its action's tasks."""
        if remote is None:
            return True
        ref = TaskRef.from_json(remote)
        with suppress(NotFoundError):
            if ref.task_id:
                return self._model.task(ref).state.over
            return all(task.state.over for task in self._model.tasks(ref.kind, ref.action_id))
        return True

    def note(self, remote: TaskRef | None) -> None:
        """Note the remote task that runs under the lease, or that there is none any more.

        :raises FencedError: when the lease is no longer ours.
        """
        if self.held is not None:
            self.held = self._bench.leases.note_remote(self.held, remote.to_json() if remote else None)

    def fence(self) -> None:
        """Make sure that the lease is ours and stays so for a while; called before whatever changes the model.

        :raises FencedError: when it is not.
        """
        if self.held is None:
            return
        if self.held.until - self._bench.clock.now() < timedelta(seconds=LEASE_SECONDS / 2):
            self.renew()
        else:
            self._bench.leases.check(self.held)

    def renew(self) -> None:
        """Keep the lease.

        :raises FencedError: when it is no longer ours.
        """
        if self.held is not None:
            self.held = self._bench.leases.renew(self.held, LEASE_SECONDS)

    def release(self) -> None:
        """Give the lease back."""
        if self.held is not None:
            self._bench.leases.release(self.held)
            self.held = None

    def _note(self, kind: EventKind, **detail: Any) -> None:
        self._bench.trail.record(self._run_id, kind, {"resource": self._resource, "owner": self._owner, **detail})
