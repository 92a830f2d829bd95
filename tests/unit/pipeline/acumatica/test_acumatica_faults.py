# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while Acumatica is read: the run is complete after all, or it fails and its watermark stands.

Each test changes one line, so that a run that lost something would leave the old amount in the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    SeatLimitError,
)
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.trail.records import CellScope
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.acumatica.test_acumatica_close import CENTRES, ENTITY, FLOW, LINES, LISTS
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.systems.acumatica.opening import cookie_login, open_company

KEY = "FY2027-P03"
MONTH = "Sep 26"
JOURNALS = "JournalTransaction"
SUMMARY = "AccountSummaryInquiry"
_CHANGES = count(1)


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    folder = tmp_path_factory.mktemp("faults")
    with opened_closes(folder, trail_template, sandbox, control, FLOW, page_size=4) as opened:
        close = opened(KEY)
        close.imports = (*LISTS, LINES)
        close.run("whole")
        yield lambda _: close


@pytest.fixture
def close(opened: Callable[[str], SandboxClose], control: SandboxControl) -> Iterator[SandboxClose]:
    """The close of a period that was loaded before, and of which one line was changed since."""
    one = opened(KEY)
    one.imports = (LINES,)
    line = control.lines(KEY)[0]
    control.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + next(_CHANGES)))
    yield one
    control.clear_faults()
    for what in ("switches", "failures"):
        control.call("DELETE", f"/acumatica/{what}")


def watermark(close: SandboxClose) -> object:
    scope = CellScope(flow=close.flow.name, import_name=LINES, period=KEY)
    return close.bench.trail.accepted(scope).watermark


def check_complete(sandbox: Sandbox, control: SandboxControl, close: SandboxClose, mode: str = "changes") -> None:
    done = close.run(mode)
    booked = sandbox.world.books.trial_balance_by_department(KEY, CLOSE)
    wanted = {(account, CENTRES[code]): amount for (account, code), amount in booked.items() if amount}
    assert control.amounts(MONTH, Entity=ENTITY) == wanted
    assert done.report.agrees, done.report.problems


PASSING = ["throttled_json", "throttled_text", "throttled_html", "busy", "deadlock", "recycled", "unauthorized"]


@pytest.mark.parametrize("of", [JOURNALS, SUMMARY])
@pytest.mark.parametrize("answer", PASSING)
def test_what_passes_is_waited_out_and_the_run_is_complete(sandbox, control, close, answer, of):
    control.call("POST", f"/acumatica/faults/{answer}", of=of, times="1", skip="0")
    check_complete(sandbox, control, close)


@pytest.mark.parametrize("kind", ["reset", "truncate", "lost_answer"])
def test_a_connection_that_breaks_in_the_midst_of_a_whole_read_costs_a_repetition(sandbox, control, close, kind):
    control.fault(kind, JOURNALS, system="acumatica", times=2, skip=2)
    check_complete(sandbox, control, close, "whole")


def test_a_token_or_session_that_ends_in_the_midst_of_a_whole_read_is_replaced(sandbox, control, close):
    fault = control.fault("status", JOURNALS, system="acumatica", times=1, skip=3, status=401)
    check_complete(sandbox, control, close, "whole")
    assert control.hits(fault) == 1


def test_half_an_answer_that_arrives_as_a_whole_one_is_asked_for_again(sandbox, control, close):
    body = '[{"id": "b0000000-0000-0000-0000-000000000000", "rowNumber": 1, "Modu'
    headers = {"Content-Type": "application/json"}
    control.fault("status", JOURNALS, system="acumatica", times=2, status=200, body=body, headers=headers)
    check_complete(sandbox, control, close, "whole")


FINAL: dict[str, type[MlconnectorError]] = {
    "bad_request": BadRequestError,
    "forbidden": PermissionDeniedError,
    "not_found": NotFoundError,
    "precondition": ConflictError,
    "invalid": BadRequestError,
    "failed": BadRequestError,
}


@pytest.mark.parametrize("of", [JOURNALS, SUMMARY])
@pytest.mark.parametrize("answer", FINAL)
def test_what_stays_wrong_fails_at_once_and_the_watermark_stands(sandbox, control, close, answer, of):
    before = watermark(close)
    control.call("POST", f"/acumatica/faults/{answer}", of=of, times="1", skip="0")
    with pytest.raises(FINAL[answer]) as caught:
        close.run()
    assert str(caught.value).startswith("[MLC-NET-")
    assert watermark(close) == before
    check_complete(sandbox, control, close)
    assert watermark(close) != before


@pytest.mark.parametrize("answer", ["unauthorized", "throttled_html", "recycled"])
def test_what_does_not_pass_in_time_fails_and_the_watermark_stands(sandbox, control, close, answer):
    before = watermark(close)
    control.call("POST", f"/acumatica/faults/{answer}", of=JOURNALS, times="999", skip="0")
    with pytest.raises(MlconnectorError):
        close.run()
    assert watermark(close) == before
    control.clear_faults()
    check_complete(sandbox, control, close)


def test_a_wrong_password_fails_and_the_watermark_stands(sandbox, control, close):
    before, right = watermark(close), close.ledger
    with closing(open_company(control, login=cookie_login(control, "wrong"), clock=close.bench.clock)) as wrong:
        close.ledger = wrong
        with pytest.raises(AuthenticationError):
            close.run()
    assert watermark(close) == before
    close.ledger = right
    check_complete(sandbox, control, close)


def test_a_seat_that_stays_taken_fails_and_the_watermark_stands(sandbox, control, close):
    before, right = watermark(close), close.ledger
    right.close()
    control.call("PATCH", "/acumatica/switches", {"seats": 1, "idle_seconds": 1e9})
    control.call("POST", "/acumatica/sessions")
    impatient = RetryPolicy(patience=60.0, uniform=lambda low, high: high)
    with closing(open_company(control, clock=close.bench.clock, retry=impatient)) as other:
        close.ledger = other
        with pytest.raises(SeatLimitError):
            close.run()
    assert watermark(close) == before
    control.call("DELETE", "/acumatica/sessions")
    close.ledger = right
    check_complete(sandbox, control, close)


def test_rows_that_show_twice_over_a_page_boundary_are_in_the_book_once(sandbox, control, close):
    control.call("PATCH", "/acumatica/switches", {"order": "any", "most_rows": 3})
    check_complete(sandbox, control, close, "whole")
