# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector db``."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_mlconnector.cli.output import command, emit
from airflow_provider_mlconnector.hooks.trail import TrailHook


@command
def upgrade(args: Namespace) -> None:
    """Bring the trail's tables to this version."""
    before, head = TrailHook().upgrade()
    emit(args, "Trail database", [{"from": before or "empty", "to": head}])


@command
def check(args: Namespace) -> int:
    """Say which version the tables have; exit status 1 when it is not the right one."""
    ok, sentence = TrailHook().test_connection()
    emit(args, "Trail database", [{"ok": ok, "answer": sentence}])
    return 0 if ok else 1
