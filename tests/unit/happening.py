# SPDX-License-Identifier: Apache-2.0
"""What happens to a ledger in the midst of a read, in a sandbox of the same process."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow_provider_mlconnector.sandbox.faults import Hit
from airflow_provider_mlconnector.sandbox.state import World


@contextmanager
def happening(world: World, system: str, path: str, at: int, what: Callable[[], object]) -> Iterator[list[str]]:
    """Let something happen when the ``at``-th request of a kind arrives, before it is answered.

    It happens in the server's own thread and must not ask the server. Yields the requests that came.

    :param path: expression that is searched in path and query, as that of a fault is.
    """
    faults, number, came = world.faults, itertools.count(1), list[str]()
    take = faults.take

    def take_after_it(asked: str, method: str, target: str) -> Hit | None:
        if asked == system and re.search(path, target):
            came.append(target)
            if next(number) == at:
                what()
        return take(asked, method, target)

    faults.take = take_after_it  # type: ignore[method-assign]  # a server that is watched
    try:
        yield came
    finally:
        del faults.take  # type: ignore[method-assign]
