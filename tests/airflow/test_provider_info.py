# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.sdk.module_loading import import_string

from airflow_provider_mlconnector.get_provider_info import get_provider_info

SCHEMAS = Path(airflow.__file__).parent


def _schema(name):
    return json.loads((SCHEMAS / name).read_text())


def _modules():
    info = get_provider_info()
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in info[kind]:
            yield from entry["python-modules"]


def _objects():
    info = get_provider_info()
    for connection in info["connection-types"]:
        yield connection["hook-class-name"]
    yield from info["extra-links"]
    yield from info["cli"]
    for uri in info["asset-uris"]:
        yield from (uri["handler"], uri["factory"], uri["to_openlineage_converter"])


def test_the_info_satisfies_airflows_schema():
    jsonschema.validate(get_provider_info(), _schema("provider_info.schema.json"))


@pytest.mark.parametrize("part", ["connection-types", "config"])
def test_connection_forms_and_options_satisfy_the_stricter_schema_of_providers(part):
    strict = _schema("provider.yaml.schema.json")
    jsonschema.validate(get_provider_info()[part], strict["properties"][part] | {"definitions": strict["definitions"]})


@pytest.mark.parametrize("module", list(_modules()))
def test_every_module_that_the_info_names_can_be_imported(module):
    import_module(module)


@pytest.mark.parametrize("path", list(_objects()))
def test_every_object_that_the_info_names_exists(path):
    import_string(path)


@pytest.mark.parametrize("connection", get_provider_info()["connection-types"], ids=lambda c: c["connection-type"])
def test_hooks_agree_with_the_info(connection):
    hook = import_string(connection["hook-class-name"])
    assert hook.conn_type == connection["connection-type"]
    assert hook.hook_name == connection["hook-name"]
    assert hook.conn_name_attr in hook().__dict__
    assert callable(hook.test_connection)


def test_the_regions_of_the_form_are_those_of_the_client():
    from airflow_provider_mlconnector.systems.anaplan.hosts import Region

    form = next(c for c in get_provider_info()["connection-types"] if c["connection-type"] == "anaplan")
    assert set(form["conn-fields"]["region"]["schema"]["enum"]) == {*Region, "custom"}


def test_secret_fields_are_of_password_format_and_named_so_that_the_masker_knows_the_key():
    fields = {
        name: field["schema"].get("format")
        for connection in get_provider_info()["connection-types"]
        for name, field in connection["conn-fields"].items()
    }
    assert fields["private_key"] == "password"
    assert fields["certificate"] == "password"


def test_options_have_the_defaults_that_the_settings_use():
    from airflow_provider_mlconnector.settings import load_settings

    options = get_provider_info()["config"]["mlconnector"]["options"]
    settings = load_settings()
    for name in ("requests_per_minute", "reserve", "read_timeout", "grace", "first_poll"):
        assert float(options[name]["default"]) == getattr(settings, name)
    assert options["memory_limit"]["default"] == settings.memory_limit
    assert options["trail_conn_id"]["default"] == settings.trail_conn_id


def test_importing_the_info_imports_nothing_else():
    code = "import sys; import airflow_provider_mlconnector.get_provider_info; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"airflow", "pandas", "pyarrow", "pydantic", "requests"} & set(loaded)


@pytest.mark.parametrize("group", ["apache_airflow_provider", "airflow.plugins", "airflow.policy"])
def test_the_installed_package_has_its_entry_points(group):
    mine = [point for point in metadata.entry_points(group=group) if point.dist.name == "airflow-provider-mlconnector"]
    assert len(mine) == 1
    mine[0].load()
