# SPDX-License-Identifier: Apache-2.0
"""Dimension values with another code: no stamp of a line moves, and neither its account nor its amount."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_mlconnector.errors import PermissionDeniedError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline import extract as extracting
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.systems.port import Capabilities, DatasetCapability, Reading, Scope
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import Ledger

DEPARTMENT = "dimension.DEPARTMENT"


@pytest.fixture
def night(bench: Bench, ledger: Ledger, new_run):
    """Runs of a ledger whose values and single records can be asked for; the first one was made."""
    lines = DatasetCapability(incremental=True, by_period=True, dimensions=True, by_record=True)
    values = DatasetCapability(incremental=False, by_period=False)
    ledger.capabilities = Capabilities({Dataset.JOURNAL_LINES: lines, Dataset.COST_CENTRES: values})
    list_values(ledger, "SALES", "PROD")
    # what the overlap brings anyhow is not what these tests are about
    newest = max(row["modified_at"] for row in ledger.lines)
    ledger.lines[-1]["modified_at"] = newest + timedelta(days=1)
    model = FakeModel()

    def run() -> Close:
        close = Close(bench, ledger, model, new_run())
        close.whole_way()
        return close

    run()
    ledger.requested.clear()
    return run


def list_values(ledger: Ledger, *codes: str) -> None:
    ledger.rows[Dataset.COST_CENTRES] = [
        {"record_id": code, "dimension": "DEPARTMENT", "code": code, "name": code} for code in codes
    ]


def rename(ledger: Ledger, code: str, new: str) -> None:
    for row in ledger.lines:
        row[DEPARTMENT] = new if row[DEPARTMENT] == code else row[DEPARTMENT]


def asked(ledger: Ledger) -> list[Scope]:
    scopes = [scope for dataset, scope in ledger.requested if dataset is Dataset.JOURNAL_LINES]
    ledger.requested.clear()
    return scopes


def test_values_that_are_all_there_cost_no_further_read_of_lines(night, ledger):
    night()
    (changes,) = asked(ledger)
    assert changes.since is not None


def test_lines_of_a_value_that_is_not_there_any_more_are_read_again_by_their_ids(night, ledger, bench):
    list_values(ledger, "VERKAUF", "PROD")
    rename(ledger, "SALES", "VERKAUF")
    run = night().run
    _, again = asked(ledger)
    assert again.records
    assert again.since is None
    (note,) = [event for event in bench.trail.events(run.run_id) if event.kind == EventKind.NOTE]
    assert "are not there any more. They can be read again." in note.detail["sentence"]
    night()
    assert len(asked(ledger)) == 1, "the book has the new code now"


def test_when_only_some_were_asked_for_the_period_is_read_whole(night, ledger, monkeypatch):
    monkeypatch.setattr(extracting, "UNREADABLE_TRIED", 1)
    list_values(ledger, "VERKAUF", "PROD")
    rename(ledger, "SALES", "VERKAUF")
    night()
    _, again, whole = asked(ledger)
    assert len(again.records) == 1
    assert (whole.since, whole.records) == (None, ())


def test_a_ledger_that_does_not_show_its_values_is_read_all_the_same_and_the_trail_says_what_is_missed(
    night, ledger, bench, monkeypatch
):
    read = ledger.read

    def refusing(dataset: Dataset, scope: Scope) -> Reading:
        if dataset is Dataset.COST_CENTRES:
            raise PermissionDeniedError("You may not read dimension values.", status=403)
        return read(dataset, scope)

    monkeypatch.setattr(ledger, "read", refusing)
    run = night().run
    (note,) = [event for event in bench.trail.events(run.run_id) if event.kind == EventKind.NOTE]
    assert "are not looked for: You may not read dimension values." in note.detail["sentence"]
