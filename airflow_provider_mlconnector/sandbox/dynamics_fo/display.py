# SPDX-License-Identifier: Apache-2.0
"""Ledger accounts as one text: segments in the order of the active format, joined by the environment's delimiter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

DELIMITERS = {
    "Hyphen": "-",
    "Period": ".",
    "Underscore": "_",
    "Bar": "|",
    "Tilde": "~",
    "DoubleHyphen": "--",
    "DoublePeriod": "..",
    "DoubleUnderscore": "__",
    "DoubleBar": "||",
    "DoubleTilde": "~~",
}
MAIN_ACCOUNT = "MainAccount"


def written(segments: Mapping[str, str], names: Sequence[str], delimiter: str) -> str:
    """Return a ledger account as text; a delimiter or backslash within a segment has a backslash before it."""
    special = re.compile("[" + re.escape(delimiter[0]) + r"\\]")
    return delimiter.join(special.sub(lambda match: "\\" + match[0], segments.get(name, "")) for name in names)


def read(text: str, names: Sequence[str], delimiter: str) -> dict[str, str]:
    """Return the segments of a text: missing ones are blank, and those that the format has not are dropped silently."""
    token = re.compile(rf"\\(.)|({re.escape(delimiter)})|(.)", re.DOTALL)
    segments = [""]
    for match in token.finditer(text):
        if match[2]:
            segments.append("")
        else:
            segments[-1] += match[1] or match[3]
    return {name: value for name, value in zip(names, segments, strict=False) if value}
