# SPDX-License-Identifier: Apache-2.0
"""Killing what works for a run, while the sandbox keeps one of its requests waiting."""

from contextlib import suppress

import psutil

from airflow_provider_mlconnector.demo.watching import Dag
from tests.e2e.waiting import wait_until

HELD = 280.0
"""Seconds after which the sandbox serves a request that it holds, should nobody let go of it."""


class Holds:
    """Requests that the sandbox keeps waiting, and how many of them came from processes that are dead by now."""

    def __init__(self, site) -> None:
        self._sandbox = site.sandbox
        self._lost: dict[int, int] = {}

    def add(self, path: str, method: str = "GET", kind: str = "hang", **options: object) -> int:
        """Hold all requests of an address; with the kind ``held`` they are carried out, and their answers wait."""
        options = {"times": None, "seconds": HELD, **options}
        fault = self._sandbox.fault(kind, path, method=method, **options)
        self._lost[fault] = 0
        return fault

    def wait(self, fault: int) -> None:
        """Wait until the sandbox holds a request of a process that lives."""
        wait_until(lambda: self._sandbox.hits(fault) > self._lost[fault], what="the request that is held")

    def let_go(self, fault: int) -> None:
        del self._lost[fault]
        self._sandbox.call("DELETE", f"/faults/{fault}")

    def count_as_lost(self) -> None:
        """Take the requests until now for those of dead processes."""
        self._lost = {fault: self._sandbox.hits(fault) for fault in self._lost}


def kill_workers(dag: Dag, run_id: str) -> bool:
    """Kill the processes of a run's tasks and those that watch over them, as a lost machine would; say if any were."""
    killed = False
    for task in dag.tasks(run_id):
        if task["state"] == "running" and task["pid"]:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(task["pid"])
                for victim in (process.parent(), process):
                    victim.kill()
                    killed = True
    return killed


def kill_next_worker(dag: Dag, run_id: str) -> None:
    """Kill what works for a run, or does so next."""
    wait_until(lambda: kill_workers(dag, run_id), what="a task at work")
