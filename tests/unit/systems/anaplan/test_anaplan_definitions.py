# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, UnknownNameError
from airflow_provider_mlconnector.systems.anaplan.definitions import (
    Import,
    Kind,
    Named,
    View,
    find,
    parse_export_layout,
    parse_import,
    parse_import_source,
    parse_model,
    parse_model_status,
    parse_workspace,
)
from airflow_provider_mlconnector.systems.anaplan.hosts import Region, custom_hosts, hosts_for

THINGS = (
    Named("112000000001", "Load"),
    Named("112000000002", "Load "),
    Named("112000000003", "Twice"),
    Named("112000000004", "Twice"),
)


def test_a_name_is_found_exactly_as_it_is_written():
    assert find("import", THINGS, "Load", within="Model 'M'").id == "112000000001"
    assert find("import", THINGS, "Load ", within="Model 'M'").id == "112000000002"


@pytest.mark.parametrize("name", ["load", "Loa", " Load", ""])
def test_a_name_that_nothing_has_lists_what_there_is(name):
    with pytest.raises(UnknownNameError, match="Model 'M' has no import") as caught:
        find("import", THINGS, name, within="Model 'M'")
    assert caught.value.candidates == ("Load", "Load ", "Twice", "Twice")


def test_a_name_that_several_have_lists_their_ids():
    with pytest.raises(UnknownNameError, match="2 imports named 'Twice'") as caught:
        find("import", THINGS, "Twice", within="Model 'M'")
    assert "112000000003" in str(caught.value)
    assert "112000000004" in str(caught.value)


def test_an_id_is_found_although_names_are_ambiguous():
    assert find("import", THINGS, "112000000004", within="Model 'M'").id == "112000000004"


VIEWS = (
    View("102", "GL Actuals", "102"),
    View("203", "GL Actuals.By Period", "102"),
    View("204", "GL Balances.'Debit & Credit'", "103"),
    View("205", "GL Balances.Totals", "103"),
    View("206", "GL Actuals.Totals", "102"),
)


@pytest.mark.parametrize(
    ("name", "id_"),
    [("GL Actuals", "102"), ("GL Actuals.By Period", "203"), ("By Period", "203"), ("Debit & Credit", "204")],
)
def test_a_saved_view_is_found_with_and_without_its_module(name, id_):
    assert find("view", VIEWS, name, within="M").id == id_


def test_a_view_of_that_name_in_two_modules_is_ambiguous():
    with pytest.raises(UnknownNameError, match="2 views"):
        find("view", VIEWS, "Totals", within="M")


def test_ids_are_brought_into_anaplans_own_case():
    assert parse_workspace({"id": "ABC", "name": "W"}).id == "abc"
    model = parse_model({"id": "abc", "currentWorkspaceId": "DEF", "activeState": "brand new", "later": 1})
    assert (model.id, model.workspace_id, model.active_state) == ("ABC", "def", "BRAND NEW")
    assert not model.transaction_running


def test_a_status_with_nulls_is_read():
    status = parse_model_status({"currentStep": "Open", "progress": None, "tooltip": None, "taskId": None})
    assert (status.step, status.progress, status.tooltip) == ("Open", -1.0, "")


@pytest.mark.parametrize(
    ("raw", "file_id"),
    [
        ({"importDataSourceId": "113000000007"}, "113000000007"),
        ({"importDataSourceId": "102000000001"}, None),
        ({}, None),
    ],
)
def test_an_import_reads_a_file_when_its_source_is_one(raw, file_id):
    assert parse_import({"id": "112", "name": "I", **raw}) == Import("112", "I", file_id, "")


def test_an_import_from_a_model_has_no_header():
    assert parse_import_source({"name": "I", "type": "MODEL"}, None).header is None


def test_an_import_source_is_read_as_a_tenant_tells_it():
    source = parse_import_source(
        {
            "type": "FILE",
            "source": {
                "textEncoding": "ISO-8859-1",
                "columnSeparator": "\t",
                "textDelimiter": '"',
                "headerRow": 1,
                "firstDataRow": 2,
                "decimalSeparator": ".",
                "headerNames": ["Name", "Code"],
                "columnCount": 2,
            },
        },
        "113",
    )
    assert (source.header, source.separator, source.encoding) == (("Name", "Code"), "\t", "ISO-8859-1")


def test_an_export_layout_bears_missing_fields():
    layout = parse_export_layout({"headerNames": ["A"], "dataTypes": ["NEW_KIND"]})
    assert (layout.header, layout.data_types, layout.separator, layout.rows) == (("A",), ("NEW_KIND",), ",", 0)


def test_the_noun_of_each_kind_is_singular():
    assert [kind.noun for kind in Kind] == ["import", "export", "process", "action", "file", "list", "view"]


@pytest.mark.parametrize("region", list(Region))
def test_every_region_has_three_https_hosts(region):
    hosts = hosts_for(region)
    assert hosts.api.endswith("/2/0")
    assert all(url.startswith("https://") for url in (hosts.api, hosts.auth, hosts.oauth))


@pytest.mark.parametrize(
    ("region", "api", "auth"),
    [
        (Region.US1, "api.anaplan.com", "https://auth.anaplan.com"),
        (Region.EU4, "api.anaplan.com", "https://auth.anaplan.com"),
        (Region.EU3, "eu3.api.anaplan.com", "https://eu3.auth.anaplan.com"),
        (Region.CA1, "ca1a.api.anaplan.com", "https://ca1a.auth.anaplan.com"),
        (Region.AU1, "au1a.api2.anaplan.com", "https://au1a.app2.anaplan.com"),
    ],
)
def test_regions_lead_to_their_hosts(region, api, auth):
    assert (hosts_for(region).name, hosts_for(region).auth) == (api, auth)


def test_own_hosts_may_be_plain_http_on_loopback_only():
    assert (
        custom_hosts("http://127.0.0.1:8/2/0/", "http://localhost:8", "https://x.example").api
        == "http://127.0.0.1:8/2/0"
    )
    for bad in (
        "http://anaplan.example/2/0",
        "anaplan.example",
        "ftp://x",
        "https://user:pass@x.example",
        "https://x/?a=1",
    ):
        with pytest.raises(ConfigurationError) as caught:
            custom_hosts(bad, "https://a.example", "https://a.example")
        assert "pass" not in str(caught.value)
