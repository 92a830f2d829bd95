# SPDX-License-Identifier: Apache-2.0
"""Closes into a model that people work in: they type, restore, load by hand, and build imports in their own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import ReconcileError
from airflow_provider_mlconnector.pipeline.plan import Send
from airflow_provider_mlconnector.pipeline.reconcile import require_agreement
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.anaplan.uploads import Uploaded
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.people import GL, PLANNER, Office, Opening, checked, figure, problem
from tests.unit.pipeline.sandbox_close import SandboxClose
from tests.unit.pipeline.support import csv_rows

WHOLE = "run the period whole"
DIFFERENCE = "cells of the model that differ"
LISTS = ("Load Accounts", "Load Cost Centres")
ALL_ITEMS = ("Account", "Cost Centre")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "business_central"], scale=0.03) as running:
        yield running


@pytest.fixture(scope="module")
def lists() -> list[str]:
    """The periods after whose lists nobody has to be loaded any more."""
    return []


@pytest.fixture
def office(closing: Callable[[str], SandboxClose], control: SandboxControl, lists: list[str]) -> Iterator[Opening]:
    """Open a close of cells alone; the lists are loaded before the first."""

    def opened(key: str) -> Office:
        close = closing(key)
        if not lists:
            close.imports = LISTS
            close.run()
            lists.extend(close.imports)
        close.imports = (GL,)
        return Office(close, control)

    yield opened
    control.build_import(GL)


def test_a_cell_typed_over_is_told_by_the_next_run_and_put_right_by_a_whole_one(office) -> None:
    at = office("FY2026-P05")
    at.close.run()
    cell = next(iter(at.ledger()))
    at.type_over(cell, "12345")
    told = at.close.run()
    assert "Somebody changed 1 cells" in problem(told)
    assert "12345.00 in the model" in problem(told)
    assert WHOLE in problem(told)
    with pytest.raises(ReconcileError, match=WHOLE):
        require_agreement(told.report)
    whole = at.close.run("whole")
    assert whole.report.agrees, whole.report.problems
    assert at.is_right()


def test_a_cell_that_the_ledger_never_had_is_emptied_by_a_whole_run(office) -> None:
    at = office("FY2026-P06")
    at.close.run()
    empty = next(
        (account, centre)
        for account, _ in at.ledger()
        for centre in ("CC100", "CC200", "NONE")
        if (account, centre) not in at.ledger()
    )
    at.type_over(empty, "7")
    assert "0.00 accepted, 7.00 in the model" in problem(at.close.run())
    assert at.close.run("whole").report.agrees
    assert at.is_right()


def test_a_model_brought_back_from_yesterday_is_noticed_by_the_nightly_run(office, control) -> None:
    at = office("FY2026-P07")
    at.close.run()
    control.remember_model("evening")
    cell = at.post()
    at.close.run()
    control.restore_model("evening")
    told = at.close.run()
    assert told.load(GL).sent == 0
    assert " / ".join(cell) in problem(told)
    assert "restoring an older model" in problem(told)
    assert WHOLE in problem(told)
    assert at.close.run("whole").report.agrees
    assert at.is_right()


def test_a_model_brought_back_empty_is_noticed_by_a_run_that_sends_something(office, control) -> None:
    at = office("FY2026-P09")
    control.remember_model("members only")
    at.close.run()
    control.restore_model("members only")
    at.post()
    told = at.close.run()
    assert told.load(GL).sent == 1
    assert "restored an older model" in problem(told)
    assert WHOLE in problem(told)
    assert at.close.run("whole").report.agrees
    assert at.is_right()


@pytest.mark.parametrize(
    ("period", "wholly"), [("FY2026-P10", ()), ("FY2026-P11", ALL_ITEMS)], ids=["items in the file", "all items"]
)
def test_an_import_that_clears_its_target_is_noticed_and_send_period_makes_it_right(
    office, control, period: str, wholly: tuple[str, ...]
) -> None:
    at = office(period)
    control.build_import(GL, clears_target=True, clears_all_items_of=wholly)
    lost, *touched = crossing(at)
    first = at.close.run()
    assert first.report.agrees, first.report.problems
    for cell in touched:
        at.correct(cell)
    told = at.close.run()
    assert told.load(GL).sent == 2
    assert lost not in at.model()
    assert "write 'send: period' into its load in the flow" in problem(told)
    assert WHOLE in problem(told)
    at.close.changed[GL] = {"send": Send.PERIOD}
    whole = at.close.run("whole")
    assert whole.report.agrees, whole.report.problems
    assert at.is_right()


def test_send_period_empties_a_cell_whose_account_is_no_longer_in_the_file(office, control) -> None:
    """What is cleared of a dimension are the items in the file: one that left it keeps its cells."""
    at = office("FY2026-P12")
    control.build_import(GL, clears_target=True)
    at.close.changed[GL] = {"send": Send.PERIOD}
    at.close.run()
    lines = control.lines(at.close.period.key)
    account = lines[0]["account"]
    other = next(line["account"] for line in lines if line["account"] != account)
    for line in lines:
        if line["account"] == account:
            control.change_line(line["entry_number"], account=other)
    done = at.close.run()
    assert done.report.agrees, done.report.problems
    assert at.is_right()


def test_an_import_that_adds_is_noticed_in_words_of_its_own(office, control) -> None:
    at = office("FY2027-P01")
    control.build_import(GL, adds=True)
    first = at.close.run()
    assert first.report.agrees, "there was nothing to add to"
    cell = at.post()
    told = at.close.run()
    assert at.model()[cell] != at.ledger()[cell]
    assert f"the import {GL} adds to its target" in problem(told)
    assert "It must overwrite" in problem(told)
    assert "adds to its target" in problem(at.close.run("whole")), "all cells doubled"
    control.build_import(GL)
    assert at.close.run("whole").report.agrees
    assert at.is_right()


def test_without_a_check_view_the_model_is_not_checked_and_nothing_is_claimed(office, control) -> None:
    at = office("FY2027-P02")
    control.build_import(GL, adds=True)
    at.close.changed[GL] = {"check": ""}
    at.close.run()
    at.post()
    done = at.close.run()
    assert not at.is_right()
    assert done.report.agrees
    assert figure(done, DIFFERENCE) is None
    assert checked(done).summary.model_total is None
    assert checked(done).summary.difference is None


def test_a_person_who_starts_the_same_import_with_her_own_file_is_noticed(office, control) -> None:
    at = office("FY2027-P03")
    done = at.close.run()
    cell = next(iter(at.ledger()))
    rows = csv_rows(at.close.bench, done.load(GL).prepared.file)
    old = next(row for row in rows if (row["Account"], row["Cost Centre"]) == cell)
    control.upload_by_hand(GL, as_csv([{**old, "Amount": "99"}]), user=PLANNER)
    control.start_by_hand(GL, user=PLANNER)
    assert "99.00 in the model" in problem(at.close.run())
    assert at.close.run("whole").report.agrees
    assert at.is_right()


def test_a_file_exchanged_between_our_upload_and_our_start_is_noticed_by_the_same_run(office, control) -> None:
    at = office("FY2027-P04")
    robot = control.info["anaplan"]["login"]
    exchange = Exchange(at, lambda text: control.upload_by_hand(GL, text.replace(".", "1."), user=robot))
    at.close.model.upload = exchange.upload
    told = at.close.run()
    assert exchange.rows == told.load(GL).loaded, "as many rows, so Anaplan's counts tell nothing"
    assert "are not what was sent in this very run" in problem(told)
    del at.close.model.upload
    assert at.close.run("whole").report.agrees
    assert at.is_right()


def test_a_file_of_other_length_in_place_of_ours_leaves_the_outcome_unknown_and_is_sent_again(office, control) -> None:
    at = office("FY2027-P05")
    robot = control.info["anaplan"]["login"]
    exchange = Exchange(at, lambda text: control.upload_by_hand(GL, text.rsplit("\n", 2)[0] + "\n", user=robot))
    at.close.model.upload = exchange.upload
    told = at.close.run()
    assert "it read another file" in " ".join(told.report.problems)
    del at.close.model.upload
    again = at.close.run()
    assert again.load(GL).sent == len(at.ledger())
    assert again.report.agrees, again.report.problems
    assert at.is_right()


def crossing(at: Office) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """Dimension three lines so that there are a cell and two others: one with its account, one with its cost centre."""
    first, second, third = at.control.lines(at.close.period.key)[:3]
    account = first["account"]
    other = next(line["account"] for line in at.control.lines(at.close.period.key) if line["account"] != account)
    for line, code, department in ((first, account, "RND"), (second, account, "LOG"), (third, other, "RND")):
        at.control.change_line(line["entry_number"], account=code, department=department, amount="3.75")
    return (account, "CC400"), (account, "CC500"), (other, "CC400")


class Exchange:
    """An upload after which somebody with our login puts another text in place of the file for the cells."""

    def __init__(self, at: Office, put: Callable[[str], None]) -> None:
        self._upload = at.close.model.upload
        self._file_id = at.control.info["anaplan"]["file_ids"][GL]
        self._put = put
        self.rows = 0

    def upload(self, file_id: str, path: Path, **options: object) -> Uploaded:
        done = self._upload(file_id, path, **options)  # type: ignore[arg-type]
        if file_id == self._file_id:
            text = path.read_text()
            self.rows = text.count("\n") - 1
            self._put(text)
        return done


def as_csv(rows: list[dict[str, str]]) -> str:
    return "".join(",".join(line) + "\n" for line in (list(rows[0]), *(list(row.values()) for row in rows)))
