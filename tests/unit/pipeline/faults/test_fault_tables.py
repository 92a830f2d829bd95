# SPDX-License-Identifier: Apache-2.0
"""Every fault of every ledger: outlived with all rows once, or an error of its own kind that leaves all as it was."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import AuthenticationError
from tests.unit.pipeline.faults import acumatica, finance_operations, gp, syspro
from tests.unit.pipeline.faults.table import LINES, Rehearsal

TABLES = {"F&O": finance_operations.TABLE, "Acumatica": acumatica.TABLE, "SYSPRO": syspro.TABLE, "GP": gp.TABLE}
PASSING = [
    pytest.param(table, what, id=f"{name}: {case}")
    for name, table in TABLES.items()
    for case, what in table.passing.items()
]
STAYING = [
    pytest.param(table, one, id=f"{name}: {case}")
    for name, table in TABLES.items()
    for case, one in table.staying.items()
]
COMPARING = [
    pytest.param(table, one, id=f"{name}: {case}")
    for name, table in TABLES.items()
    for case, one in table.comparing.items()
]
EACH = [pytest.param(table, id=name) for name, table in TABLES.items()]


@pytest.mark.parametrize(("table", "what"), PASSING)
def test_what_passes_is_outlived_by_a_whole_read(rehearse, control, table, what):
    ledger: Rehearsal = rehearse(table)
    fault = ledger.bring_about(what)
    ledger.check_whole_read()
    if fault:
        assert control.hits(fault) == what.times


@pytest.mark.parametrize(("table", "one"), STAYING)
def test_what_stays_is_a_clear_error_and_nothing_of_the_read_is_kept(rehearse, table, one):
    ledger: Rehearsal = rehearse(table)
    before = ledger.kept()
    ledger.bring_about(one.what)
    with pytest.raises(one.error, match=one.told):
        ledger.close.run("whole")
    assert ledger.kept() == before


@pytest.mark.parametrize(("table", "one"), COMPARING)
def test_what_strikes_after_the_last_line_moves_no_watermark(rehearse, table, one):
    ledger: Rehearsal = rehearse(table)
    accepted, _, cells = ledger.kept()
    ledger.bring_about(one.what)
    with pytest.raises(one.error, match=one.told):
        ledger.close.run("whole")
    assert (ledger.kept()[0], ledger.kept()[2]) == (accepted, cells)
    ledger.put_in_order()
    ledger.check_complete(ledger.close.run())


@pytest.mark.parametrize("table", EACH)
def test_a_wrong_password_is_refused_once_never_shown_and_nothing_is_kept(rehearse, table):
    ledger: Rehearsal = rehearse(table)
    before = ledger.kept()
    ledger.open(**table.wrong_login(ledger.control))
    with pytest.raises(AuthenticationError, match=table.refusal) as caught:
        ledger.close.run()
    assert "hunter2" not in str(caught.value)
    assert ledger.kept() == before
    ledger.open()
    check_made_good(ledger)


def check_made_good(ledger: Rehearsal) -> None:
    """See that the next run of changes brings what was missed."""
    done = ledger.close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert done.load(LINES).sent > 0
    ledger.check_complete(done)
