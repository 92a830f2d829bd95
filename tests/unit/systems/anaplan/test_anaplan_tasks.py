# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from airflow_provider_mlconnector.systems.anaplan.tasks import (
    ActionKind,
    TaskRef,
    TaskState,
    parse_outcome,
    parse_state,
    parse_status,
    parse_summary,
)

# As a real tenant answered, shortened: 90 rows taken, 5 ignored.
HIERARCHY = {
    "type": "hierarchyRowsProcessed",
    "occurrences": 0,
    "localMessageText": "Employees: 90 (0/90) rows successful, 5 ignored ",
    "values": [
        "hierarchyName", "Employees", "successRowCount", "90", "successCreateCount", "0", "warningsRowCount", "0",
        "failedCount", "0", "ignoredCount", "5", "totalRowCount", "95", "updatedCount", None,
    ],
}  # fmt: skip


def rows(**counts):
    flat = [item for name, count in counts.items() for item in (name, None if count is None else str(count))]
    return {"type": "hierarchyRowsProcessedWithFailures", "localMessageText": "Some rows.", "values": flat}


def test_counts_come_from_the_flat_list_of_values():
    outcome = parse_outcome({"successful": True, "details": [HIERARCHY], "failureDumpAvailable": False})
    assert (outcome.sent, outcome.loaded, outcome.rejected, outcome.ignored, outcome.warned) == (95, 90, 0, 5, 0)
    assert not outcome.failed


def test_nulls_among_the_values_count_as_nothing():
    outcome = parse_outcome({"successful": True, "details": [rows(totalRowCount=10, failedCount=None, ignoredCount=2)]})
    assert (outcome.sent, outcome.loaded, outcome.rejected) == (10, 8, 0)


def test_counts_come_from_the_sentence_where_values_are_missing():
    text = "test e2e: 13 (0/13) rows successful, 4 (0/4) rows has warnings, 2 failed, 1 ignored"
    outcome = parse_outcome({"successful": True, "details": [{**HIERARCHY, "localMessageText": text, "values": None}]})
    assert (outcome.sent, outcome.loaded, outcome.rejected, outcome.ignored, outcome.warned) == (20, 17, 2, 1, 4)


def test_a_warned_row_is_loaded():
    outcome = parse_outcome(
        {"successful": True, "details": [rows(totalRowCount=10, successRowCount=7, warningsRowCount=3, failedCount=0)]}
    )
    assert (outcome.loaded, outcome.warned) == (10, 3)


def test_details_of_one_import_count_the_same_rows():
    details = [rows(totalRowCount=10, failedCount=1), rows(totalRowCount=10, failedCount=2)]
    outcome = parse_outcome({"successful": True, "details": details})
    assert (outcome.sent, outcome.rejected, outcome.loaded) == (10, 3, 7)


@pytest.mark.parametrize("successful", [True, False])
def test_rejected_rows_alone_are_no_failure_whatever_the_flag_says(successful):
    result = {"successful": successful, "failureDumpAvailable": True, "details": [rows(totalRowCount=9, failedCount=4)]}
    outcome = parse_outcome(result)
    assert not outcome.failed
    assert outcome.failure_dump
    assert outcome.sentence() == "5 of 9 rows loaded, 4 rejected, 0 ignored, 0 with a warning."


def test_a_failure_code_is_a_failure_with_a_hint():
    detail = {"type": "uploadedFileNoLongerAvailable", "localMessageText": "The file is gone."}
    outcome = parse_outcome({"successful": False, "details": [detail]})
    assert outcome.failed
    assert outcome.sentence() == "The file is gone."
    assert "48 hours" in outcome.hint


def test_what_was_wrong_with_single_rows_is_told_but_neither_counted_nor_a_failure_of_the_whole():
    single = {"type": "hierarchyImportDuplicateSourceKey", "occurrences": 2, "localMessageText": "2 failed: twice"}
    outcome = parse_outcome({"successful": True, "details": [rows(totalRowCount=9, failedCount=2), single]})
    assert (outcome.sent, outcome.rejected) == (9, 2)
    assert not outcome.failed
    assert "2 failed: twice" in outcome.messages


