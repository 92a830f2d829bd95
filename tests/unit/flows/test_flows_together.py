# SPDX-License-Identifier: Apache-2.0
"""What flows of one deployment must not do to each other."""

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.flows.loader import check_together, load_flows

OTHER = (("flow: close", "flow: other"), ("company: Larkfield Ltd", "company: Marshfield Ltd"))


def test_a_second_company_is_a_second_file_with_another_entity(folder):
    first, second = folder.load(), folder.load(*OTHER, ("=Larkfield", "=Marshfield"), name="other.yaml")
    check_together([first, second])


def test_two_flows_into_one_import_differ_in_a_constant(folder):
    first, second = folder.load(), folder.load(*OTHER, name="other.yaml")
    with pytest.raises(
        FlowError, match="'Load GL Actuals' is loaded by two flows that no constant keeps apart"
    ) as caught:
        check_together([first, second])
    assert caught.value.where == folder.line("Load GL Actuals", "other.yaml")
    assert folder.line("Load GL Actuals") in str(caught.value)


def test_a_constant_that_only_one_of_them_has_keeps_nothing_apart(folder):
    second = folder.load(
        *OTHER, ("Entity: =Larkfield", "Entity: description"), ("[Account, ", "[Account, Entity, "), name="other.yaml"
    )
    with pytest.raises(FlowError, match="no constant keeps apart"):
        check_together([folder.load(), second])


def test_a_mapping_parameter_keeps_flows_apart_as_a_constant_does(folder):
    def asking(version, name, *changes):
        chosen = ("    check:", f"    mapping: {{Version: {version}}}\n    check:")
        return folder.load(chosen, *changes, name=name)

    check_together([asking("Actual", "one.yaml"), asking("Forecast", "other.yaml", *OTHER)])
    with pytest.raises(FlowError, match="no constant keeps apart"):
        check_together([asking("Actual", "one.yaml"), asking("Actual", "other.yaml", *OTHER)])


def test_flows_into_different_models_do_not_meet(folder):
    check_together([folder.load(), folder.load(*OTHER, ("model: FP&A Hub", "model: Sales Hub"), name="other.yaml")])
    check_together([folder.load(), folder.load(*OTHER, ("conn_id: anaplan", "conn_id: test"), name="other.yaml")])


def test_a_name_is_given_once(folder):
    second = folder.load(("=Larkfield", "=Marshfield"), name="other.yaml")
    with pytest.raises(FlowError, match="the name 'close' is taken"):
        check_together([folder.load(), second])


@pytest.mark.parametrize("spelling", ["model: fp&a hub", "model: FP&A  Hub", "workspace: FINANCE"])
def test_one_model_is_written_alike(folder, spelling):
    old = "model: FP&A Hub" if spelling.startswith("model") else "workspace: Finance"
    second = folder.load(*OTHER, ("=Larkfield", "=Marshfield"), (old, spelling), name="other.yaml")
    with pytest.raises(FlowError, match="write it alike"):
        check_together([folder.load(), second])


def test_flows_into_one_model_share_a_pool(folder):
    second = folder.load(
        *OTHER, ("=Larkfield", "=Marshfield"), ("model: FP&A Hub}", "model: FP&A Hub, pool: own}"), name="other.yaml"
    )
    with pytest.raises(FlowError, match="flows into one model have one pool"):
        check_together([folder.load(), second])


def test_a_folder_is_checked_as_a_whole(folder):
    (folder.path / "flows").mkdir()
    folder.load(name="flows/a.yaml")
    folder.load(*OTHER, ("=Larkfield", "=Marshfield"), name="flows/b.yaml")
    assert [flow.name for flow in load_flows(folder.path / "flows")] == ["close", "other"]
    folder.load(*OTHER, name="flows/b.yaml")
    with pytest.raises(FlowError, match="no constant keeps apart"):
        load_flows(folder.path / "flows")
