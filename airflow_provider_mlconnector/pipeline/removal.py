# SPDX-License-Identifier: Apache-2.0
"""After a load of records: the model's delete action removes those that the ledger has no more.

The load has set their figures to 0, ``present`` among them; by that the action chooses, so that running it twice does
no harm.
"""

from __future__ import annotations

from airflow_provider_mlconnector.pipeline.ending import judge
from airflow_provider_mlconnector.pipeline.manifests import LoadManifest
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, ReadMode, Tolerance
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskStatus


def is_needed(plan: LoadPlan, load: LoadManifest) -> bool:
    """Say whether records may be gone: some were set to 0, or the run was to put everything right."""
    return bool(plan.delete) and (load.prepared.cells_zeroed > 0 or load.run.mode == ReadMode.WHOLE)


def begin_removal(plan: LoadPlan, load: LoadManifest, work: ModelWork) -> TaskRef:
    """Bring the delete action under way, or take up the one that an earlier try began.

    :raises UnknownNameError: when the model has no such action.
    :raises LeaseTakenError: when somebody else works on the model: come back later.
    :raises ModelBusyError: when the model cannot be worked with now: come back later.
    """
    found = work.model.resolve(Kind.ACTION, plan.delete)
    return work.begin(
        ActionJob(kind=ActionKind.ACTION, action_id=found.id, fingerprint=f"{found.id}/{load.accepted_version}")
    )


def finish_removal(work: ModelWork, ref: TaskRef, status: TaskStatus) -> None:
    """Read the outcome.

    :raises TaskFailedError: when the action failed.
    """
    work.resume()
    try:
        finished = work.finish(ref, status)
    finally:
        work.release()
    judge(finished.outcome, Tolerance(), 0)