def test_no_success_without_any_detail_is_a_failure():
    assert parse_outcome({"successful": False}).failed


def process(successful, *nested, details=()):
    return parse_outcome({"successful": successful, "details": list(details), "nestedResults": list(nested)})


def test_a_process_adds_up_its_actions_and_keeps_their_ids():
    first = {"successful": True, "objectId": "112000000001", "details": [rows(totalRowCount=5, failedCount=1)]}
    second = {"successful": True, "objectId": "112000000002", "details": [rows(totalRowCount=7, failedCount=0)]}
    outcome = process(True, first, second)
    assert (outcome.sent, outcome.loaded, outcome.rejected) == (12, 11, 1)
    assert [action.object_id for action in outcome.nested] == ["112000000001", "112000000002"]


def test_a_process_without_success_or_details_had_warnings_only_when_its_actions_went_well():
    outcome = process(False, {"successful": True, "details": [HIERARCHY]}, {"successful": True, "details": []})
    assert not outcome.failed


def test_a_process_fails_with_one_of_its_actions():
    assert process(False, {"successful": True}, {"successful": False}).failed
    assert process(True, {"successful": True}, {"successful": False}).failed


def test_a_process_with_a_failure_of_its_own_fails():
    assert process(False, {"successful": True}, details=[{"type": "actionFailed"}]).failed


def test_a_process_without_actions_and_success_fails():
    assert process(False).failed


@pytest.mark.parametrize("state", ["NOT_STARTED", "IN_PROGRESS", "COMPLETE", "CANCELLING", "CANCELLED"])
def test_known_states_are_read(state):
    assert parse_state(state).value == state


@pytest.mark.parametrize("state", ["SLEEPING", None, 7, "complete", ""])
def test_a_state_that_anaplan_adds_later_is_unknown_and_not_over(state):
    assert parse_state(state) is TaskState.UNKNOWN
    assert not parse_state(state).over


def test_a_status_with_extra_and_missing_fields_is_read():
    status = parse_status(
        {"taskId": "T", "taskState": "IN_PROGRESS", "progress": 0.25, "currentStep": "Loading", "new": 1}
    )
    assert (status.task_id, status.progress, status.step, status.outcome) == ("T", 0.25, "Loading", None)
    bare = parse_status({"taskId": "T"})
    assert (bare.state, bare.progress) == (TaskState.UNKNOWN, 0.0)


def test_a_cancelled_task_may_have_no_result():
    status = parse_status({"taskId": "T", "taskState": "CANCELLED", "cancelledBy": "jane", "result": None})
    assert status.state.over
    assert status.outcome is None
    assert status.cancelled_by == "jane"


def test_creation_times_are_seconds_and_may_be_missing():
    assert (
        parse_summary({"taskId": "T", "taskState": "COMPLETE", "creationTime": 1571258347545}).created == 1571258347.545
    )
    assert parse_summary({"taskId": "T"}).created is None


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (ActionKind.IMPORT, "imports"),
        (ActionKind.EXPORT, "exports"),
        (ActionKind.ACTION, "actions"),
        (ActionKind.PROCESS, "processes"),
    ],
)
def test_each_kind_has_its_path(kind, path):
    assert kind.path == path


def test_a_task_reference_survives_json():
    ref = TaskRef(workspace_id="w", model_id="M", kind=ActionKind.PROCESS, action_id="118", task_id="T")
    assert TaskRef.from_json(json.loads(json.dumps(ref.to_json()))) == ref


def test_rows_that_anaplan_counts_as_nothing_are_missing_from_the_loaded_ones():
    details = [rows(totalRowCount=10, successRowCount=7, failedCount=1, ignoredCount=0)]
    outcome = parse_outcome({"successful": True, "details": details})
    assert (outcome.sent, outcome.loaded, outcome.rejected, outcome.ignored) == (10, 7, 1, 0)
