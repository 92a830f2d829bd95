# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while Finance & Operations is read: retried and complete, or an error and nothing moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MlconnectorError,
    NotFoundError,
    PermissionDeniedError,
    SchemaDriftError,
    ServerError,
)
from airflow_provider_mlconnector.sandbox.books.books import NewLine
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.trail.records import CellScope
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fo_close import LINES, LISTS, expected, held, opened_fo
from tests.unit.pipeline.sandbox_close import QuickClock, SandboxClose, open_ledger

KEY = "FY2027-P02"
API = "/dynamics_fo/data/GeneralJournal"


@dataclass(frozen=True)
class Fault:
    """A fault of the gate by its kind, status, header and body; or switches of the environment."""

    kind: str = "status"
    status: int = 503
    body: object = ""
    retry_after: str = ""
    times: int | None = 1
    path: str = API
    preset: str = ""
    switches: tuple[tuple[str, object], ...] = ()


def json_error(text: str, inner: str = "") -> dict[str, object]:
    return {"error": {"code": "", "message": text, **({"innererror": {"message": inner}} if inner else {})}}


PASSING = {
    "429 with Retry-After": Fault(preset="throttled"),
    "503 in HTML": Fault(preset="unavailable"),
    "500 with an Infolog": Fault(preset="failed"),
    "an expired token, in the midst": Fault(status=401),
    "half a page": Fault(kind="truncate"),
    "half a page of lines, three times": Fault(kind="truncate", path="AccountEntryBi", times=3),
    "a connection that is reset": Fault(kind="reset"),
    "no answer": Fault(kind="lost_answer"),
    "a long first call": Fault(preset="waking"),
    "a page that is no JSON": Fault(status=200, body="<html>Sign in</html>"),
    "413 on a page of lines": Fault(status=413, path="AccountEntryBi"),
    "other page sizes": Fault(kind="", switches=(("page_size", 3),)),
    "links by token, relative": Fault(
        kind="", switches=(("page_size", 3), ("skip_token", True), ("relative_links", True))
    ),
}
FINAL: dict[str, tuple[Fault, type[MlconnectorError], str]] = {
    "401, unlisted application": (
        Fault(kind="", switches=(("app_listed", False),)),
        AuthenticationError,
        "Microsoft Entra ID applications",
    ),
    "403": (Fault(kind="", switches=(("reads_journals", False),)), PermissionDeniedError, "role"),
    "404 of a set that is not public": (Fault(kind="", switches=(("journal_sets", False),)), NotFoundError, "publish"),
    "400 with an Infolog": (Fault(preset="refused", times=None), BadRequestError, "changed by another session"),
    "409": (Fault(status=409, body=json_error("Conflict"), times=None), ConflictError, "409"),
    "412": (Fault(status=412, body=json_error("Etag differs"), times=None), ConflictError, "412"),
    "422": (Fault(status=422, body=json_error("Unprocessable"), times=None), BadRequestError, "422"),
    "500 that stays": (Fault(status=500, body=json_error("An error has occurred."), times=None), ServerError, "500"),
    "503 that stays": (Fault(status=503, times=None), ServerError, "503"),
    "a field less": (Fault(kind="", switches=(("dropped_fields", ["IsCredit"]),)), SchemaDriftError, "IsCredit"),
    "a field of another type": (
        Fault(kind="", switches=(("text_fields", ["MainAccount"]),)),
        SchemaDriftError,
        "MainAccount",
    ),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "dynamics_fo"], scale=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def closed(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[SandboxClose]:
    with opened_fo(tmp_path_factory.mktemp("faults"), trail_template, sandbox, control) as opened:
        close = opened(KEY)
        close.imports = (*LISTS, LINES)
        close.run("whole")
        yield close


@pytest.fixture(autouse=True)
def posted(sandbox: Sandbox, control: SandboxControl, closed: SandboxClose) -> Iterator[None]:
    """Post what the next run has to bring, and put everything in order afterwards."""
    closed.imports = (LINES,)
    sandbox.world.clock.advance(7200)
    pair = [NewLine("60310", Decimal("4.56"), "ADM"), NewLine("20400", Decimal("-4.56"))]
    sandbox.world.books.post_document(date(2026, 8, 20), pair)
    yield
    control.clear_faults()
    control.call("DELETE", "/dynamics_fo/switches")


def switch_on(control: SandboxControl, fault: Fault) -> None:
    if fault.switches:
        control.call("PATCH", "/dynamics_fo/switches", dict(fault.switches))
    elif fault.preset and fault.times:
        control.call("POST", f"/dynamics_fo/faults/{fault.preset}", times=str(fault.times), skip="1")
    elif fault.preset:
        control.call("POST", f"/dynamics_fo/faults/{fault.preset}", times="99")
    else:
        headers = {"Content-Type": "application/json"} if isinstance(fault.body, dict) or fault.status == 200 else {}
        control.fault(
            fault.kind,
            fault.path,
            system="dynamics_fo",
            status=fault.status,
            body=fault.body,
            headers=headers,
            times=fault.times,
            skip=1 if fault.times else 0,
        )


def watermark(close: SandboxClose) -> datetime | None:
    return close.bench.trail.accepted(
        CellScope(flow=close.flow.name, import_name=LINES, period=close.period.key)
    ).watermark


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for_and_the_read_is_complete(closed, sandbox, control, fault):
    switch_on(control, fault)
    before = watermark(closed)
    done = closed.run()
    assert done.batches["journal_lines"].rows == 2, "each row once"
    assert held(control, closed) == expected(sandbox.world.books, KEY)
    assert watermark(closed) > before


@pytest.mark.parametrize(("fault", "error", "told"), FINAL.values(), ids=FINAL)
def test_what_stays_is_an_error_that_says_what_to_do_and_nothing_has_moved(
    closed, sandbox, control, fault, error, told
):
    switch_on(control, fault)
    before, cells = watermark(closed), held(control, closed)
    with pytest.raises(error, match=told) as raised:
        closed.run()
    assert "stacktrace" not in str(raised.value)
    assert "Microsoft.Dynamics.Ax" not in str(raised.value)
    assert watermark(closed) == before
    assert held(control, closed) == cells
    control.clear_faults()
    control.call("DELETE", "/dynamics_fo/switches")
    closed.run()
    assert held(control, closed) == expected(sandbox.world.books, KEY), "what was missed comes with the next run"


def test_a_wrong_secret_is_told_by_its_number_and_never_shown(closed, sandbox, control):
    before, ledger = watermark(closed), closed.ledger
    closed.ledger = open_ledger(control, closed.flow, QuickClock(sandbox.world), secret="wrong-secret")
    try:
        with pytest.raises(AuthenticationError, match="AADSTS7000215") as raised:
            closed.run()
    finally:
        closed.ledger.close()
        closed.ledger = ledger
    assert "wrong-secret" not in str(raised.value)
    assert watermark(closed) == before
