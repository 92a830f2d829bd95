# SPDX-License-Identifier: Apache-2.0
"""What is kept under a name is there for every process, until something else is kept under it."""

from __future__ import annotations

from airflow_provider_mlconnector.trail.memories import Memories
from airflow_provider_mlconnector.trail.store import Trail
from tests.unit.trail.support import in_processes


def test_what_was_kept_last_is_recalled(trail: Trail) -> None:
    memories = Memories(lambda: trail.engine)
    assert memories.recall("a month") is None
    memories.keep("a month", "first")
    memories.keep("another", "other")
    memories.keep("a month", "second")
    assert memories.recall("a month") == "second"
    assert memories.recall("another") == "other"


def test_several_processes_may_keep_under_one_name(trail: Trail) -> None:
    in_processes(4, lambda number: Memories(lambda: trail.engine).keep("a month", str(number)))
    assert Memories(lambda: trail.engine).recall("a month") in {"0", "1", "2", "3"}


def test_nothing_is_opened_before_something_is_asked_for() -> None:
    def engine():
        raise AssertionError("opened")

    Memories(engine)
