# SPDX-License-Identifier: Apache-2.0
"""Control sums: what a batch holds, counted while it passes, and whether it holds what its dataset says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.money import ZERO, add_money, format_money


class Control:
    """Counts rows and adds up the money columns of batches of one schema."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema
        self._sums = {field.name: ZERO for field in schema if pa.types.is_decimal(field.type)}

    def passing(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Count batches while they pass.

        :raises SchemaDriftError: when one has other columns, or a required one is null.
        """
        for batch in batches:
            self._check(batch)
            self._add(batch)
            yield batch

    def _add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        for name in self._sums:
            self._sums[name] = add_money([self._sums[name], pc.sum(batch.column(name)).as_py() or ZERO])

    def sums(self) -> dict[str, str]:
        """Return the sum of each money column as text."""
        return {name: format_money(total) for name, total in self._sums.items()}

    def _check(self, batch: pa.RecordBatch) -> None:
        if (batch.schema.names, batch.schema.types) != (self._schema.names, self._schema.types):
            raise SchemaDriftError(
                f"A page has the columns {_described(batch.schema)} where the dataset has {_described(self._schema)}.",
                hint="Report this: the reader of this ERP is wrong, or the ERP changed under it.",
            )
        for field in self._schema:
            missing = 0 if field.nullable else batch.column(field.name).null_count
            if missing:
                raise SchemaDriftError(
                    f"The column {field.name} is needed, but the ERP left it empty in {missing} rows.",
                    hint="Look at the ERP's own page of these records; the flow cannot load them as they are.",
                    column=field.name,
                )


def _described(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
