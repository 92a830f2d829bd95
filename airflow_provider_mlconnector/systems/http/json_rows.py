# SPDX-License-Identifier: Apache-2.0
"""From the JSON rows of a page to Arrow columns, exactly: an amount goes from its text to decimal128, never by a float.

There are two ways to the same columns. The fast one lets Arrow read the page with an explicit schema. Whatever it does
not take goes the exact way, row by row, which either reads it after all or names the record and column that do not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

import msgspec

from airflow_provider_mlconnector.errors import DataError, SchemaDriftError
from airflow_provider_mlconnector.systems.http.json_values import Kind, arrow_type, fits, json_type, read_value
from airflow_provider_mlconnector.systems.http.odata import Page
from airflow_provider_mlconnector.systems.port import Finding, FindingKind

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 100
"""Rows of a page that are looked at for drift."""


class Need(StrEnum):
    """How badly a field is needed: never null, read where present, or only known to be there."""

    NEEDED = "needed"
    USED = "used"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a row; ``fields`` are those of the objects in a list."""

    name: str
    kind: Kind = Kind.TEXT
    need: Need = Need.USED
    fields: tuple[Field, ...] = ()


def fields_of(text: str) -> tuple[Field, ...]:
    """Read ``name:kind`` words: kinds by their first letter (text, money, integer, date, stamp, boolean).

    A ``!`` at the end makes a field needed, a ``?`` only known.
    """
    kinds = dict(zip("tmidsb", list(Kind)[:6], strict=True))
    needs = {"!": Need.NEEDED, "?": Need.KNOWN}
    words = (word.partition(":") for word in text.split())
    return tuple(Field(name, kinds[kind[0]], needs.get(kind[-1], Need.USED)) for name, _, kind in words)


