# SPDX-License-Identifier: Apache-2.0
import pytest

from airflow_provider_mlconnector.operators.running import owner_of, read_mode, run_of
from tests.airflow.fakes import make_context


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered"])
def test_a_run_reads_what_changed(run_type):
    assert read_mode(make_context(run_type=run_type)) == "changes"


@pytest.mark.parametrize(
    "how",
    [{"run_type": "backfill"}, {"clear_number": 1}, {"params": {"full": True}}],
    ids=["backfilled", "cleared", "full"],
)
def test_some_runs_read_the_whole_period(how):
    assert read_mode(make_context(**how)) == "whole"


def test_airflows_own_enum_says_backfill_too():
    from airflow.sdk.api.datamodels._generated import DagRunType

    assert read_mode(make_context(run_type=DagRunType.BACKFILL)) == "whole"


def test_a_lease_belongs_to_the_task_instance_over_all_its_tries():
    context = make_context()
    first = owner_of(context)
    context["ti"].try_number = 2
    assert owner_of(context) == first
    context["ti"].map_index = 3
    assert owner_of(context) != first


def test_all_tasks_and_repetitions_of_a_run_are_one_run_on_the_trail():
    first, cleared = (
        run_of(make_context(), "close", "FY2026-P05"),
        run_of(make_context(clear_number=1), "close", "FY2026-P05"),
    )
    assert first.run_id == cleared.run_id
    assert (first.mode, cleared.mode) == ("changes", "whole")
