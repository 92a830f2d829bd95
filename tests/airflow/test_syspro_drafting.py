# SPDX-License-Identifier: Apache-2.0
"""What brings a plan's journals about in SYSPRO, opened from a connection and the options of a flow."""

from __future__ import annotations

import json
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from airflow.sdk import Connection, ObjectStoragePath

from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.shelves import ObjectShelf, open_shelf
from airflow_provider_mlconnector.hooks.syspro import SysproHook
from airflow_provider_mlconnector.systems.drafting import DraftState
from tests.unit.systems.http.scripted_server import Reply, in_turn, serving
from tests.unit.systems.syspro.drafts.desk import SEGMENTS, journal

WANTED = journal("5", part="airflow")


@pytest.fixture
def systems():
    return ("anaplan", "syspro")


@pytest.fixture
def connect(site, monkeypatch):
    """Store the connection of a rehearsal, with more in it."""

    def store(**extra):
        told = connections({"url": site.url, **site.info})["syspro_default"]
        fields = told | {"extra": json.dumps(told["extra"] | extra)}
        monkeypatch.setenv("AIRFLOW_CONN_SYSPRO_DEFAULT", Connection(conn_id="syspro_default", **fields).as_json())

    store()
    return store


def opened(**options):
    return closing(SysproHook().get_drafting("BUDGET", "", {"segments": SEGMENTS, **options}))


def test_a_flow_hands_its_journals_over_in_a_folder_of_its_own_or_posts_if_it_says_so(site, connect, tmp_path):
    with opened(folder=str(tmp_path)) as drafting:
        assert drafting.problems([WANTED]) == []
        for step in drafting.steps(WANTED):
            step.do()
        assert drafting.find(WANTED).state is DraftState.DRAFT
    assert (tmp_path / "BUDGET" / "L" / f"{WANTED.key}.xml").exists()
    assert site.control("syspro/journals", method="GET")["post_calls"] == 0
    with opened(post="yes") as drafting:
        for step in drafting.steps(WANTED):
            step.do()
        assert drafting.find(WANTED).state is DraftState.POSTED
    assert site.control("syspro/journals", method="GET")["post_calls"] == 1
    assert site.control("syspro/sessions", method="GET")["sessions"] == 0


def test_a_workflow_needs_a_host_that_is_allowed_and_a_secret(connect, site, tmp_path, monkeypatch):
    folder, wanted = str(tmp_path), journal("6", part="workflow in airflow")
    with serving(in_turn(Reply(202))) as server:
        with pytest.raises(ConfigurationError, match="which is not allowed"):
            opened(folder=folder, webhook=f"{server.url}/hook")
        monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", f"{site.url},{server.url}")
        with pytest.raises(ConfigurationError, match="no secret to sign journals with"):
            opened(folder=folder, webhook=f"{server.url}/hook")
        connect(webhook_secret="hunter2")
        with opened(folder=folder, webhook=f"{server.url}/hook") as drafting:
            drafting.steps(wanted)[0].do()
            assert drafting.find(wanted).state is DraftState.DRAFT
        assert [urlsplit(request.path).path for request in server.requests] == ["/hook"]


@pytest.mark.parametrize(
    ("folder", "name"), [("../plans", "BUDGET"), ("a/b", "BUDGET"), ("/plans", "../etc"), ("/plans", ".hidden")]
)
def test_the_names_of_folders_lead_nowhere_else(folder, name):
    with pytest.raises(ConfigurationError):
        open_shelf(folder, name)


def test_a_folder_that_is_a_mere_name_is_one_of_the_staging_area(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__STAGING", str(tmp_path / "stage"))
    open_shelf("handed-over", "BUDGET").write("a.xml", b"one")
    assert (tmp_path / "stage" / "handed-over" / "BUDGET" / "a.xml").read_bytes() == b"one"
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__STAGING", "memory://stage")
    assert open_shelf("handed-over", "BUDGET").place("a.xml").endswith("://stage/handed-over/BUDGET/a.xml")


def test_files_may_lie_in_an_object_store(tmp_path):
    shelf = ObjectShelf(ObjectStoragePath(f"file://{tmp_path}/store"))
    assert shelf.read("a.xml") is None
    shelf.remove("a.xml")
    for data in (b"one", b"two"):
        shelf.write("a.xml", data)
        assert shelf.read("a.xml") == data
    assert shelf.place("a.xml").endswith("/store/a.xml")
    shelf.remove("a.xml")
    assert shelf.read("a.xml") is None
    assert isinstance(open_shelf("memory://plans", "BUDGET"), ObjectShelf)
