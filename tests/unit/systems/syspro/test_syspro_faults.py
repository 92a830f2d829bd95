# SPDX-License-Identifier: Apache-2.0
"""What a SYSPRO site alone does to its readers: operators that it does not know yet, pages that shrink, sessions."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    ConflictError,
    MlconnectorError,
    PermissionDeniedError,
    ProtocolError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.sandbox.books import NewLine
from airflow_provider_mlconnector.systems.syspro.connection import Auth
from tests.unit.systems.syspro.reading import KEY, SysproSite, by_cell, by_cell_in_the_books, rows_of


def read(site: SysproSite, **options):
    rows, _ = rows_of(site.client(page_size=20, **options), Dataset.JOURNAL_LINES, site.scope())
    return rows


def is_whole(site: SysproSite, rows) -> bool:
    once = len({row["record_id"] for row in rows}) == len(rows)
    return once and by_cell(rows) == by_cell_in_the_books(site.books(), site.books().period(KEY))


def test_a_wrong_password_is_refused_once_and_not_repeated(site):
    site.world.stats.clear()
    with pytest.raises(AuthenticationError, match="Check operator and password"):
        read(site, password="nonsense")
    assert site.world.stats.count("syspro") == 1


def test_an_operator_who_was_enabled_later_is_known_after_a_restart(site):
    site.state.operators["NEW"] = "secret"
    with pytest.raises(AuthenticationError, match="only after it was started again"):
        read(site, operator="NEW", password="secret")
    site.state.restart()
    assert is_whole(site, read(site, operator="NEW", password="secret"))


def test_a_server_that_gives_smaller_pages_from_now_on_is_read_to_the_end(site):
    client = site.client(page_size=50)
    reading = client.read(Dataset.JOURNAL_LINES, site.scope())
    batches = iter(reading.batches)
    rows = next(batches).to_pylist()
    site.switch(page_size=7)
    rows += [row for batch in batches for row in batch.to_pylist()]
    assert is_whole(site, rows)


def test_too_large_a_page_is_halved(site):
    site.fault("status", r"\$top=5000", status=413, times=None)
    rows, _ = rows_of(site.client(), Dataset.JOURNAL_LINES, site.scope())
    assert is_whole(site, rows)


def test_rows_that_are_posted_while_it_pages_move_no_row_over_the_edge(site):
    client = site.client(page_size=20)
    before = site.books().count("FY2027-P03")
    batches = iter(client.read(Dataset.JOURNAL_LINES, site.scope("FY2027-P03")).batches)
    rows = next(batches).to_pylist()
    day = site.books().period("FY2027-P03").start
    amount = rows[0]["amount"]
    site.books().post_document(day, [NewLine("60420", amount, "ADM"), NewLine("20400", -amount)])
    site.books().delete_line(next(site.books().lines("FY2027-P03")).entry_number)
    rows += [row for batch in batches for row in batch.to_pylist()]
    assert len(rows) == len({row["record_id"] for row in rows})
    assert len(rows) in (before, before + 2), "the deleted row was read before it went; the new ones may have come"


def test_a_row_that_comes_twice_over_the_edge_of_a_page_ends_the_read(site):
    row = '{"value":[{"Company":"L","GlYear":2027,"GlPeriod":4,"Journal":1,"EntryNumber":1,"GlCode":"1.1",'
    row += (
        '"EntryValue":1,"EntryDate":"2026-10-01T00:00:00Z","Source":"GL","Reference":"X","TimeStamp":"AAAAAAAAAAE="}]}'
    )
    headers = {"Content-Type": "application/json"}
    site.fault("status", status=200, body=row, headers=headers, times=None)
    with pytest.raises(ProtocolError, match="a row came twice"):
        read(site)


# Sessions


def test_a_session_that_is_lost_in_the_midst_of_a_read_is_begun_anew(site):
    client = site.client(page_size=20, auth=Auth.SESSION)
    batches = iter(client.read(Dataset.JOURNAL_LINES, site.scope()).batches)
    rows = next(batches).to_pylist()
    site.state.sessions.clear()
    rows += [row for batch in batches for row in batch.to_pylist()]
    assert is_whole(site, rows)
    assert len(site.state.sessions) == 1
    client.close()
    assert not site.state.sessions


def test_a_session_is_logged_off_when_the_read_fails(site):
    site.fault("status", status=403, times=None, skip=1)
    client = site.client(auth=Auth.SESSION)
    with pytest.raises(PermissionDeniedError):
        rows_of(client, Dataset.JOURNAL_LINES, site.scope())
    client.close()
    assert not site.state.sessions


def test_when_all_seats_are_taken_it_says_so_and_a_later_try_may_help(site):
    site.switch(seats=1)
    one = site.client(auth=Auth.SESSION)
    assert one.ping().ok
    with pytest.raises(ConflictError, match="no free seat for operator MLCONN: Maximum number") as caught:
        site.client(auth=Auth.SESSION).ping()
    assert caught.value.retryable
    one.close()
    assert site.client(auth=Auth.SESSION).ping().ok


def test_an_idle_session_gives_up_its_seat(site):
    site.switch(seats=1)
    assert site.client(auth=Auth.SESSION).ping().ok
    site.world.clock.advance(3600)
    assert site.client(auth=Auth.SESSION).ping().ok


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password": "nonsense"}, "Invalid operator password"),
        ({"company_password": "nonsense"}, "Invalid company password"),
        ({"operator": "NOBODY"}, "Operator 'NOBODY' not found"),
    ],
)
def test_a_refused_logon_says_why_and_names_no_password(site, options, said):
    with pytest.raises(AuthenticationError, match=said) as caught:
        site.client(auth=Auth.SESSION, **options).ping()
    assert "nonsense" not in str(caught.value)


@pytest.mark.parametrize("said", ["<html><body>Service Unavailable, please try again later.</body></html>", "", "OK"])
def test_what_is_no_session_is_not_taken_for_one(site, said):
    site.fault("status", "Logon", status=200, body=said, times=None)
    with pytest.raises(ProtocolError, match="did not answer with a session"):
        site.client(auth=Auth.SESSION).ping()


def test_a_site_that_takes_no_sessions_for_odata_is_a_clear_error(site):
    site.switch(sessions=False)
    with pytest.raises(MlconnectorError, match="401"):
        site.client(auth=Auth.SESSION).ping()
