"""A real Airflow beside the sandbox, once on SQLite and once on PostgreSQL, shared by the tests of this folder."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_mlconnector.demo.rehearsal import DAG_IDS
from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process
from airflow_provider_mlconnector.demo.stack import AirflowStack, StackOptions
from airflow_provider_mlconnector.demo.watching import Dag
from airflow_provider_mlconnector.trail.store import Trail
from tests.e2e import local_agent
from tests.e2e.ledger_runs import closes, open_periods, plans, second_plans
from tests.postgres import postgres_server
from tests.sandbox_control import SandboxControl

__all__ = ["closes", "open_periods", "plans", "postgres_server", "second_plans"]

ROOT = Path(__file__).parents[2]
SYSTEMS = ("anaplan", "business_central", "dynamics_fo", "acumatica", "syspro", "dynamics_gp")

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

PLAN = """
plan:
  - export: Approved Budget
    version: Budget
    columns:
      Account: account
      Cost Centre: dimension.DEPARTMENT
      Entity: =Larkfield
      Version: version
      Time: period
      Amount: amount
    journal: {name: KILLED}
"""
"""What comes home in the flow whose workers are killed, into a batch of its own."""

TICKING_CALENDAR = """
calendar: Always working
kind: explicit
timezone: UTC
workdays: {{weekend: []}}
hours: {{start: 00:00, end: 23:59}}
fiscal_years:
  - {{year: 2027, starts: [2026-07-01, 2026-08-01, 2026-09-01, 2026-10-01, 2026-11-01], end: {end}}}
"""


ENTITIES = ("North", "South", "West")
"""Members that the model gets, each for a copy of the whole flow: one company's books, kept apart by a constant."""

PEOPLE = ("ana", "ben")
"""Users of Airflow beside its administrator: Ana asks for a plan, Ben approves it."""

KILLED = ("worker_killed", "api_server_killed", "scheduler_killed", "triggerer_killed")
"""Short flows, and the members that keep their cells apart, for the closes in which something is killed."""

KILLED_PLAN = "plan_killed"
"""The flow and the member of the plan in which something is killed."""


@dataclass
class Site:
    """What a test works with: a stack, the sandbox behind its connections, the folder of its DAGs, and the trail.

    On PostgreSQL a local agent alone talks to Dynamics GP; ``plans`` starts it.
    """

    stack: AirflowStack
    sandbox: SandboxControl
    dags: Path
    trail_url: str

    def dag(self, dag_id: str) -> Dag:
        dag = Dag(self.stack, dag_id)
        dag.wait_parsed()
        return dag

    def restart(self, component: str) -> None:
        """Kill a component and all that it started, as a lost machine would be, and start it anew."""
        self.stack.processes.kill(component)
        self.stack.start_component(component)
        self.stack.wait_healthy()


def write_dags(folder: Path) -> Path:
    """Copy the shipped DAGs, without what runs by the quarter of an hour; add the tests' flows and DAGs without one."""
    shutil.copytree(ROOT / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
    end = max(datetime.now(UTC).date(), date(2026, 11, 20)) + timedelta(days=40)
    (folder / "calendars" / "always_working.yaml").write_text(TICKING_CALENDAR.format(end=end))
    often = folder / "flows" / f"{DAG_IDS['syspro']}.yaml"
    often.write_text(re.sub(r"^  every: .*\n", "", often.read_text(), flags=re.MULTILINE))
    (folder / "killed").mkdir()
    for place, flow in flows_of_tests((folder / "flows" / "larkfield_close.yaml").read_text()).items():
        (folder / f"{place}.yaml").write_text(flow)
    for file in Path(__file__).parent.glob("*_dags.py"):
        shutil.copy(file, folder)
    return folder


def flows_of_tests(whole: str) -> dict[str, str]:
    """Return flow files by their place: short ones, one that ticks every minute, whatever day it is, and copies."""

    def short(name: str, version: str, schedule: str = "nightly: 02:00", calendar: str = "monthly_july") -> str:
        return SHORT_FLOW.format(name=name, version=version, schedule=schedule, calendar=calendar)

    copies = {name: whole.replace("larkfield_close", f"{name.lower()}_close") for name in ENTITIES}
    return {
        "flows/short_close": short("short_close", "Forecast").replace("=Larkfield", "=Larkfield Services"),
        "flows/ticking_close": short("ticking_close", "Forecast", "every: 1m", "always_working"),
        **{f"killed/{name}": short(name, "Actual").replace("=Larkfield", f"={name}") for name in KILLED},
        f"killed/{KILLED_PLAN}": (short(KILLED_PLAN, "Actual") + PLAN).replace("=Larkfield", f"={KILLED_PLAN}"),
        **{f"flows/{name.lower()}_close": copy.replace("=Larkfield", f"={name}") for name, copy in copies.items()},
    }


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp(f"airflow-{request.param}")
    with ExitStack() as stack:
        info = stack.enter_context(sandbox_process(SYSTEMS))
        dags = write_dags(home / "dags")
        options = StackOptions(
            dags=dags,
            connections=connections(info),
            users=",".join(("admin:admin", *(f"{person}:user" for person in PEOPLE))),
            config={
                "core": {"default_task_retry_delay": "2"},
                "dag_processor": {"min_file_process_interval": "60"},  # the files stay as they are
                "mlconnector": {
                    "allowed_hosts": info["url"],
                    "grace": "5",
                    "first_poll": "3",
                    "trail_path": str(home / "trail.db"),
                    "staging": str(home / "stage"),
                },
                "operators": {"default_deferrable": "True"},
                "scheduler": {
                    "task_instance_heartbeat_timeout": "15",
                    "task_instance_heartbeat_timeout_detection_interval": "3",
                    "scheduler_health_check_threshold": "10",
                    "orphaned_tasks_check_interval": "5",
                },
            },
        )
        trail_url = f"sqlite:///{home / 'trail.db'}"
        if request.param == "postgres":
            server = request.getfixturevalue("postgres_server")
            trail_url = server.new_database()
            options = with_agent(with_postgres(options, server, trail_url))
        airflow = stack.enter_context(AirflowStack(home / "home", options))
        yield Site(airflow, SandboxControl(info), dags, trail_url)


@pytest.fixture
def trail(site: Site) -> Iterator[Trail]:
    made = Trail(site.trail_url)
    yield made
    made.close()


def with_postgres(options: StackOptions, server, trail_url: str) -> StackOptions:
    """Put both databases, Airflow's and the trail, on PostgreSQL."""
    trail = {
        "conn_type": "mlconnector_trail",
        "host": "127.0.0.1",
        "port": server.port,
        "login": "trail",
        "password": server.password,
        "schema": trail_url.rpartition("/")[2],
    }
    return replace(
        options,
        database_url=server.new_database(),
        connections={**options.connections, "mlconnector_trail": trail},
    )


def with_agent(options: StackOptions) -> StackOptions:
    """Let Dynamics GP be talked to by a local agent only."""
    flow = options.dags / "flows" / f"{DAG_IDS['dynamics_gp']}.yaml"
    flow.write_text(local_agent.placed(flow.read_text()))
    config = {
        section: {**options.config.get(section, {}), **local_agent.CENTRE.get(section, {})}
        for section in {**options.config, **local_agent.CENTRE}
    }
    return replace(options, config=config)