class RowDecoder:
    """Decodes the pages of one resource.

    :param resource: its name, for messages.
    :param fields: all fields that are expected; those only known are not decoded.
    :param key: the field that names a record to a person.
    """

    def __init__(self, resource: str, fields: Iterable[Field], *, key: str = "id") -> None:
        self.resource = resource
        self._expected = tuple(fields)
        self._fields = tuple(field for field in self._expected if field.need is not Need.KNOWN)
        self._key = key

    def decode(self, page: Page) -> pa.RecordBatch:
        """Return the rows of a page, one column per decoded field; money is ``decimal128(37, 6)``.

        That is one digit less than the datasets have, so that the difference of two amounts fits.

        :raises SchemaDriftError: a needed field is absent or null, or a value is of another type.
        :raises DataError: a value of the right type that cannot be kept, such as an amount with more than 6 decimals.
        """
        import pyarrow as pa

        try:
            batch = _decode_fast(page.body, self._fields)
        except pa.ArrowInvalid:
            return self.decode_exact(page)
        whole = all(batch[f.name].null_count == 0 for f in self._fields if f.need is Need.NEEDED)
        return batch if whole else self.decode_exact(page)

    def decode_exact(self, page: Page) -> pa.RecordBatch:
        """Do the same row by row; slow, and the measure of the fast way."""
        import pyarrow as pa

        rows = self._objects_of(page.rows)
        columns = [pa.array(self._column(field, rows), _arrow_type(field)) for field in self._fields]
        return pa.RecordBatch.from_arrays(columns, names=[field.name for field in self._fields])

    def drift(self, page: Page) -> list[Finding]:
        """Compare the first rows of a page with what is expected; report what changed and does no harm.

        :raises SchemaDriftError: for a column that is read and came as another type, and for a needed one that is lost.
        :raises DataError: when a row is no object at all.
        """
        rows = self._objects_of(page.rows[:SAMPLE])
        seen = {name for row in rows for name in row}
        found: list[Finding] = []
        for field in self._expected:
            if field.name in seen:
                found += self._retypings(field, rows)
            elif field.need is Need.NEEDED:
                raise SchemaDriftError(
                    f"{self.resource} has no column {field.name} any more; it has {', '.join(sorted(seen))}.",
                    column=field.name,
                )
            elif not (page.reduced and field.kind is Kind.OBJECTS):
                found.append(Finding(FindingKind.COLUMN_MISSING, field.name, f"{self.resource} lacks {field.name}"))
        new = sorted({name for name in seen if "@" not in name} - {field.name for field in self._expected})
        return found + [Finding(FindingKind.COLUMN_NEW, name, f"{self.resource} has a new column") for name in new]

    def checked(self, pages: Iterable[Page], findings: list[Finding]) -> Iterator[Page]:
        """Yield pages as they are, after a look for drift at the first rows that come."""
        checked = False
        for page in pages:
            if page.rows and not checked:
                findings += self.drift(page)
                checked = not page.reduced
            yield page

    def _objects_of(self, raw_rows: Iterable[msgspec.Raw]) -> list[dict[str, Any]]:
        decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
        try:
            return [decoder.decode(raw) for raw in raw_rows]
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise DataError(f"A row of {self.resource} cannot be read: {exc}.") from None

    def _column(self, field: Field, rows: list[dict[str, Any]]) -> list[Any]:
        return [self._value(field, row, row.get(self._key)) for row in rows]

    def _value(self, field: Field, row: Mapping[str, Any], record: object) -> Any:
        value = row.get(field.name)
        if value is None:
            if field.need is Need.NEEDED:
                raise SchemaDriftError(f"Record {record} of {self.resource} has no {field.name}.", column=field.name)
            return None
        if field.kind is Kind.OBJECTS:
            return self._objects(field, value, record)
        try:
            return read_value(field.kind, value)
        except TypeError:
            raise self._retyped(field, value, record) from None
        except (ValueError, ArithmeticError):
            raise DataError(
                f"Record {record} of {self.resource}: {field.name} holds {_shown(value)}, "
                f"which is no {field.kind} that can be kept.",
                hint="Amounts have at most 6 decimals and 31 digits before them.",
            ) from None

    def _objects(self, field: Field, value: Any, record: object) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._retyped(field, value, record)
        return [{inner.name: self._value(inner, item, record) for inner in field.fields} for item in value]

    def _retypings(self, field: Field, rows: list[dict[str, Any]]) -> list[Finding]:
        strange = next((row for row in rows if not fits(field.kind, row.get(field.name))), None)
        if strange is None:
            return []
        drift = self._retyped(field, strange[field.name], strange.get(self._key))
        if field.need is not Need.KNOWN:
            raise drift
        return [Finding(FindingKind.COLUMN_RETYPED, field.name, drift.message)]

    def _retyped(self, field: Field, value: Any, record: object) -> SchemaDriftError:
        return SchemaDriftError(
            f"Record {record} of {self.resource}: column {field.name} came as {json_type(value)} "
            f"where a {field.kind} is expected.",
            column=field.name,
            retyped=True,
        )


def _decode_fast(body: memoryview, fields: Iterable[Field]) -> pa.RecordBatch:
    """Read the page as one JSON object, so that neither line ends nor brackets in texts matter.

    :raises pyarrow.ArrowInvalid: for whatever Arrow's reader does not take as it is.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

    row = pa.struct([pa.field(field.name, _wire_type(field)) for field in fields])
    table = arrow_json.read_json(
        cast("Any", pa.BufferReader(body)),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=pa.schema([("value", pa.list_(row))]), unexpected_field_behavior="ignore"
        ),
    )
    rows = cast("pa.ListArray[Any]", table["value"].combine_chunks()).flatten()
    rows.validate(full=True)  # Arrow's reader lets bytes pass that are no UTF-8
    if rows.null_count:
        raise pa.ArrowInvalid("a row is null")
    wire = pa.RecordBatch.from_struct_array(cast("pa.StructArray", rows))
    columns = [wire[field.name].cast(_arrow_type(field)) for field in fields]
    return pa.RecordBatch.from_arrays(columns, names=[field.name for field in fields])


def _wire_type(field: Field) -> pa.DataType:
    """Return the type that Arrow's JSON reader is asked for: it reads no dates."""
    import pyarrow as pa

    return pa.string() if field.kind is Kind.DATE else _arrow_type(field)


def _arrow_type(field: Field) -> pa.DataType:
    import pyarrow as pa

    if field.kind is not Kind.OBJECTS:
        return arrow_type(field.kind)
    return pa.list_(pa.struct([pa.field(inner.name, _arrow_type(inner)) for inner in field.fields]))


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
