# SPDX-License-Identifier: Apache-2.0
"""YAML as people write it in finance, with the line of everything.

Differs from YAML 1.1 where that surprises: ``0100`` stays the text ``0100``, ``18:00`` is not 1080, ``NO`` is Norway,
a date stays text, and a key that stands twice is an error. Only ``true false null ~`` and plain integers are not text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from airflow_provider_mlconnector.errors import FlowError

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # a PyYAML built without libyaml: slower, the same answers
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]  # the stubs know no common base of the two

Place = tuple[str | int, ...]
"""Way to a value: keys of mappings and indexes of lists from the top."""


class _Loader(_SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's own way


for _name, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"0|-?[1-9][0-9]*", list("-0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})$"), _first)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: its value, and the line on which each part of it begins."""

    name: str
    value: Any
    lines: Mapping[Place, int]

    def where(self, place: Place) -> str:
        """Return ``file:line`` of a part, or of the nearest part around it that the file holds."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.name}:{self.lines.get(place, 1)}"


def read_yaml(path: Path) -> Document:
    """Read a YAML file.

    :raises FlowError: when the file is absent, is not YAML, or says a key twice; with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FlowError(f"the file cannot be read: {_reason(error)}.", where=str(path)) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Document:
    """Read YAML text; ``name`` stands for the file in messages.

    :raises FlowError: when the text is not YAML, or says a key twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise FlowError("the file is empty.", where=f"{name}:1")
        lines = dict(_lines(node, (), name))
        return Document(name, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FlowError(f"this is not YAML: {error.problem or error.context}.", where=f"{name}:{line}") from error
    finally:
        loader.dispose()


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "unknown reason") if isinstance(error, OSError) else "it is not UTF-8"


def _lines(node: yaml.Node, place: Place, name: str) -> Iterator[tuple[Place, int]]:
    """Walk the nodes; a value has the line of its key, so that a message points at what a person looks for."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*place, index), name)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise FlowError(f"'{key.value}' stands twice, first in line {seen[key.value]}.", where=f"{name}:{line}")
            seen[str(key.value)] = line
            yield from _lines(value, (*place, str(key.value)), name)
            yield (*place, str(key.value)), line
