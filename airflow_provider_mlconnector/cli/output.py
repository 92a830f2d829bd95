# SPDX-License-Identifier: Apache-2.0
"""How commands speak: a table for people, JSON for programs, a sentence for errors."""

from __future__ import annotations

import functools
import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from airflow_provider_mlconnector.errors import MlconnectorError

INTERRUPTED = 130
"""Exit status of a command that somebody stopped, as shells have it."""

Row = Mapping[str, Any]
Command = Callable[[Namespace], int | None]


def emit(args: Namespace, title: str, rows: Sequence[Row]) -> None:
    """Print rows as a table or, with ``--output json``, as one JSON document."""
    if args.output == "json":
        print(json.dumps(list(rows), default=str, indent=2, ensure_ascii=False))  # noqa: T201 - a command's own output
        return
    console = Console()
    if not rows:
        console.print(f"{title}: nothing.")
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(str(value))


def command(function: Command) -> Command:
    """Let a command see the deployment's connections, and say an error of ours as a sentence, with exit status 1."""

    @functools.wraps(function)
    def run(args: Namespace) -> int | None:
        # As Airflow's own commands do: without it only environment variables and external backends are asked for a
        # connection, so that the one to the trail would seem to be missing.
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
        try:
            status = function(args)
        except MlconnectorError as error:
            Console(stderr=True).print(escape(str(error)), style="red", soft_wrap=True)
            sys.exit(1)
        except KeyboardInterrupt:
            Console(stderr=True).print("Stopped.", style="red")
            sys.exit(INTERRUPTED)
        if status:
            sys.exit(status)
        return None

    return run
