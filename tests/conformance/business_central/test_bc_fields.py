# SPDX-License-Identifier: Apache-2.0
"""Every entity set shows the fields that the vendor's own source lists, in that order."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from airflow_provider_mlconnector.sandbox.business_central import journal_rows
from airflow_provider_mlconnector.sandbox.business_central.dimension_sets import LINE_FIELDS
from airflow_provider_mlconnector.sandbox.business_central.drift import Drift
from airflow_provider_mlconnector.sandbox.business_central.entries import PAGE_FIELDS, QUERY_FIELDS
from airflow_provider_mlconnector.sandbox.business_central.metadata import metadata_document
from airflow_provider_mlconnector.sandbox.business_central.sources import V2
from airflow_provider_mlconnector.sandbox.business_central.tables import COMPANY_FIELDS, FINANCE_TABLES, V2_TABLES
from airflow_provider_mlconnector.sandbox.business_central.trial_balance import FIELDS as TRIAL_BALANCE_FIELDS

REPOSITORY = Path(__file__).parents[3]
SPECS = Path(os.environ.get("MLCONNECTOR_SPECS", REPOSITORY.parent / "shared" / "specs")) / "business-central"

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendor's field lists are not here (MLCONNECTOR_SPECS)")

V2_FIELDS = {name: table.fields for name, table in V2_TABLES.items()} | {
    "companies": COMPANY_FIELDS,
    "generalLedgerEntries": PAGE_FIELDS,
    "dimensionSetLines": LINE_FIELDS,
    "trialBalances": TRIAL_BALANCE_FIELDS,
    "journals": journal_rows.BATCH_FIELDS,
    "journalLines": journal_rows.LINE_FIELDS,
    "defaultDimensions": journal_rows.DEFAULT_FIELDS,
}
FINANCE_FIELDS = {name: table.fields for name, table in FINANCE_TABLES.items()} | {"generalLedgerEntries": QUERY_FIELDS}
CSDL = "{http://docs.oasis-open.org/odata/ns/edm}"
# a stream, which is fetched by an address of its own
STREAMS = {"picture"}


@pytest.mark.parametrize("name", sorted(V2_FIELDS))
def test_the_standard_api_shows_the_listed_fields(name):
    entity = json.loads((SPECS / "bc_api_v2_entities.json").read_text())["entitySets"][name]
    listed = [field[0] for field in entity["fields"] if field[0] not in STREAMS]
    assert sorted(V2_FIELDS[name]) == sorted(listed)
    assert V2_TABLES[name].entity == entity["entity"] if name in V2_TABLES else True


@pytest.mark.parametrize("name", sorted(FINANCE_FIELDS))
def test_the_finance_api_shows_the_listed_fields(name):
    entity = json.loads((SPECS / "bc_reportsFinance_beta_entities.json").read_text())[name]
    assert sorted(FINANCE_FIELDS[name]) == sorted(field[0] for field in entity["fields"])
    assert FINANCE_TABLES[name].entity == entity["entity"] if name in FINANCE_TABLES else True


EDM = {
    "GUID": "Edm.Guid",
    "string": "Edm.String",
    "date": "Edm.Date",
    "datetime": "Edm.DateTimeOffset",
    "decimal": "Edm.Decimal",
    "boolean": "Edm.Boolean",
    "integer": "Edm.Int32",
    "int64": "Edm.Int64",
}


def test_the_metadata_gives_every_property_the_documented_type():
    listed = json.loads((SPECS / "bc_api_v2_entities.json").read_text())["entitySets"]
    told = ElementTree.fromstring(metadata_document(V2, Drift()))
    types = {one.get("Name"): one for one in told.iter(f"{CSDL}EntityType")}
    for name in V2_FIELDS:
        entity = listed[name]
        wanted = {field[0]: EDM.get(field[1], f"Microsoft.{field[1]}") for field in entity["fields"]}
        shown = {one.get("Name"): one.get("Type") for one in types[entity["entity"]].iter(f"{CSDL}Property")}
        assert shown == {field: kind for field, kind in wanted.items() if field not in STREAMS}, name


def test_an_entry_is_written_like_the_sample():
    sample = json.loads((SPECS / "bc_wire_samples.json").read_text())["page"]["body"]["value"][0]
    assert list(sample) == ["@odata.etag", *PAGE_FIELDS]
