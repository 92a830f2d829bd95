# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector …`` in this process, with Airflow's own database behind it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

# Before any test puts another bench in the place of the real one, which they take by name.
from airflow_provider_mlconnector.cli import doctor, replay, setup, trail  # noqa: F401

DAGS = Path(__file__).parents[3] / "dags"


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def rows(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def migrated():
    """Make the tables of Airflow's database."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def database(migrated):
    """Give a test sessions of Airflow's database, and take away what was added to it."""
    from airflow.jobs.job import Job
    from airflow.models.connection import Connection
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    yield create_session
    with create_session() as session:
        for table in (Job, Connection):
            session.query(table).delete()
        session.query(Pool).filter(Pool.pool != Pool.DEFAULT_POOL_NAME).delete()


@pytest.fixture(scope="session")
def parser():
    from airflow.cli.cli_parser import get_parser

    return get_parser()


@pytest.fixture
def airflow(parser, home, database, capsys, monkeypatch):
    """Run ``airflow mlconnector`` with some words."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "")  # a command sets it; this takes it back afterwards
    monkeypatch.setenv("COLUMNS", "400")

    def run(*words):
        capsys.readouterr()
        status = 0
        try:
            args = parser.parse_args(["mlconnector", *map(str, words)])
            args.func(args)
        except SystemExit as end:
            status = int(end.code or 0)
        return Said(status, *capsys.readouterr())

    return run


@pytest.fixture
def flow_file(tmp_path):
    """Return a copy of the demo's flow, to be edited; it is the only one in its folder."""
    shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    ours = tmp_path / "dags" / "flows" / "larkfield_close.yaml"
    for flow in ours.parent.glob("*.yaml"):
        if flow != ours:
            flow.unlink()
    return ours


@pytest.fixture
def edit(flow_file):
    """Replace a text in the flow file."""

    def replace(old, new, *, file=flow_file):
        text = flow_file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return replace
