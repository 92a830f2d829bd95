# SPDX-License-Identifier: Apache-2.0
"""Somebody puts another file into the import, as our user, between our upload and our start: never silently wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.finance.periods import format_period
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose
from tests.unit.pipeline.test_close_with_sandbox import actuals, expected

IMPORT = "Load GL Actuals"


def replaced_by_hand(close: SandboxClose, control: SandboxControl, change: Callable[[list[str]], list[str]]) -> None:
    """Let a person replace the next file of the import right after we uploaded it."""
    login, file_id = control.info["anaplan"]["login"], control.info["anaplan"]["file_ids"][IMPORT]
    upload = close.model.upload

    def upload_and(to: str, path: Path, **options: Any) -> Any:
        sent = upload(to, path, **options)
        if to == file_id:
            close.model.upload = upload  # type: ignore[method-assign]
            text = "".join(change(path.read_text().splitlines(keepends=True)))
            control.call("POST", f"/anaplan/imports/{IMPORT}/upload", {"text": text, "user": login})
        return sent

    close.model.upload = upload_and  # type: ignore[method-assign]


def problems(done: Outcome) -> str:
    assert not done.report.agrees
    return " ".join(done.report.problems)


def test_a_file_of_other_length_is_not_accepted_fails_the_run_and_the_next_run_repairs_it(closing, control):
    close = closing("FY2026-P05")
    replaced_by_hand(close, control, lambda lines: lines[:-1])
    done = close.run()
    sent = done.load(IMPORT).sent
    assert f"Anaplan looked at {sent - 1} rows where the file has {sent}: it read another file" in problems(done)
    again = close.run()
    assert again.load(IMPORT).sent == sent
    assert again.report.agrees, again.report.problems
    assert actuals(control, format_period(close.period, "MMM yy")) == expected(control, close.period.key)


def test_a_file_of_the_same_length_shows_in_the_check_view_and_a_cleared_run_repairs_it(closing, control):
    close = closing("FY2026-P06")

    def a_figure_changed(lines: list[str]) -> list[str]:
        return [*lines[:-1], lines[-1].rpartition(",")[0] + ",123456.78\n"]

    replaced_by_hand(close, control, a_figure_changed)
    assert "123456.78" in problems(close.run())
    assert "123456.78" in problems(close.run()), "it shows until it is repaired, not once"
    again = close.run(mode="whole")
    assert again.report.agrees, again.report.problems
    assert actuals(control, format_period(close.period, "MMM yy")) == expected(control, close.period.key)
