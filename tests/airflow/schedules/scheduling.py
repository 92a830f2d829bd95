# SPDX-License-Identifier: Apache-2.0
"""Airflow's own scheduler, dag-processor and backfill over a real database, on a clock that tests set."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import time_machine
from airflow import settings
from airflow.dag_processing.collection import update_dag_parsing_results_in_db
from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.backfill import Backfill, ReprocessBehavior, _create_backfill
from airflow.models.dag import DagModel
from airflow.models.dag_version import DagVersion
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import event, func, select

BUNDLE = "testing"
DAG_FILE = """\
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_mlconnector.dags import close_dags

globals().update(close_dags(Path(__file__).parent / "flows"))
"""
FLOW = """\
flow: {name}
erp: {{system: business_central, conn_id: bc, company: Larkfield Ltd}}
anaplan: {{conn_id: anaplan, workspace: Finance, model: FP&A Hub}}
calendar: calendar.yaml
schedule: {schedule}
load:
  - dataset: accounts
    import: Load Accounts
    columns: {{Code: account, Name: name}}
"""
MONTHS = "calendar: months\nkind: monthly\nfirst_month: 7\ntimezone: Europe/London\n"


@dataclass(frozen=True)
class Run:
    """A DAG run as the database has it."""

    run_id: str
    key: str
    date: datetime
    kind: str
    logical_date: datetime | None
    run_after: datetime

    @property
    def told(self):
        return f"{self.date:%m-%d %H:%M} {self.key[-3:]}"


class Airflow:
    """One flow in one Airflow. Nothing happens unless a test says so; every process has the same clock."""

    def __init__(self, folder: Path, name: str, traveller):
        self.folder, self.name, self._traveller = folder, name, traveller
        self._scheduler = SchedulerJobRunner(Job(), executors=[object()])

    # Time

    @property
    def now(self):
        return datetime.now(UTC)

    def travel(self, moment):
        self._traveller.move_to(moment, tick=False)

    # What its author does

    def write(self, *, calendar=None, schedule=None):
        """Write or change the flow's files; the dag-processor sees it at its next parse."""
        flows = self.folder / "flows"
        flows.mkdir(exist_ok=True)
        (self.folder / "close.py").write_text(DAG_FILE)
        if calendar is not None:
            (self.folder / "calendar.yaml").write_text(calendar)
        if schedule is not None:
            (flows / "flow.yaml").write_text(FLOW.format(name=self.name, schedule=schedule))

    # What Airflow's processes do

    def parse(self):
        """Parse the DAG file, write what it says to the database, and let the last run decide on the next one."""
        bag = DagBag(str(self.folder))
        assert not bag.import_errors
        dags = [LazyDeserializedDAG.from_dag(dag) for dag in bag.dags.values()]
        errors = {}
        with create_session() as session:
            update_dag_parsing_results_in_db(BUNDLE, None, dags, errors, 0.1, set(), session)
            session.get(DagModel, self.name).is_paused = False
        assert not errors

    def schedule(self):
        """Go once through the scheduler's loop as far as it creates runs; return how many it created."""
        before = len(self.runs())
        with create_session() as session, prohibit_commit(session) as guard:
            self._scheduler._create_dagruns_for_dags(guard, session)
        return len(self.runs()) - before

    def finish(self, state=DagRunState.SUCCESS):
        """End all runs, as the scheduler and its workers do."""
        with create_session() as session:
            for run in session.scalars(select(DagRun).where(DagRun.dag_id == self.name)):
                run.state = run.state if run.state == DagRunState.FAILED else state
            for backfill in session.scalars(select(Backfill).where(Backfill.completed_at.is_(None))):
                backfill.completed_at = self.now
            session.get(DagModel, self.name).exceeds_max_non_backfill = False

    def live(self, until, *, parse=True):
        """Let time pass; every run is made when it is due, and with ``parse`` the DAG is parsed between every two."""
        before = None
        while (due := self.next_due()) is not None and due <= until:
            assert before is None or due > before, f"the tick of {due} comes again"
            before = due
            self.travel(max(self.now, due))
            assert self.schedule() == 1
            self.finish()
            if parse:
                self.parse()
        self.travel(max(self.now, until))

    # What people do

    def backfill(self, first, last=None, *, again=False):
        """Backfill the periods that start between two moments, and let it end; return the keys of its new runs."""
        before = len(self.runs())
        _create_backfill(
            dag_id=self.name,
            from_date=first,
            to_date=last or first,
            max_active_runs=10,
            reverse=False,
            dag_run_conf={},
            triggering_user_name="anna",
            reprocess_behavior=ReprocessBehavior.COMPLETED if again else ReprocessBehavior.NONE,
        )
        self.finish()
        return [run.key for run in self.runs()[before:]]

    def trigger(self, key):
        """Trigger one period by hand, by its partition key."""
        with create_session() as session:
            dag = SerializedDagModel.get_dag(self.name, session=session)
            dag.create_dagrun(
                run_id=dag.timetable.generate_run_id(
                    run_type=DagRunType.MANUAL, run_after=self.now, data_interval=None, partition_key=key
                ),
                run_after=self.now,
                run_type=DagRunType.MANUAL,
                triggered_by=DagRunTriggeredByType.UI,
                state=DagRunState.QUEUED,
                partition_key=key,
                partition_date=dag.timetable.resolve_partition_date(key),
                session=session,
            )

    # What the database holds

    def resolve(self, key):
        """Return the partition date that the serialized DAG gives to a key."""
        with create_session() as session:
            return SerializedDagModel.get_dag(self.name, session=session).timetable.resolve_partition_date(key)

    def versions(self):
        with create_session() as session:
            return session.scalar(select(func.count()).where(DagVersion.dag_id == self.name))

    def next_due(self):
        with create_session() as session:
            return session.get(DagModel, self.name).next_dagrun_create_after

    def runs(self):
        with create_session() as session:
            found = session.scalars(select(DagRun).where(DagRun.dag_id == self.name).order_by(DagRun.id))
            return [
                Run(
                    run.run_id,
                    run.partition_key,
                    run.partition_date,
                    str(run.run_type),
                    run.logical_date,
                    run.run_after,
                )
                for run in found
            ]

    def scheduled(self):
        """Return the scheduled runs in the order in which they were made; each tick ran once, and they grow."""
        runs = [run for run in self.runs() if run.kind == "scheduled"]
        dates = [run.date for run in runs]
        assert dates == sorted(set(dates)), "a tick ran twice, or after a later one"
        return runs

    def told(self, since=0):
        return [run.told for run in self.scheduled()[since:]]


