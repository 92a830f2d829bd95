"""The house rules that a machine can hold."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "airflow_provider_mlconnector"
ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / PACKAGE).rglob("*.py"))

# From the top of the house to its foundation: a room may use the rooms below it, and itself.
LAYERS = (
    ("demo",),
    ("cli",),
    ("dags",),
    ("operators",),
    ("sensors",),
    ("triggers",),
    ("bench",),
    ("hooks",),
    ("staging", "outcomes", "lineage", "plugins"),
    ("timetables", "settings", "durable", "retries", "assets", "policies", "get_provider_info"),
    ("forms",),
    ("flows",),
    ("pipeline",),
    ("trail", "systems", "sandbox"),
    ("finance",),
    ("errors", "clock"),
)
SHARED = {path.stem for path in (ROOT / PACKAGE / "systems").glob("*.py")}
"""Modules beside the systems, which they share."""

WITHOUT_AIRFLOW = ("flows", "pipeline", "trail", "systems", "sandbox", "finance", "errors", "clock")


def room(module: str) -> str:
    """Return the room of a dotted module name, such as ``pipeline``; the package itself has none."""
    return module.removeprefix(PACKAGE).lstrip(".").partition(".")[0]


def floor(name: str) -> int:
    """Return how far down a room lies; one that is on no floor is an error."""
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


def imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_run_downward_only(path):
    here = room(dotted(path))
    used = {room(name) for name in imports(path) if name.startswith(f"{PACKAGE}.")} - {"", here}
    assert not {there for there in used if floor(there) <= floor(here)}


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_the_work_knows_nothing_of_airflow(path):
    if room(dotted(path)) in WITHOUT_AIRFLOW:
        assert not [name for name in imports(path) if name == "airflow" or name.startswith("airflow.")]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_systems_do_not_know_each_other(path):
    parts = dotted(path).split(".")
    if parts[1:2] != ["systems"] or len(parts) < 3:
        return
    others = [name.split(".")[2] for name in imports(path) if name.startswith(f"{PACKAGE}.systems.")]
    assert set(others) <= {parts[2], "http", *SHARED}


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_is_small_enough_to_do_one_thing(path):
    assert len(path.read_text().splitlines()) <= 400


def test_the_sandbox_shares_no_code_with_the_client_it_tests():
    for path in (ROOT / PACKAGE / "sandbox").rglob("*.py"):
        used = {room(name) for name in imports(path) if name.startswith(PACKAGE + ".")}
        assert used <= {"sandbox", "finance", "errors", "clock", ""}, path


def test_what_a_dag_file_needs_imports_nothing_heavy():
    heavy = ("pandas", "pyarrow", "duckdb", "requests", "msal", "zeep", "sqlalchemy", "airflow")
    code = (
        f"import sys, {PACKAGE}.flows.loader, {PACKAGE}.finance.calendar, {PACKAGE}.pipeline.plan;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
