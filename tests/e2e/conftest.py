"""A real Airflow beside the sandbox, once on SQLite and once on PostgreSQL, shared by the tests of this folder."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process
from airflow_provider_mlconnector.demo.stack import AirflowStack, StackOptions
from airflow_provider_mlconnector.demo.watching import Dag
from tests.postgres import postgres_server
from tests.sandbox_control import SandboxControl

__all__ = ["postgres_server"]

ROOT = Path(__file__).parents[2]
SYSTEMS = ("anaplan", "business_central")

SHORT_FLOW = """
flow: {name}
erp: {{system: business_central, conn_id: business_central_default, company: Larkfield Ltd}}
anaplan: {{conn_id: anaplan_default, workspace: Finance, model: FP&A Hub}}
calendar: calendars/{calendar}.yaml
schedule: {{{schedule}}}
load:
  - {{dataset: accounts, import: Load Accounts, columns: {{Code: account, Name: name, Parent: parent}}}}
  - dataset: journal_lines
    import: Load GL Actuals
    columns:
      Account: account
      Cost Centre: dimension.DEPARTMENT
      Entity: =Larkfield
      Version: ={version}
      Time: period
      Amount: amount
    crosswalk: {{Cost Centre: crosswalks/cost_centres.csv}}
    members: {{Account: Accounts, Cost Centre: Cost Centres}}
    check: GL Actuals by Period
"""

TICKING_CALENDAR = """
calendar: Always working
kind: explicit
timezone: UTC
workdays: {{weekend: []}}
hours: {{start: 00:00, end: 23:59}}
fiscal_years:
  - {{year: 2027, starts: [2026-07-01, 2026-08-01, 2026-09-01, 2026-10-01, 2026-11-01], end: {end}}}
"""


@dataclass
class Site:
    """What a test works with: a stack, the sandbox behind its connections, and the folder of its DAGs."""

    stack: AirflowStack
    sandbox: SandboxControl
    dags: Path

    def dag(self, dag_id: str) -> Dag:
        dag = Dag(self.stack, dag_id)
        dag.wait_parsed()
        return dag


def write_dags(folder: Path) -> Path:
    """Copy the shipped DAGs; add a short flow, and one that ticks every minute, whatever day the test runs on."""
    shutil.copytree(ROOT / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
    end = max(datetime.now(UTC).date(), date(2026, 11, 20)) + timedelta(days=40)
    (folder / "calendars" / "always_working.yaml").write_text(TICKING_CALENDAR.format(end=end))
    short = SHORT_FLOW.format(name="short_close", calendar="monthly_july", schedule="nightly: 02:00", version="Budget")
    (folder / "flows" / "short_close.yaml").write_text(short)
    ticking = SHORT_FLOW.format(
        name="ticking_close", calendar="always_working", schedule="every: 1m", version="Forecast"
    )
    (folder / "flows" / "ticking_close.yaml").write_text(ticking)
    shutil.copy(Path(__file__).parent / "operator_dags.py", folder)
    return folder


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp(f"airflow-{request.param}")
    with ExitStack() as stack:
        info = stack.enter_context(sandbox_process(SYSTEMS))
        dags = write_dags(home / "dags")
        options = StackOptions(
            dags=dags,
            connections=connections(info),
            config={
                "mlconnector": {"allowed_hosts": info["url"], "grace": "5", "first_poll": "3"},
                "scheduler": {
                    "scheduler_heartbeat_sec": "1",
                    "task_instance_heartbeat_timeout": "15",
                    "task_instance_heartbeat_timeout_detection_interval": "3",
                },
            },
        )
        if request.param == "postgres":
            options = with_postgres(options, request.getfixturevalue("postgres_server"))
        airflow = stack.enter_context(AirflowStack(home / "home", options))
        yield Site(airflow, SandboxControl(info), dags)


def with_postgres(options: StackOptions, server) -> StackOptions:
    """Put both databases, Airflow's and the trail, on PostgreSQL."""
    trail = {
        "conn_type": "mlconnector_trail",
        "host": "127.0.0.1",
        "port": server.port,
        "login": "trail",
        "password": server.password,
        "schema": server.new_database().rpartition("/")[2],
    }
    return StackOptions(
        dags=options.dags,
        database_url=server.new_database(),
        connections={**options.connections, "mlconnector_trail": trail},
        config=options.config,
    )
