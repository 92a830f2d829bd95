# SPDX-License-Identifier: Apache-2.0
"""A journal as the XML that the e.net business object takes, by a template that names the site's elements.

The schemas of business objects come with a SYSPRO server and are not public, so the names in the usual template are
those that its other objects suggest. A site with others writes a template of its own: any XML, with ``{words}`` in its
texts, in which the element that is marked ``repeat="line"`` is written once for each line.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.periods import parse_key

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENCODING = "cp1252"
"""Windows-1252, which the e.net service reads and writes."""

USUAL = """\
<PostGlJournal>
  <Item>
    <JournalDate>{date}</JournalDate>
    <GlYear>{year}</GlYear>
    <GlPeriod>{period}</GlPeriod>
    <Reference>{key}</Reference>
    <Notation>{description}</Notation>
    <JournalLine repeat="line">
      <GlCode>{code}</GlCode>
      <EntryValue>{amount}</EntryValue>
      <Reference>{key}</Reference>
      <Comment>{comment}</Comment>
    </JournalLine>
  </Item>
</PostGlJournal>
"""

_REPEAT, _LINE = "repeat", "line"
_HEAD = '<?xml version="1.0" encoding="Windows-1252"?>\n'
_WORD = re.compile(r"\{(\w+)\}")
_OF_JOURNAL = ("company", "key", "date", "year", "period", "description")
_OF_LINE = ("number", "code", "amount", "side", "absolute", "comment")


@dataclass(frozen=True)
class Template:
    """A template, read and checked.

    :param text: XML. Of the journal it may name ``{company} {key} {date} {year} {period} {description}``, of a line
        also ``{number} {code} {amount} {side} {absolute} {comment}``: the signed amount, or D or C and the amount
        without a sign.
    :raises ConfigurationError: when it is no such XML, or the lines do not carry the journal's key.
    """

    text: str = USUAL

    def __post_init__(self) -> None:
        root = self._read()
        repeated = [one for one in root.iter() if one.get(_REPEAT) == _LINE]
        if len(repeated) != 1 or repeated[0] is root:
            raise _wrong(f'{len(repeated)} elements are marked {_REPEAT}="{_LINE}", and one below the root has to be')
        of_line = set(_words(repeated[0]))
        unknown = (set(_words(root)) - of_line - set(_OF_JOURNAL)) | (of_line - {*_OF_JOURNAL, *_OF_LINE})
        if unknown:
            raise _wrong(f"it names {', '.join(sorted(unknown))}, which is nothing of a journal")
        if strange := unfit("".join(self.text.split())):
            raise _wrong(f"it holds {strange!r}, which Windows-1252 has no place for")
        if "key" not in of_line:
            raise _wrong("its lines do not carry {key}, by which they are known once they are posted")

    @property
    def root(self) -> str:
        """The name of the outermost element."""
        return self._read().tag

    def fill(self, journal: Journal, company: str, code_of: Callable[[JournalLine], str]) -> str:
        """Return a journal's document, always the same for the same journal."""
        from xml.etree import ElementTree

        year, period = parse_key(journal.period)
        values = {
            "company": company,
            "key": journal.key,
            "date": journal.posting_date.isoformat(),
            "year": str(year),
            "period": str(period),
            "description": journal.description,
        }
        root = self._read()
        for parent in list(root.iter()):
            for place, child in enumerate(list(parent)):
                if child.get(_REPEAT) == _LINE:
                    parent.remove(child)
                    del child.attrib[_REPEAT]
                    for at, line in enumerate(journal.lines):
                        filled = copy.deepcopy(child)
                        _fill(filled, {**values, **_values(line, code_of(line))})
                        parent.insert(place + at, filled)
        _fill(root, values)
        return _HEAD + ElementTree.tostring(root, encoding="unicode")

    def _read(self) -> Element:
        from xml.etree import ElementTree

        if "<!DOCTYPE" in self.text or "<!ENTITY" in self.text:
            raise _wrong("it defines entities of its own")
        try:
            return ElementTree.fromstring(self.text)  # noqa: S314  # without a DOCTYPE there is nothing to expand
        except ElementTree.ParseError as exc:
            raise _wrong(f"it is no XML: {exc}") from None


def parameters(root: str, *, validate_only: bool) -> str:
    """Return the parameters of a posting: all of a journal or nothing, and a warning refuses it, too."""
    words = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "Y" if validate_only else "N"}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in words.items())
    return f"{_HEAD}<{root}><Parameters>{inner}</Parameters></{root}>"


def unfit(text: str) -> str:
    """Return the characters of a text that no document can hold: outside Windows-1252, or control characters."""
    return "".join(dict.fromkeys(one for one in text if one < " " or not _fits(one)))


def _fits(character: str) -> bool:
    try:
        character.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _values(line: JournalLine, code: str) -> dict[str, str]:
    return {
        "number": str(line.number),
        "code": code,
        "amount": f"{line.amount:f}",
        "side": "D" if line.amount > 0 else "C",
        "absolute": f"{abs(line.amount):f}",
        "comment": line.description,
    }


def _fill(element: Element, values: Mapping[str, str]) -> None:
    """Put values where their names stand; what stands between elements for the eye alone is left out."""
    for one in element.iter():
        text = (one.text or "").strip()
        one.text = _WORD.sub(lambda match: values[match[1]], text) if "{" in text else text
        one.tail = None


def _words(element: Element) -> Iterator[str]:
    for one in element.iter():
        yield from _WORD.findall(one.text or "")


def _wrong(sentence: str) -> ConfigurationError:
    hint = 'Write XML with {words} in its texts, and mark the element of a line with repeat="line".'
    return ConfigurationError(f"The template of a journal cannot be used: {sentence}.", hint=hint)
