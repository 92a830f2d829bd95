# SPDX-License-Identifier: Apache-2.0
"""Logins that end in the midst of a read, and seats of a licence that others have taken."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import AuthenticationError, ConflictError, NotFoundError, SeatLimitError
from airflow_provider_mlconnector.sandbox.syspro import site_of
from airflow_provider_mlconnector.systems.syspro.connection import Auth
from tests.unit.pipeline.faults.acumatica import answered
from tests.unit.pipeline.faults.table import Rehearsal
from tests.unit.pipeline.faults.test_fault_tables import EACH, TABLES

NEVER_IDLE = 1e9


@pytest.mark.parametrize("table", EACH)
def test_a_login_that_ends_is_made_anew(rehearse, sandbox, table):
    ledger: Rehearsal = rehearse(table)
    ledger.open(**table.with_session)
    with ledger.happening(1, lambda: table.lose_login(sandbox)) as came:
        ledger.check_whole_read()
    assert len(came) > table.skip + 1


@pytest.mark.parametrize("table", EACH)
def test_a_login_that_ends_and_is_refused_then_is_an_error_and_nothing_is_kept(rehearse, sandbox, table, monkeypatch):
    ledger: Rehearsal = rehearse(table)
    before = ledger.kept()
    ledger.open(**table.with_session)

    def change_password() -> None:
        table.lose_login(sandbox)
        table.refuse_login(sandbox, monkeypatch)

    with (
        ledger.happening(1, change_password) as came,
        pytest.raises(AuthenticationError, match=table.refused),
    ):
        ledger.close.run("whole")
    assert len(came) <= table.skip + 4, "the request, and the legs of one handshake: what is refused is not tried again"
    assert ledger.kept() == before


@pytest.mark.parametrize("shape", ["json", "text", "html"])
def test_acumaticas_seat_is_waited_for_in_whatever_shape_the_refusal_comes(rehearse, control, shape):
    ledger: Rehearsal = rehearse(TABLES["Acumatica"])
    ledger.bring_about({"seats": 1, "refusal": shape})
    control.call("POST", "/acumatica/sessions")
    ledger.check_whole_read()


@pytest.mark.parametrize("shape", ["json", "text", "html"])
def test_acumaticas_seat_that_stays_taken_is_an_error_and_nothing_is_kept(rehearse, control, shape):
    ledger: Rehearsal = rehearse(TABLES["Acumatica"])
    before = ledger.kept()
    ledger.bring_about({"seats": 1, "refusal": shape, "idle_seconds": NEVER_IDLE})
    control.call("POST", "/acumatica/sessions")
    with pytest.raises(SeatLimitError):
        ledger.close.run("whole")
    assert ledger.kept() == before
    control.call("DELETE", "/acumatica/sessions")
    ledger.check_complete(ledger.close.run())


def test_a_release_that_drops_the_entity_while_records_are_read_one_by_one_is_no_gap(rehearse):
    """A record that is gone is a 500 there; a 404 says that there is no such entity (any more)."""
    ledger: Rehearsal = rehearse(TABLES["Acumatica"])
    before = ledger.kept()
    ledger.bring_about({"unoptimized": ["JournalTransaction.Details"]})
    ledger.bring_about(answered("not_found", "JournalTransaction/GL", times=None))
    with pytest.raises(NotFoundError):
        ledger.close.run("whole")
    assert ledger.kept() == before


def test_syspros_seats_that_are_all_taken_are_an_error_and_nothing_is_kept(rehearse, sandbox):
    ledger: Rehearsal = rehearse(TABLES["SYSPRO"])
    before, site = ledger.kept(), site_of(sandbox.world)
    ledger.bring_about({"seats": 1})
    ledger.open(auth=Auth.SESSION)
    taken = site.log_on("L")
    with pytest.raises(ConflictError, match="no free seat") as caught:
        ledger.close.run("whole")
    assert caught.value.retryable
    assert ledger.kept() == before
    site.sessions.pop(taken)
    ledger.check_complete(ledger.close.run())
