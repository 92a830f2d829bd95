# SPDX-License-Identifier: Apache-2.0
"""Flows of Finance & Operations: which posting layer is loaded by default."""

import shutil
from pathlib import Path

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import load_plans

DAGS = Path(__file__).parents[3] / "dags"


@pytest.fixture
def flow_with(tmp_path):
    """Return what loads the shipped flow with a piece of its text replaced."""
    shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "dags" / "flows" / "fo_manufacturer_close.yaml"

    def load(old, new):
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return load_flow(file)

    return load


@pytest.mark.parametrize(("named", "layer"), [("ledger: Tax", "Tax"), ("", "Current")])
def test_the_current_layer_is_loaded_unless_another_is_named(flow_with, named, layer):
    flow = flow_with("ledger: Current", named)
    lines = next(plan for plan in load_plans(flow) if plan.import_name == "Load GL Actuals")
    assert lines.selection.ledger == layer
