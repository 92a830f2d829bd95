# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector trail prune``: old runs become their closing hash, and files that nobody needs are deleted.

What a book or accepted cells stand on stays, whatever its age; so does a run that is not what the chain says.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from airflow_provider_mlconnector.bench import open_bench
from airflow_provider_mlconnector.cli.output import Row, command, emit
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.trail.records import Problem, RunRow, StagedFile

FILES_AT_ONCE = 500
YOUNGEST = timedelta(days=1)


@command
def prune(args: Namespace) -> int:
    """Remove what is old and say what went; exit status 1 when something had to stay as evidence."""
    bench, flow = open_bench(), args.flow or None
    before = _before(args, bench.clock.now())
    if args.dry_run:
        runs, files = bench.trail.prunable(before, flow=flow)
        emit(args, _title("Would go", runs, files), [*_told_runs(runs), *_told_files(files)])
        return 0
    done = bench.trail.prune(before, flow=flow, check_file=bench.stage.fetch)
    files = bench.trail.unused_files(flow)
    _delete(bench, files)
    rows = [*_told_runs(done.runs), *_told_files(files), *_told_problems(done.problems)]
    emit(args, _title("Removed", done.runs, files), rows)
    return 1 if done.problems else 0


def _before(args: Namespace, now: datetime) -> datetime:
    """Return the moment that ``--before`` or ``--keep-days`` names.

    :raises ConfigurationError: when both or none do, or it is less than a day ago: runs may still be under way.
    """
    if bool(args.before) == (args.keep_days is not None):
        raise ConfigurationError("Say what is old: either --keep-days or --before.")
    moment = _parsed(args.before) if args.before else now - timedelta(days=args.keep_days)
    if moment > now - YOUNGEST:
        raise ConfigurationError("What closed less than a day ago is not old.", hint="Keep at least one day.")
    return moment


def _parsed(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"'{text}' is no day.", hint="Write it as 2026-01-31.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _delete(bench: Bench, files: Sequence[StagedFile]) -> None:
    """Delete files and note it, part by part: after an interruption the rest is deleted next time."""
    for at in range(0, len(files), FILES_AT_ONCE):
        part = files[at : at + FILES_AT_ONCE]
        for file in part:
            bench.stage.remove(file.key)
        bench.trail.files_removed(part)


def _title(what: str, runs: Sequence[RunRow], files: Sequence[StagedFile]) -> str:
    return f"{what}: {len(runs)} runs and {len(files)} files of {sum(file.size for file in files):,} bytes"


def _told_runs(runs: Iterable[RunRow]) -> Iterator[Row]:
    for run in runs:
        closed = f"{run.outcome} {run.closed_at:%Y-%m-%d %H:%M}, {run.events} events, closing hash {run.closing}"
        yield {"what": "run", "name": run.run_id, "detail": closed}


def _told_files(files: Iterable[StagedFile]) -> Iterator[Row]:
    for file in files:
        yield {"what": "file", "name": file.key, "detail": f"{file.size:,} bytes"}


def _told_problems(problems: Iterable[Problem]) -> Iterator[Row]:
    for problem in problems:
        detail = f"Its run stays as evidence. {problem.sentence} {problem.advice}"
        yield {"what": "kept", "name": problem.subject, "detail": detail}