class Airflows:
    """Makes flows of any name in one database, and stops each at the end of its test."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._made = []
        self._traveller = time_machine.travel(datetime(2025, 7, 1, tzinfo=UTC), tick=False)
        self._time = self._traveller.start()
        event.listen(settings.engine, "before_cursor_execute", _virtual_now, retval=True)

    def __call__(self, start, schedule, calendar=MONTHS):
        """Install a flow at a moment, and parse it for the first time."""
        made = Airflow(self._folder, f"flow_{self._folder.name.replace('-', '_')}", self._time)
        made.travel(start)
        made.write(calendar=calendar, schedule=schedule)
        made.parse()
        self._made.append(made)
        return made

    def close(self):
        with create_session() as session:
            for made in self._made:
                session.get(DagModel, made.name).is_paused = True
        event.remove(settings.engine, "before_cursor_execute", _virtual_now)
        self._traveller.stop()


@cache
def set_up_database():
    """Create Airflow's tables in the database of the tests' Airflow, once; nobody needs it to survive a power cut."""
    from airflow.utils.db import initdb

    event.listen(settings.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    settings.engine.dispose()
    initdb()
    with create_session() as session:
        session.merge(DagBundleModel(name=BUNDLE))


def _virtual_now(_connection, _cursor, statement, parameters, _context, _many):
    """Let the database's own clock show the same time as everybody's."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return statement.replace("CURRENT_TIMESTAMP", f"'{now}'"), parameters


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)
