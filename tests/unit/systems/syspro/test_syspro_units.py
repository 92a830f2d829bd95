# SPDX-License-Identifier: Apache-2.0
"""The small parts: GL codes, watermarks of counters, answers of the e.net service, metadata, and what is logged."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.syspro.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.syspro.connection import Auth, GlCode, SysproConnection
from airflow_provider_mlconnector.systems.syspro.enet import unwrapped
from airflow_provider_mlconnector.systems.syspro.marks import JOURNALS_BEHIND, Counter
from airflow_provider_mlconnector.systems.syspro.metadata import entity_sets
from airflow_provider_mlconnector.systems.syspro.values import days, period_key
from tests.unit.systems.syspro.reading import SysproSite


@pytest.mark.parametrize(
    ("structure", "code", "parts"),
    [
        ("ACCOUNT.DEPARTMENT", "40100.SALES", ("40100", "SALES")),
        ("ACCOUNT.DEPARTMENT", "40100", ("40100", "")),
        ("ACCOUNT.DEPARTMENT", "40100.A.B", ("40100", "A.B")),
        ("ACCOUNT-DEPARTMENT-PROJECT", "1-2-3", ("1", "2", "3")),
        ("ACCOUNT", "1.2", ("1.2",)),
    ],
)
def test_a_gl_code_is_split_as_its_structure_says(structure, code, parts):
    assert GlCode(structure).split(code) == parts


@pytest.mark.parametrize("structure", ["", "ACCOUNT.DEPARTMENT-PROJECT", ".DEPARTMENT"])
def test_a_structure_that_is_none_is_refused(structure):
    with pytest.raises(ConfigurationError, match="no structure of GL codes"):
        GlCode(structure)


@pytest.mark.parametrize("counter", Counter)
@pytest.mark.parametrize("count", [0, 1, 812, 10_000_000])
def test_a_count_comes_back_from_its_moment_and_is_none_for_the_other_counter(counter, count):
    moment = counter.moment(count)
    other = next(one for one in Counter if one is not counter)
    assert (counter.since(moment), other.since(moment), counter.since(None)) == (count, None, None)
    assert moment < datetime(2000, 1, 1, tzinfo=UTC)


def test_the_overlap_is_as_many_journals_as_the_client_says():
    before = Counter.JOURNALS.moment(500) - CAPABILITIES.overlap
    assert Counter.JOURNALS.since(before) == 500 - JOURNALS_BEHIND
    assert Counter.VERSIONS.since(Counter.VERSIONS.moment(5) - CAPABILITIES.overlap) == 0


@pytest.mark.parametrize("wrapped", ["AB12  ", '"AB12  "', "AB12  \r\n", '<string xmlns="urn:x">AB12  </string>'])
def test_a_session_keeps_the_blanks_at_its_end_however_it_is_wrapped(wrapped):
    assert unwrapped(wrapped) == "AB12  "


def test_a_day_is_the_one_that_is_written_whatever_its_zone():
    texts = pa.array(["2026-10-31T00:00:00Z", "2026-10-31T23:59:59+13:00", "", None])
    assert days(texts).to_pylist() == [date(2026, 10, 31), date(2026, 10, 31), None, None]
    assert (period_key(2027, 4), period_key(2027, None)) == ("FY2027-P04", None)


def test_a_table_of_custom_columns_has_its_plus_in_the_path():
    connection = SysproConnection(
        odata_url="https://x", company="L 1", operator="A", password="b", entity_url="{company}/{table}"
    )
    assert connection.path("InvMaster+") == "L%201/InvMaster%2B"


def test_metadata_that_brings_entities_of_its_own_is_refused():
    with pytest.raises(ProtocolError, match="entities of its own"):
        entity_sets(b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    with pytest.raises(ProtocolError, match="cannot be read"):
        entity_sets(b"<html>")


def test_no_password_and_no_session_is_logged(site: SysproSite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = site.client(auth=Auth.SESSION)
    assert client.ping().ok
    session = next(iter(site.state.sessions))
    client.close()
    assert "/SYSPROWCFService/Rest/Logon?***" in caplog.text
    for secret in (site.info["password"], site.info["company_password"], session.strip()):
        assert secret not in caplog.text
    assert site.info["password"] not in repr(client._connection)
