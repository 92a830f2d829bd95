# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector trail``: what happened, and the proof that nobody changed the record of it."""

from __future__ import annotations

import json
from argparse import Namespace

from airflow_provider_mlconnector.bench import open_bench
from airflow_provider_mlconnector.cli.output import Row, command, emit
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.pipeline.tell import TellStep, tell
from airflow_provider_mlconnector.trail.documents import Documents


@command
def runs(args: Namespace) -> None:
    """List the latest runs, newest first."""
    rows = [
        {
            "run": run.run_id,
            "flow": run.flow,
            "period": run.period,
            "mode": run.mode,
            "by": run.requested_by,
            "opened": f"{run.opened_at:%Y-%m-%d %H:%M:%S}",
            "outcome": run.outcome or "open",
            "events": run.events,
        }
        for run in open_bench().trail.runs(args.flow or None)
    ]
    emit(args, "Runs", rows)


@command
def show(args: Namespace) -> None:
    """Tell the whole way of a record, or the events of a run; the facts behind each step only as JSON."""
    if bool(args.record) == bool(args.run):
        raise ConfigurationError("Say what to show: either --record or --run.")
    bench = open_bench()
    if args.run:
        bench.trail.run(args.run)  # an unknown run is an error, not a run without events
        rows = [
            {
                "at": f"{event.at:%Y-%m-%d %H:%M:%S}",
                "event": event.kind,
                "detail": json.dumps(event.detail, ensure_ascii=False, default=str),
                "files": ", ".join(file.key for file in event.files),
            }
            for event in bench.trail.events(args.run)
        ]
        emit(args, f"Run {args.run}", rows)
        return
    steps = tell(bench, args.record, flow=args.flow or None)
    emit(args, f"Record {args.record}", [_told(step, args.output) for step in steps])


@command
def verify(args: Namespace) -> int:
    """Recompute every hash and look at every staged file; exit status 1 when something is not what it was."""
    bench = open_bench()
    kept = [part.strip() for part in args.expect.split(",") if part.strip()]
    problems = bench.trail.verify(flow=args.flow or None, check_file=bench.stage.fetch, expect=kept)
    emit(args, "Problems", [problem.to_json() for problem in problems])
    return 1 if problems else 0


@command
def head(args: Namespace) -> None:
    """Print the end of each flow's chain; kept elsewhere, it proves the history up to it: ``verify --expect``."""
    heads = open_bench().trail.heads(args.flow or None)
    emit(args, "Heads", [one.to_json() for one in heads])


@command
def rejects(args: Namespace) -> None:
    """List the rows of a run that Anaplan refused or that were held back."""
    trail = open_bench().trail
    trail.run(args.run)
    rows = [
        {
            "kind": found.reject.kind,
            "dataset": found.reject.dataset,
            "import": found.reject.import_name,
            "line": found.reject.line,
            "record": found.reject.record_id,
            "cell": ", ".join(f"{name}={value}" for name, value in found.reject.cell.items()),
            "amount": found.reject.amount,
            "reason": found.reject.reason,
        }
        for found in trail.rejects(args.run)
    ]
    emit(args, f"Exceptions of {args.run}", rows)


@command
def documents(args: Namespace) -> None:
    """List the drafts that plans became, with the ERP's own numbers and the runs that worked on them last."""
    rows = [
        {
            "key": document.key,
            "flow": document.scope.flow,
            "plan": document.scope.plan,
            "version": document.scope.version,
            "period": document.scope.period,
            "state": document.state,
            "number": document.number,
            "changed": f"{document.changed_at:%Y-%m-%d %H:%M:%S}",
            "run": document.run_id,
        }
        for document in Documents(open_bench().trail.engine).of_flow(args.flow, args.period)
    ]
    emit(args, "Documents", rows)


def _told(step: TellStep, output: str) -> Row:
    if output == "json":
        return step.to_json()
    when = f"{step.at:%Y-%m-%d %H:%M:%S}"
    return {"when": when, "run": step.run_id, "by": step.by, "step": step.step, "sentence": step.sentence}
