# SPDX-License-Identifier: Apache-2.0
"""The JSON schema says what the loader says."""

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.yaml_lines import parse_yaml, read_yaml
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.schema import schema

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("file", sorted((ROOT / "dags" / "flows").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_shipped_flows_satisfy_it(validator, file):
    assert [error.message for error in validator.iter_errors(read_yaml(file).value)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("flow: close", "flow: my close"),
        ("system: business_central", "system: sap"),
        ("conn_id: bc", "con_id: bc"),
        ("dataset: journal_lines", "dataset: journals"),
        ("nightly: 02:00", "nightly: 2am"),
        ("members: {Account: Accounts}", "match: {Account: number}"),
        ("import: Load Accounts", "imports: Load Accounts"),
    ],
)
def test_it_refuses_what_the_loader_refuses(validator, tmp_path, old, new):
    text = (ROOT / "tests/unit/flows/conftest.py").read_text().partition('FLOW = """\\\n')[2].partition('"""')[0]
    assert validator.is_valid(parse_yaml(text, "x").value)
    assert old in text
    broken = text.replace(old, new)
    assert not validator.is_valid(parse_yaml(broken, "x").value)
    file = tmp_path / "flow.yaml"
    file.write_text(broken)
    with pytest.raises(FlowError):
        load_flow(file)


def test_reading_a_flow_loads_nothing_heavy():
    code = (
        "import sys; from airflow_provider_mlconnector.flows.loader import load_flow;"
        "from airflow_provider_mlconnector.flows.plans import load_plans, read_plans;"
        "flow = load_flow('dags/flows/larkfield_close.yaml'); load_plans(flow); read_plans(flow);"
        "heavy = {'pyarrow', 'pandas', 'duckdb', 'requests', 'sqlalchemy', 'msal', 'airflow'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
