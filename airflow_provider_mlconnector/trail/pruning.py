# SPDX-License-Identifier: Apache-2.0
"""Removes old runs, each checked before it goes, in transactions that are short enough for a trail in use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import groupby

from sqlalchemy.engine import Connection, Engine

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.trail import retention, verify
from airflow_provider_mlconnector.trail.database import read, write
from airflow_provider_mlconnector.trail.findings import FileCheck, Findings
from airflow_provider_mlconnector.trail.records import Problem, Pruned, RunRow

RUNS_AT_ONCE = 50


def prune(engine: Engine, clock: Clock, before: datetime, flow: str | None, check_file: FileCheck | None) -> Pruned:
    """Close what was left open, then take the sound ones of the runs that closed before a moment."""
    write(engine, lambda db: retention.abandon(db, before, flow, clock.now()))
    old = read(engine, lambda db: retention.prunable(db, before, flow))
    taken, problems = list[RunRow](), list[Problem]()
    for name, of_flow in groupby(old, key=_flow):
        sound, found = _sound(engine, name, list(of_flow), check_file)
        problems += found
        for at in range(0, len(sound), RUNS_AT_ONCE):
            taken += _take(engine, clock, sound[at : at + RUNS_AT_ONCE], before)
    return Pruned(runs=tuple(taken), problems=tuple(problems))


def _flow(run: RunRow) -> str:
    return run.flow


def _sound(
    engine: Engine, flow: str, old: Sequence[RunRow], check_file: FileCheck | None
) -> tuple[list[RunRow], list[Problem]]:
    """Tell the runs that are what the chain says from the problems of the others; a broken chain proves none."""
    broken = read(engine, lambda db: verify.broken_chain(db, flow), snapshot=True)
    if broken:
        return [], broken
    sound, problems = list[RunRow](), list[Problem]()
    deleted = read(engine, verify.deleted_files)
    for run in old:
        found = read(engine, partial(_look, run_id=run.run_id), snapshot=True)
        if found is None:
            continue
        if check_file is not None:
            verify.check_files(found, deleted, check_file)
        problems += found.problems
        if not found.problems:
            sound.append(run)
    return sound, problems


def _look(connection: Connection, run_id: str) -> Findings | None:
    """Check a run; None when somebody else took it meanwhile."""
    if not retention.is_there(connection, run_id):
        return None
    found = Findings()
    verify.verify_run(connection, run_id, found)
    return found


def _take(engine: Engine, clock: Clock, sound: Sequence[RunRow], before: datetime) -> list[RunRow]:
    ids, now = [run.run_id for run in sound], clock.now()
    gone = write(engine, lambda db: retention.prune(db, sound[0].flow, ids, before, now))
    return [run for run in sound if run.run_id in gone]
