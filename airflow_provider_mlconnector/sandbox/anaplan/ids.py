# SPDX-License-Identifier: Apache-2.0
"""Ids as Anaplan makes them: hex for workspaces, models and people, else twelve digits with a prefix by kind."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from hashlib import blake2b

LIST = 101
MODULE = 102
VERSION = 107
IMPORT = 112
FILE = 113
EXPORT = 116
ACTION = 117
PROCESS = 118
SAVED_VIEW = 203
LINE_ITEM = 206

TIME_DIMENSION = "20000000003"
VERSIONS_DIMENSION = "20000000020"
LINE_ITEMS_DIMENSION = "101999999999"
ALL_VERSIONS = "16000000000"


def numbered(prefix: int, number: int) -> str:
    """Return an id of twelve digits; list items take the prefixes from 207 on, one for each list."""
    return f"{prefix}{number:09d}"


def hex_id() -> str:
    """Return a new id of a task or a read request: 32 uppercase hex digits."""
    return uuid.uuid4().hex.upper()


@dataclass(frozen=True, slots=True)
class Seeded:
    """Ids that are the same whenever the sandbox is started with the same seed."""

    seed: int

    def lower(self, name: str) -> str:
        """Return 32 lowercase hex digits, as of a workspace, a user or a client."""
        return blake2b(f"{self.seed}/{name}".encode(), digest_size=16).hexdigest()

    def upper(self, name: str) -> str:
        """Return 32 uppercase hex digits, as of a model."""
        return self.lower(name).upper()
