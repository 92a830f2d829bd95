# SPDX-License-Identifier: Apache-2.0
"""A record as the XML that an e.net setup object takes, by the usual template or one of the site's own.

The usual ones name what objects of suppliers (APSSSP) and customers (ARSSCS) are seen to take. A site with others
writes any XML with ``{column}`` of the dataset in its texts; an element whose column is not compared is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.datasets import COLUMNS, Dataset
from airflow_provider_mlconnector.systems.syspro.documents import HEAD, fill, parsed, words

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

USUAL = {
    Dataset.VENDORS: """\
<SetupApSupplier>
  <Item>
    <Key><Supplier>{number}</Supplier></Key>
    <SupplierName>{name}</SupplierName>
    <Currency>{currency}</Currency>
  </Item>
</SetupApSupplier>
""",
    Dataset.CUSTOMERS: """\
<SetupArCustomer>
  <Item>
    <Key><Customer>{number}</Customer></Key>
    <Name>{name}</Name>
    <Currency>{currency}</Currency>
  </Item>
</SetupArCustomer>
""",
}


@dataclass(frozen=True)
class SetupTemplate:
    """A template, read and checked.

    :param dataset: whose records it is of.
    :param text: XML.
    :raises ConfigurationError: when it is no such XML.
    """

    dataset: Dataset
    text: str

    def __post_init__(self) -> None:
        known = {column.name for column in COLUMNS[self.dataset]}
        unknown = sorted(set(words(self._read())) - known)
        if unknown:
            raise _wrong(f"it names {', '.join(unknown)}, which is no column of {self.dataset}")

    @property
    def root(self) -> str:
        """The name of the outermost element."""
        return self._read().tag

    def fill(self, record: Mapping[str, str]) -> str:
        """Return a record's document."""
        from xml.etree import ElementTree

        root = self._read()
        for parent in list(root.iter()):
            for child in list(parent):
                if not len(child) and set(words(child)) - record.keys():
                    parent.remove(child)
        fill(root, record)
        return HEAD + ElementTree.tostring(root, encoding="unicode")

    def _read(self) -> Element:
        return parsed(self.text, _wrong)


def _wrong(sentence: str) -> ConfigurationError:
    return ConfigurationError(
        f"The template of a setup object cannot be used: {sentence}.",
        hint="Write XML with {column} of the dataset in its texts.",
    )
