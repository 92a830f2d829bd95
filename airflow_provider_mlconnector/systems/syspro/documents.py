# SPDX-License-Identifier: Apache-2.0
"""What the documents of all e.net business objects have in common: templates, parameters, and Windows-1252."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENCODING = "cp1252"
"""Windows-1252, which the e.net service reads and writes."""

HEAD = '<?xml version="1.0" encoding="Windows-1252"?>\n'

_WORD = re.compile(r"\{(\w+)\}")


def parsed(text: str, wrong: Callable[[str], ConfigurationError]) -> Element:
    """Read the XML of a template.

    :param wrong: makes the error of what is wrong with it.
    :raises ConfigurationError: when it is none, or defines entities of its own.
    """
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise wrong("it defines entities of its own")
    try:
        return ElementTree.fromstring(text)  # noqa: S314  # without a DOCTYPE there is nothing to expand
    except ElementTree.ParseError as exc:
        raise wrong(f"it is no XML: {exc}") from None


def words(element: Element) -> Iterator[str]:
    """Yield the ``{words}`` in the texts of an element and of those in it."""
    for one in element.iter():
        yield from _WORD.findall(one.text or "")


def fill(element: Element, values: Mapping[str, str]) -> None:
    """Put values where their names stand; what stands between elements for the eye alone is left out."""
    for one in element.iter():
        text = (one.text or "").strip()
        one.text = _WORD.sub(lambda match: values[match[1]], text) if "{" in text else text
        one.tail = None


def parameters(root: str, *, validate_only: bool) -> str:
    """Return the parameters of a call: all of a document or nothing, and a warning refuses it, too."""
    told = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "Y" if validate_only else "N"}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
    return f"{HEAD}<{root}><Parameters>{inner}</Parameters></{root}>"


def unfit(text: str) -> str:
    """Return the characters of a text that no document can hold: outside Windows-1252, or control characters."""
    return "".join(dict.fromkeys(one for one in text if one < " " or not _fits(one)))


def _fits(character: str) -> bool:
    try:
        character.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True
