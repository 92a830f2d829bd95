# SPDX-License-Identifier: Apache-2.0
"""The critical sections of a model, as the sandbox saw them: from the upload of a file to the word how its task ended.

What is compared is the sandbox's own record of uploads, starts and outcomes; nothing of the provider is asked.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any


@dataclass(frozen=True, slots=True)
class Section:
    """One piece of work in the model; times are epoch seconds on the sandbox's clock."""

    task_id: str
    began: float
    ended: float

    def overlaps(self, other: "Section") -> bool:
        """Say whether any moment belongs to both."""
        return self.began < other.ended and other.began < self.ended


def sections_of(events: Iterable[Mapping[str, Any]]) -> list[Section]:
    """Return the sections of all tasks; the n-th upload of a file belongs to the n-th task that reads it.

    What reads no file, such as a deletion, begins with its start.
    """
    uploads: dict[str, deque[float]] = defaultdict(deque)
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    for event in events:
        if event["kind"] == "upload":
            uploads[event["subject"]].append(event["at"])
        elif event["kind"] == "start":
            files = (uploads[file_id].popleft() for file_id in event["file_ids"])
            began[event["task_id"]] = min(files, default=event["at"])
        elif event["kind"] in ("end", "outcome"):
            ended[event["task_id"]] = event["at"]
    return [Section(task_id, began[task_id], ended[task_id]) for task_id in began]


def overlaps(events: Iterable[Mapping[str, Any]]) -> list[tuple[Section, Section]]:
    """Return the pairs of sections that ran at the same time."""
    return [pair for pair in combinations(sections_of(events), 2) if pair[0].overlaps(pair[1])]
