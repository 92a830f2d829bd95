# SPDX-License-Identifier: Apache-2.0
"""What flows say of journals in texts that several ledgers read alike: yes or no, and values of segments."""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_provider_mlconnector.errors import ConfigurationError

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
_SEGMENT = re.compile(r"\s*(\S(?:.*[^\s:])?)[\s:]+(\S+)\s*")


def read_flag(told: Mapping[str, str], name: str, *, usual: bool) -> bool:
    """Return whether an option is switched on.

    :param usual: what holds where nothing is said.
    :raises ConfigurationError: when it says neither yes nor no.
    """
    word = told.get(name, "").lower()
    if word and word not in _FLAGS:
        raise ConfigurationError(f"'{told[name]}' as {name} is neither yes nor no.", hint="Write yes or no.")
    return _FLAGS.get(word, usual)


def read_segments(text: str) -> dict[str, str]:
    """Return values of segments by their names, read from a text such as ``LOCATION 00, Cost Type 1``.

    :raises ConfigurationError: for a part that is no name with a value.
    """
    segments = {}
    for part in filter(str.strip, text.split(",")):
        match = _SEGMENT.fullmatch(part)
        if match is None:
            raise ConfigurationError(
                f"'{part.strip()}' is no segment with a value.", hint="Write name and value: LOCATION 00, REGION 1."
            )
        segments[match[1]] = match[2]
    return segments
