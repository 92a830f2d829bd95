# SPDX-License-Identifier: Apache-2.0
import pytest
from airflow.sdk import Asset

from airflow_provider_mlconnector.assets import convert_asset_to_openlineage, create_asset


def test_an_asset_names_model_and_dataset():
    assert create_asset(model="FP&A Hub", dataset="journal_lines").uri == "anaplan://FP%26A%20Hub/journal_lines"


def test_two_spellings_of_one_address_are_one_asset():
    assert Asset(uri="ANAPLAN://Hub/journal_lines/").uri == create_asset(model="Hub", dataset="journal_lines").uri


@pytest.mark.parametrize("uri", ["anaplan://hub", "anaplan:///journal_lines", "anaplan://hub/a/b"])
def test_an_address_without_model_or_dataset_is_refused(uri):
    with pytest.raises(ValueError, match="anaplan://<model>/<dataset>"):
        Asset(uri=uri)


def test_lineage_takes_the_model_as_namespace():
    dataset = convert_asset_to_openlineage(create_asset(model="FP&A Hub", dataset="journal_lines"), None)
    assert (dataset.namespace, dataset.name) == ("anaplan://FP%26A%20Hub", "journal_lines")
