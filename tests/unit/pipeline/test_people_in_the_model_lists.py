# SPDX-License-Identifier: Apache-2.0
"""Lists of every make, and people who rename, recode and delete members; versions that are chosen at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, TaskFailedError
from airflow_provider_mlconnector.pipeline.plan import Source
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.trail.records import RejectKind
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.people import GL, Office, Opening, checked, problem
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose
from tests.unit.pipeline.support import csv_rows

ACCOUNTS, CENTRES = "Load Accounts", "Load Cost Centres"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "business_central"], scale=0.03) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(control: SandboxControl) -> list[str]:
    """Remember the model as it was made; collects what was remembered later."""
    control.remember_model("as made")
    return []


@pytest.fixture
def office(closing: Callable[[str], SandboxClose], control: SandboxControl, loaded: list[str]) -> Iterator[Opening]:
    """Open a close of cells, and of whatever else, into a model with members."""

    def opened(key: str, *lists: str) -> Office:
        close = closing(key)
        if not loaded:
            close.imports = (ACCOUNTS, CENTRES)
            close.run()
            control.remember_model("with members")
            loaded.append("with members")
        close.imports = (*lists, GL)
        return Office(close, control)

    yield opened
    control.restore_model(loaded[0])
    control.build_import(GL)
    control.reset_switches()


@pytest.fixture
def new_office(closing: Callable[[str], SandboxClose], control: SandboxControl, loaded: list[str]) -> Iterator[Opening]:
    """Open a close of everything into a model without a member."""
    control.restore_model("as made")
    yield lambda key: Office(closing(key), control)
    control.restore_model(loaded[0] if loaded else "as made")
    control.reset_switches()


def parents(control: SandboxControl, name: str) -> dict[str, str]:
    return {code: member["parent"] for code, member in control.members(name).items()}


def quarantined(at: Office, done: Outcome) -> set[str]:
    """Return the reasons for which lines were held back in a run."""
    assert checked(done).summary.rows_quarantined
    rejects = at.close.bench.trail.rejects(done.run.run_id, kind=RejectKind.QUARANTINED)
    return {row.reject.reason for row in rejects}


# numbered lists


def test_a_numbered_list_is_loaded_and_read_back_by_code(new_office, control) -> None:
    at = new_office("FY2026-P05")
    control.number_list("Cost Centres")
    done = at.close.run()
    assert {member["name"][0] for member in control.members("Cost Centres").values()} == {"#"}
    assert done.report.agrees, done.report.problems
    assert checked(done).summary.difference == "0.00"
    assert at.is_right()
    at.type_over(next(iter(at.ledger())), "1")
    assert "Somebody changed 1 cells" in problem(at.close.run())


def test_a_view_of_display_names_is_told_as_such_and_nothing_is_claimed_to_agree(new_office, control) -> None:
    at = new_office("FY2026-P06")
    control.number_list("Cost Centres")
    control.switches(members_shown="display_names")
    done = at.close.run()
    assert "of a numbered list it must not show the display names" in problem(done).lower()
    assert at.is_right(), "the cells are there all the same"
    with pytest.raises(ConfigurationError, match="must not show the display names"):
        at.close.run("whole")


# hierarchies


def test_parents_are_loaded_before_their_children_in_one_file(new_office, control) -> None:
    at = new_office("FY2026-P07")
    at.close.imports = (ACCOUNTS, CENTRES)
    done = at.close.run()
    assert [load.rejected for load in done.loads] == [0, 0]
    for load, name in zip(done.loads, ("Accounts", "Cost Centres"), strict=True):
        sent = csv_rows(at.close.bench, load.prepared.file)
        codes = [row["Code"] for row in sent]
        below = [row for row in sent if row["Parent"]]
        assert below
        assert all(codes.index(row["Parent"]) < codes.index(row["Code"]) for row in below)
        assert parents(control, name) == {row["Code"]: row["Parent"] for row in sent}


def test_a_child_whose_parent_a_person_deleted_is_refused_and_a_whole_run_brings_both_back(new_office, control) -> None:
    at = new_office("FY2026-P08")
    at.close.imports = (CENTRES,)
    at.close.run()
    before = parents(control, "Cost Centres")
    control.delete_members("Cost Centres", "OPS")
    control.call("PUT", "/books/dimensions/DEPARTMENT/PROD", {"name": "Production hall", "parent": "OPS"})
    with pytest.raises(TaskFailedError, match="1 of 1 rows were rejected"):
        at.close.run()
    [reject] = [row.reject for row in at.close.bench.trail.rejects(kind=RejectKind.REJECTED)]
    assert (reject.values["Code"], reject.reason) == ("CC300", 'Invalid parent: "OPS"')
    at.close.run("whole")
    assert parents(control, "Cost Centres") == before
    assert control.members("Cost Centres")["CC300"]["name"] == "Production hall"


# versions


def asking(at: Office, version: str) -> None:
    """Let the import ask for the version, and the flow answer."""
    at.control.build_import(GL, asks_for=["Version"])
    plan = next(plan for plan in at.close.plans() if plan.import_name == GL)
    columns = {name: source for name, source in plan.columns.items() if name != "Version"}
    at.close.changed[GL] = {"columns": columns, "mapping": {"Version": version}}


def test_a_version_given_at_the_start_gets_the_cells_alone_and_is_checked_alone(office, control) -> None:
    at = office("FY2026-P09")
    cell, *_ = at.ledger()
    budget = Office(at.close, control, version="Budget")
    budget.type_over(cell, "77")
    asking(at, "Forecast")
    at.version = "Forecast"
    for mode in ("changes", "whole"):
        done = at.close.run(mode)
        assert done.report.agrees, done.report.problems
        assert checked(done).summary.difference == "0.00"
        assert at.is_right()
        assert budget.model() == {cell: 77}, "others' cells are neither emptied nor compared"
    assert control.tasks(GL)[-1]["mapping"] == {"Version": "Forecast"}
    assert at.model("Actual") == {}
    at.type_over(cell, "5")
    assert "5.00 in the model" in problem(at.close.run())


def test_a_version_that_the_flow_does_not_give_or_the_model_does_not_have_fails_the_load(office, control) -> None:
    at = office("FY2026-P10")
    asking(at, "Forecast")
    at.close.changed[GL]["mapping"] = {}
    with pytest.raises(TaskFailedError, match="nothing was chosen for Version"):
        at.close.run()
    at.close.changed[GL]["mapping"] = {"Version": "Plan"}
    with pytest.raises(TaskFailedError, match='Entity not found: Version "Plan"'):
        at.close.run()
    asking(at, "Forecast")
    assert at.close.run().report.agrees
    assert at.model("Forecast") == at.ledger()


def test_cells_of_another_version_are_sent_when_the_flow_changes_its_mind(office, control) -> None:
    at = office("FY2026-P11")
    at.close.run()
    plan = next(plan for plan in at.close.plans() if plan.import_name == GL)
    at.close.changed[GL] = {"columns": {**plan.columns, "Version": Source(constant="Forecast")}}
    done = at.close.run()
    assert done.report.agrees, done.report.problems
    assert at.model("Forecast") == at.ledger()


# members


def test_a_member_that_a_person_renamed_is_still_itself(office, control) -> None:
    at = office("FY2027-P01", ACCOUNTS)
    at.close.run()
    account, _ = next(iter(at.ledger()))
    name = control.members("Accounts")[account]["name"]
    control.change_member("Accounts", account, name="Whatever")
    at.post()
    done = at.close.run()
    assert done.report.agrees, done.report.problems
    assert at.is_right()
    assert at.close.run("whole").report.agrees
    assert control.members("Accounts")[account]["name"] == name


def test_a_member_that_a_person_gave_another_code_is_named_and_nothing_is_lost_in_silence(office, control) -> None:
    at = office("FY2027-P02", ACCOUNTS)
    at.close.run()
    (account, centre), _ = next(iter(at.ledger().items()))
    control.change_member("Accounts", account, code="X-1")
    told = at.close.run()
    assert f"X-1 / {centre}: Amount 0.00 accepted" in problem(told)
    assert quarantined(at, told) == {f"unknown member: the list Accounts has no Account {account}"}
    with pytest.raises(TaskFailedError, match=r"1 of \d+ rows were rejected"):
        at.close.run("whole")
    [reject] = [row.reject for row in at.close.bench.trail.rejects(kind=RejectKind.REJECTED)]
    assert reject.values["Code"] == account
    assert "already exists" in reject.reason
    control.change_member("Accounts", "X-1", code=account)
    assert at.close.run("whole").report.agrees
    assert at.is_right()


def test_the_lines_of_a_deleted_member_are_held_back_with_a_reason_and_come_back_with_a_whole_run(
    office, control
) -> None:
    at = office("FY2027-P03", ACCOUNTS)
    at.close.run()
    account, _ = next(iter(at.ledger()))
    control.delete_members("Accounts", account)
    told = at.close.run()
    assert quarantined(at, told) == {f"unknown member: the list Accounts has no Account {account}"}
    missing = sum(amount for (code, _), amount in at.ledger().items() if code == account)
    assert checked(told).summary.difference == f"{abs(missing):.2f}"
    whole = at.close.run("whole")
    assert whole.report.agrees, whole.report.problems
    assert at.is_right()


def test_a_member_deleted_after_the_load_is_named_by_the_check(office, control) -> None:
    at = office("FY2026-P12")
    done = at.close.run()
    account, _ = next(iter(at.ledger()))
    control.delete_members("Accounts", account)
    told = problem(at.check_again(done))
    assert f"Cells of '{account}' were accepted, and the list Accounts has no such member any more" in told
    assert "run the period whole" in told


@pytest.mark.parametrize("mode", ["changes", "whole"])
def test_a_member_that_nobody_loads_again_keeps_its_lines_in_quarantine_and_stops_no_other(office, mode) -> None:
    at = office("FY2027-P04" if mode == "whole" else "FY2027-P05")
    at.close.run()
    account, _ = next(iter(at.ledger()))
    lines = [line for line in at.control.lines(at.close.period.key) if line["account"] == account]
    at.control.delete_members("Accounts", account)
    at.correct(next(cell for cell in at.ledger() if cell[0] == account))
    at.correct(next(cell for cell in at.ledger() if cell[0] != account))
    done = at.close.run(mode)
    made = done.load(GL).prepared
    assert made.rows_quarantined == len(lines)
    assert done.load(GL).rejected == 0
    assert done.report.agrees, done.report.problems
    assert at.model() == {cell: amount for cell, amount in at.ledger().items() if cell[0] != account}
