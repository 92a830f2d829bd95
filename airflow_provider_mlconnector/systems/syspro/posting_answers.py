# SPDX-License-Identifier: Apache-2.0
"""What a business object answers. The service says 200 to everything, so its text alone tells what happened.

Names are compared without regard to case, since answers change it. A field that is refused holds the error; counters
at the end say how many items were taken. Only what is counted as processed, without an error anywhere, is a success.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import BadRequestError, ProtocolError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TOLD = ("errordescription", "warningdescription")
_PROCESSED = "itemsprocessed"
_INVALID = ("itemsinvalid", "recordsinvalid", "itemsrejectedwithwarnings")
_NUMBERS = ("gljournal", "journal")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field that is refused: its name, the value that was sent, and why."""

    field: str
    value: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one document.

    :param processed: items that were taken; None where they are not counted.
    :param number: of the journal that was posted; "" when none is told.
    """

    refusals: tuple[Refusal, ...]
    processed: int | None
    number: str


def read_answer(text: str) -> Answer:
    """Read an answer.

    :raises BadRequestError: when the service refused the call as a whole, which is a text.
    :raises ProtocolError: when it is something else than the XML of an answer.
    """
    from xml.etree import ElementTree

    if text.startswith("ERROR"):
        raise BadRequestError(f"SYSPRO refuses the call: {text.removeprefix('ERROR').strip(': ').rstrip('.')}.")
    head, mark, rest = text.partition("?>")
    body = rest if mark and head.lstrip().startswith("<?xml") else text
    if "<!DOCTYPE" in body or "<!ENTITY" in body:
        raise ProtocolError("The answer of SYSPRO's business object defines entities of its own.")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # without a DOCTYPE there is nothing to expand
    except ElementTree.ParseError:
        raise ProtocolError("The answer of SYSPRO's business object is no XML.") from None
    counters = dict(_counters(root))
    refusals = list(_refusals(root))
    rejected = sum(counters.get(name, 0) for name in _INVALID)
    if rejected and not refusals:
        refusals.append(Refusal("", "", f"{rejected} items are refused, and no reason is told"))
    number = next((_text(one) for one in root.iter() if one.tag.lower() in _NUMBERS and _text(one)), "")
    return Answer(tuple(refusals), counters.get(_PROCESSED), number)


def _refusals(root: Element) -> Iterator[Refusal]:
    for one in root.iter():
        told = {child.tag.lower(): _text(child) for child in one}
        for sentence in (told[name] for name in _TOLD if told.get(name)):
            yield Refusal(one.tag.lower(), told.get("value", ""), sentence)
        if told.get("errornumber") and not told.get(_TOLD[0]):
            yield Refusal(one.tag.lower(), told.get("value", ""), f"error {told['errornumber']}")


def _counters(root: Element) -> Iterator[tuple[str, int]]:
    for one in root.iter():
        if one.tag.lower() in (_PROCESSED, *_INVALID) and _text(one).isdecimal():
            yield one.tag.lower(), int(_text(one))


def _text(element: Element) -> str:
    return (element.text or "").strip()
