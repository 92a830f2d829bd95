# SPDX-License-Identifier: Apache-2.0
"""Programs that are started together and of which nothing is left running."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

_GRACE = 10.0


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Processes:
    """Named child programs, each with a log file. Stopping one stops everything it started."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a program in a session of its own; its output goes to ``<name>.log``."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                list(command), env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def pid(self, name: str) -> int:
        """Return the process id of a program that was started."""
        return self._running[name].pid

    def dead(self) -> list[str]:
        """Return the programs that ended by themselves."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def log(self, name: str) -> str:
        """Return what a program has written so far."""
        return (self._logs / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> None:
        """Kill a program and all its children at once, as a lost machine would."""
        for process in _tree(self._running.pop(name).pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def stop(self) -> None:
        """End all programs: politely, then not."""
        trees = {process.pid: _tree(process.pid) for process in self._running.values()}
        for popen in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGTERM)
        everyone = [process for tree in trees.values() for process in tree]
        _, alive = psutil.wait_procs(everyone, timeout=_GRACE)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=_GRACE)
        for popen in self._running.values():
            popen.wait()
        self._running.clear()


def _tree(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants, also those that left its process group."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
