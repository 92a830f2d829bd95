# SPDX-License-Identifier: Apache-2.0
"""The sandbox's description of its endpoint has the shape of the vendor's own, for the entities that it serves."""

import json
import os
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.acumatica.schema import ENTITIES
from airflow_provider_mlconnector.sandbox.acumatica.swagger import swagger
from airflow_provider_mlconnector.systems.acumatica import draft_records, entities, posting_setup
from airflow_provider_mlconnector.systems.acumatica.draft_options import Coding
from airflow_provider_mlconnector.systems.acumatica.draft_values import Values
from airflow_provider_mlconnector.systems.acumatica.subaccounts import parse_segments
from airflow_provider_mlconnector.systems.acumatica.wrapped import Entity
from tests.unit.systems.acumatica.drafts.desk import journal

REPOSITORY = Path(__file__).parents[3]
SPECS = Path(os.environ.get("MLCONNECTOR_SPECS", REPOSITORY.parent / "shared" / "specs")) / "acumatica"
FILE = SPECS / "finance_25.200.001.swagger.json"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the vendor's description is not here (MLCONNECTOR_SPECS)")

# forms with more fields than anybody here reads
PARTLY = {"Vendor", "Bill", "Employee", "PurchaseOrder"}
MODULES = (entities, draft_records, posting_setup)
READ = {id(one): one for module in MODULES for one in vars(module).values() if isinstance(one, Entity)}.values()


@pytest.fixture(scope="module")
def theirs():
    return json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def ours():
    return swagger("Default", "25.200.001", 4, "http://127.0.0.1/acumatica/entity/Default/25.200.001")


def fields_of(document, name):
    _, own = document["components"]["schemas"][name]["allOf"]
    return {field: schema for field, schema in own["properties"].items() if field != "_workflowActions"}


def test_the_frame_is_the_vendors(ours, theirs):
    assert ours["info"] == theirs["info"]
    assert ours.keys() == theirs.keys()
    assert [tag for tag in theirs["tags"] if tag["name"] in ENTITIES] == ours["tags"]


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_an_entity_has_the_vendors_paths_operations_and_parameters(ours, theirs, name):
    def operations(document):
        return {
            (path, method): (
                operation["operationId"],
                [next(iter(parameter)) for parameter in operation.get("parameters", [])],
                sorted(parameter["$ref"] for parameter in operation.get("parameters", [])),
            )
            for path, item in document["paths"].items()
            if path.split("/")[1] == name
            for method, operation in item.items()
        }

    assert operations(ours) == operations(theirs)


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_an_entity_has_the_vendors_fields_of_the_same_types(ours, theirs, name):
    for one in (name, *(inner.name for inner in ENTITIES[name].nested.values())):
        mine, real = fields_of(ours, one), fields_of(theirs, one)
        assert {field: schema for field, schema in mine.items() if real.get(field) != schema} == {}
        if name not in PARTLY:
            assert mine == real


@pytest.mark.parametrize("kind", ["String", "Boolean", "Int", "Short", "Long", "Decimal", "DateTime", "Guid"])
def test_fields_are_wrapped_as_the_vendor_wraps_them(ours, theirs, kind):
    name = f"{kind}Value"
    assert ours["components"]["schemas"][name] == theirs["components"]["schemas"][name]


@pytest.mark.parametrize("entity", READ, ids=lambda entity: entity.name)
def test_every_field_that_is_read_is_one_of_the_vendors(theirs, entity):
    real = fields_of(theirs, entity.name)
    for path in entity.selected():
        above, _, name = path.rpartition("/")
        fields = real
        if above:
            schema = real[above]
            inner = schema.get("items", schema)["$ref"].rpartition("/")[2]
            fields = fields_of(theirs, inner)
        assert name in fields, path


def test_every_field_that_is_written_is_one_of_the_vendors(theirs):
    values = Values(Coding(parse_segments("DEPARTMENT 8, LOCATION 2"), {"LOCATION": "00"}), "ACTUAL", "MAIN", "GBP")
    wanted = journal("5")
    lines = [values.line(wanted, line) for line in wanted.lines]
    assert values.header(wanted).keys() <= fields_of(theirs, "JournalTransaction").keys()
    assert {name for line in lines for name in line} <= fields_of(theirs, "JournalTransactionDetail").keys()
