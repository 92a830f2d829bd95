# SPDX-License-Identifier: Apache-2.0
"""Setup objects: how suppliers (APSSSP) and customers (ARSSCS) are added and changed, or only checked.

Unlike transactions they count records, and name a field that is wrong by the element that was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import Partner
from airflow_provider_mlconnector.sandbox.syspro.gl_journals import DocumentError, Wrong, field_of, parsed

ADD, UPDATE = "Add", "Update"
_CODE_ROOM, _NAME_ROOM = 15, 50


@dataclass(frozen=True, slots=True)
class SetupObject:
    """A setup object.

    :param root: of its documents; ``key`` and ``name`` are elements of an item.
    :param partners: the attribute of the books that holds its records.
    """

    root: str
    key: str
    name: str
    title: str
    partners: str


OBJECTS = {
    "APSSSP": SetupObject("SetupApSupplier", "Supplier", "SupplierName", "Supplier", "vendors"),
    "ARSSCS": SetupObject("SetupArCustomer", "Customer", "Name", "Customer", "customers"),
}


def set_up(of: SetupObject, books: Books, how: str, text: str, *, only: bool) -> str:
    """Check the items of a document and, unless that is all, make the changes; return the answer.

    :param how: ``Add`` or ``Update``.
    :raises DocumentError: when it cannot be read at all.
    """
    root = parsed(text)
    if root.tag != of.root:
        raise DocumentError(f"Invalid root element '{root.tag}'")
    items = list(root.iter("Item"))
    wrong = [list(_wrong(of, books, how, item)) for item in items]
    if not only and not any(wrong):
        for item in items:
            _apply(of, books, item)
    return _answer(of, wrong)


def _wrong(of: SetupObject, books: Books, how: str, item: Element) -> Iterator[Wrong]:
    code, name = _text(item, f"Key/{of.key}"), _text(item, of.name)
    known = {partner.number for partner in getattr(books, of.partners)}
    if not code or len(code) > _CODE_ROOM:
        yield Wrong(of.key, code, 240001, f"{of.title} code is not valid")
    elif how == ADD and code in known:
        yield Wrong(of.key, code, 240002, f"{of.title} '{code}' already exists")
    elif how == UPDATE and code not in known:
        yield Wrong(of.key, code, 240003, f"{of.title} '{code}' not found")
    if len(name) > _NAME_ROOM:
        yield Wrong(of.name, name, 240050, f"{of.name} exceeds {_NAME_ROOM} characters")
    currency = _text(item, "Currency")
    if currency and currency != books.currency:
        yield Wrong("Currency", currency, 240060, f"Currency '{currency}' not found")


def _apply(of: SetupObject, books: Books, item: Element) -> None:
    code, name = _text(item, f"Key/{of.key}"), _text(item, of.name)
    partners = {partner.number: partner for partner in getattr(books, of.partners)}
    before = partners.get(code, Partner(code, "", ""))
    partners[code] = replace(before, name=name or before.name)
    setattr(books, of.partners, tuple(partners.values()))


def _answer(of: SetupObject, wrong: list[list[Wrong]]) -> str:
    """Return what the object says; its root is written in small letters."""
    items = "".join(
        f"<Item><ItemNumber>{number:06}</ItemNumber>{''.join(map(field_of, found))}</Item>"
        for number, found in enumerate(wrong, start=1)
    )
    invalid = sum(bool(found) for found in wrong)
    counts = f"<RecordsRead>{len(wrong)}</RecordsRead><RecordsInvalid>{invalid}</RecordsInvalid>"
    root = of.root.lower()
    head = '<?xml version="1.0" encoding="Windows-1252"?>'
    return f"{head}<{root} Language='05'>{items}<StatusOfItems>{counts}</StatusOfItems></{root}>"


def _text(item: Element, path: str) -> str:
    return (item.findtext(path) or "").strip()
