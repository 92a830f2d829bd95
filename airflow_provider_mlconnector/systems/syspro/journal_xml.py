# SPDX-License-Identifier: Apache-2.0
"""A journal as the XML that the e.net business object takes, by a template that names the site's elements.

The schemas of business objects come with a SYSPRO server and are not public, so the names in the usual template are
those that its other objects suggest. A site with others writes a template of its own: any XML, with ``{words}`` in its
texts, in which the element that is marked ``repeat="line"`` is written once for each line.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.periods import parse_key
from airflow_provider_mlconnector.systems.syspro.documents import HEAD, fill, parsed, unfit, words

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

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
        of_line = set(words(repeated[0]))
        unknown = (set(words(root)) - of_line - set(_OF_JOURNAL)) | (of_line - {*_OF_JOURNAL, *_OF_LINE})
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
        parent, line = next((one, child) for one in root.iter() for child in one if child.get(_REPEAT) == _LINE)
        place = list(parent).index(line)
        parent.remove(line)
        del line.attrib[_REPEAT]
        fill(root, values)
        for at, each in enumerate(journal.lines):
            filled = copy.deepcopy(line)
            fill(filled, {**values, **_values(each, code_of(each))})
            parent.insert(place + at, filled)
        return HEAD + ElementTree.tostring(root, encoding="unicode")

    def _read(self) -> Element:
        return parsed(self.text, _wrong)


def _values(line: JournalLine, code: str) -> dict[str, str]:
    return {
        "number": str(line.number),
        "code": code,
        "amount": f"{line.amount:f}",
        "side": "D" if line.amount > 0 else "C",
        "absolute": f"{abs(line.amount):f}",
        "comment": line.description,
    }


def _wrong(sentence: str) -> ConfigurationError:
    hint = 'Write XML with {words} in its texts, and mark the element of a line with repeat="line".'
    return ConfigurationError(f"The template of a journal cannot be used: {sentence}.", hint=hint)
