# SPDX-License-Identifier: Apache-2.0
"""The lease of one model, as one task holds it: taken, renewed, taken over when its holder is gone, given back.

The remote task that runs under it is noted on it, without an id from before the POST until the answer. Expired is not
free: a lease is taken over only when that task is over, and when a chunk that its holder may still be sending has
timed out. A holder that Airflow ended after its start was answered sends nothing more, so that its lease is not waited
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def kept(bench: Bench, lease: Lease) -> Lease:
    """Make sure that a lease is ours and stays so for a while; return it, renewed when half of its time is over.

    :raises FencedError: when somebody else has it.
    """
    if lease.until - bench.clock.now() < timedelta(seconds=LEASE_SECONDS / 2):
        return bench.leases.renew(lease, LEASE_SECONDS)
    bench.leases.check(lease)
    return lease


def nobody_ended(_: str) -> bool:
    """Know nothing of other owners, where nobody can be asked."""
    return False


class ModelLease:
    """The right of one task to change one model.

    :param ended: says of an owner whether it came to its end and will not come back for its lease.
    """

    def __init__(
        self,
        bench: Bench,
        model: AnaplanModel,
        owner: str,
        run_id: str,
        ended: Callable[[str], bool] = nobody_ended,
    ) -> None:
        self._bench = bench
        self._ended = ended
        self.model = model
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
        left = self._is_left(taken)
        if not (left or self._is_silent(taken)) or not self._is_over(taken.remote):
            raise taken
        lease = self._bench.leases.takeover(self._resource, self._owner, taken.token, LEASE_SECONDS, left=left)
        self._note(EventKind.TAKEN_OVER, token=lease.token, from_owner=taken.owner, remote=taken.remote)
        return lease

    def _is_silent(self, taken: LeaseTakenError) -> bool:
        """Say whether the owner did not renew for so long that nothing it sent can still arrive."""
        patience = timedelta(seconds=self.model.request_timeout)
        return taken.expired and taken.until is not None and self._bench.clock.now() >= taken.until + patience

    def _is_left(self, taken: LeaseTakenError) -> bool:
        """Say whether the owner ended with nothing on its way: the start, the last it sends, was answered."""
        return taken.remote is not None and bool(taken.remote.get("task_id")) and self._ended(taken.owner)

    def see_earlier_task_over(self) -> None:
        """See that no task which an earlier try of ours started is still running, and note it no more.

        :raises ModelBusyError: when one is.
        """
        if not self._is_over(self.remote):
            raise ModelBusyError("The remote task of an earlier try still runs.", state="running our earlier task")
        if self.remote is not None:
            self.note(None)

    def see_ready(self) -> None:
        """See that the model can be worked with now.

        :raises ModelBusyError: when waiting helps.
        :raises ModelUnavailableError: when it does not.
        """
        self.see_earlier_task_over()
        self.model.ensure_ready()

    def _is_over(self, remote: Mapping[str, Any] | None) -> bool:
        """Say whether a noted task is over; one without an id may be any of its action's tasks."""
        if remote is None:
            return True
        ref = TaskRef.from_json(remote)
        with suppress(NotFoundError):
            if ref.task_id:
                return self.model.task(ref).state.over
            return all(task.state.over for task in self.model.tasks(ref.kind, ref.action_id))
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
        if self.held is not None:
            self.held = kept(self._bench, self.held)

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
