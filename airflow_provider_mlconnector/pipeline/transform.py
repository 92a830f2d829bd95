# SPDX-License-Identifier: Apache-2.0
"""A user's own step: a named Python function that takes and returns a pandas DataFrame of book rows.

It gets the rows that the plan selects, in pieces, with Arrow-backed columns, so that decimals and dates stay exact;
amounts are wide decimals, so that sums, products and quotients have room, to be rounded back to six decimals at the
end. A function marked with :func:`whole_period` gets all of them at once. It may add, drop and change columns and
rows. What it returns is checked: no floats, and every piece with the columns of the first.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from airflow_provider_mlconnector.errors import ConfigurationError, DataError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import MONEY_PRECISION, MONEY_SCALE

if TYPE_CHECKING:
    import pandas as pd

Transform = Callable[["pd.DataFrame"], "pd.DataFrame"]
AnyTransform = TypeVar("AnyTransform", bound=Callable[..., Any])
ROOMY_PRECISION = 37  # the widest of which a product still fits the 76 digits of Arrow's decimals
_WHOLE = "mlconnector_whole_period"


def whole_period(function: AnyTransform) -> AnyTransform:
    """Mark a transform that has to see all rows of the period at once; they then have to fit into memory."""
    setattr(function, _WHOLE, True)
    return function


def find(name: str) -> Transform:
    """Return the function that ``package.module:function`` names.

    :raises ConfigurationError: when there is none.
    """
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"The transform {name} cannot be imported: {error}.",
            hint="Name it as package.module:function; the package must be importable on the workers.",
        ) from error
    if not callable(function):
        raise ConfigurationError(f"The transform {name} is no function.")
    return function  # type: ignore[no-any-return]  # its signature cannot be checked


def source_digest(name: str) -> str:
    """Return a digest of the function's source, so that an edit is noticed; of its name where there is no source."""
    if not name:
        return ""
    try:
        source = inspect.getsource(find(name))
    except (OSError, TypeError):
        source = name
    return hashlib.sha256(source.encode()).hexdigest()


class Transformed:
    """The result of a transform over batches: iterate it, after :meth:`open` has found out its schema."""

    def __init__(self, name: str, batches: pa.RecordBatchReader) -> None:
        self._name = name
        self._function = find(name)
        self._pieces = self._results(batches)
        self._first = next(self._pieces)
        self.schema = pa.schema([_column(name, field) for field in self._first.schema])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._fitted(self._first)
        for piece in self._pieces:
            yield from self._fitted(piece)

    def _results(self, batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
        schema = batches.schema
        pieces: Iterable[pa.Table] = (pa.Table.from_batches([batch]) for batch in batches)
        if getattr(self._function, _WHOLE, False):
            pieces = [batches.read_all()]
        called = False
        for piece in pieces:
            called = True
            yield self._call(piece)
        if not called:
            yield self._call(schema.empty_table())

    def _call(self, piece: pa.Table) -> pa.Table:
        import pandas as pd

        try:
            result = self._function(_roomy(piece).to_pandas(types_mapper=pd.ArrowDtype))
        except Exception as error:  # whatever the user's code raises, told with its name
            raise DataError(f"The transform {self._name} failed: {error!r}.") from error
        if not isinstance(result, pd.DataFrame):
            raise DataError(f"The transform {self._name} returned a {type(result).__name__}, not a DataFrame.")
        return pa.Table.from_pandas(result, preserve_index=False)

    def _fitted(self, piece: pa.Table) -> list[pa.RecordBatch]:
        if piece.schema.names != self.schema.names:
            raise SchemaDriftError(
                f"The transform {self._name} returned the columns {', '.join(piece.schema.names)} for some rows and "
                f"{', '.join(self.schema.names)} for others."
            )
        columns = [self._kept(field, piece.column(field.name)) for field in self.schema]
        return pa.Table.from_arrays(columns, schema=self.schema).to_batches()

    def _kept(self, field: pa.Field[Any], column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
        try:
            return column.cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SchemaDriftError(
                f"The transform {self._name} made {field.name} what cannot be kept as {field.type}: {error}.",
                hint=f"Round amounts to {MONEY_SCALE} decimals, and give a column one type for all rows.",
            ) from error


def _roomy(piece: pa.Table) -> pa.Table:
    """Give amounts room: the result of an operation on decimals needs more digits than its operands have."""
    for at, field in enumerate(piece.schema):
        if pa.types.is_decimal(field.type):
            roomy = piece.column(at).cast(pa.decimal256(ROOMY_PRECISION, MONEY_SCALE))
            piece = piece.set_column(at, field.name, roomy)
    return piece


def _column(transform: str, field: pa.Field[Any]) -> pa.Field[Any]:
    """Return how a returned column is kept: amounts as money, texts as strings.

    :raises SchemaDriftError: for a float, and for a decimal with more places than money has.
    """
    kind: pa.DataType = field.type
    if pa.types.is_floating(kind):
        raise SchemaDriftError(
            f"The transform {transform} made {field.name} a float, which does not hold amounts exactly.",
            hint="Compute with the decimals of the Arrow-backed columns, or with decimal.Decimal.",
        )
    if pa.types.is_decimal(kind):
        kind = pa.decimal128(MONEY_PRECISION, MONEY_SCALE)
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind)):
        kind = pa.string()
    return pa.field(field.name, kind)
