# SPDX-License-Identifier: Apache-2.0
"""The query engine: DuckDB over staged Parquet files, in bounded memory, spilling to the scratch folder.

Names go into a statement by :func:`quoted` alone, values never: they are bound, or set as variables that a statement
reads with ``getvariable``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.pipeline.context import Bench

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ROWS_AT_ONCE = 16_384  # small enough that a few batches in flight do not count, large enough to be fast


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str]) -> str:
    """Return names as a list of SQL identifiers."""
    return ", ".join(quoted(name) for name in names)


class Engine:
    """One connection. Views and tables live as long as it does."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str, *values: Any) -> None:
        """Run a statement that returns nothing of interest."""
        self._connection.execute(sql, list(values)).fetchall()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a small result that holds no times; see :meth:`records`."""
        return self._connection.execute(sql, list(values)).fetchall()

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a small result by column name; times are aware, in UTC."""
        return self.stream(sql).read_all().to_pylist()

    def stream(self, sql: str) -> pa.RecordBatchReader:
        """Return a result in batches of ``ROWS_AT_ONCE``, in the order of the query; ask nothing else until its end."""
        reader: pa.RecordBatchReader = self._connection.sql(sql).to_arrow_reader(ROWS_AT_ONCE)
        return reader

    def variable(self, name: str, value: Any) -> None:
        """Set a value that statements read with ``getvariable``."""
        self.run(f"SET VARIABLE {quoted(name)} = ?", value)

    def view(self, name: str, sql: str) -> None:
        """Name a query."""
        self.run(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}")

    def files(self, name: str, *paths: Path, differing: bool = False) -> None:
        """Name the rows of Parquet files; ``file_row_number`` counts within each.

        :param differing: the files may have different columns; what one lacks is null.
        """
        relation = self._connection.read_parquet(
            [str(path) for path in paths], file_row_number=True, union_by_name=differing
        )
        relation.create_view(name, replace=True)

    def csv(self, name: str, path: Path) -> None:
        """Name the lines of a CSV file with a header; every column is text."""
        relation = self._connection.read_csv(
            str(path), header=True, all_varchar=True, delimiter=",", quotechar='"', escapechar='"'
        )
        relation.create_view(name, replace=True)

    def table(self, name: str, data: pa.Table) -> None:
        """Keep a small Arrow table under a name."""
        self._connection.register("arriving", data)
        self.run(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS SELECT * FROM arriving")
        self._connection.unregister("arriving")

    def schema(self, sql: str) -> pa.Schema:
        """Return the schema of a query without running it."""
        return self.stream(f"SELECT * FROM ({sql}) LIMIT 0").schema

    def columns(self, name: str) -> dict[str, pa.DataType]:
        """Return the column names and Arrow types of a view or table."""
        schema = self.schema(f"SELECT * FROM {quoted(name)}")
        return dict(zip(schema.names, schema.types, strict=True))


@contextmanager
def engine(bench: Bench) -> Iterator[Engine]:
    """Open an engine with its own folder for what does not fit into memory."""
    import duckdb

    with tempfile.TemporaryDirectory(dir=bench.stage.scratch(), prefix="spill-") as folder:
        config: dict[str, Any] = {
            "threads": bench.threads,
            "memory_limit": bench.memory_limit,
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(":memory:", config=config) as connection:
            db = Engine(connection)
            db.run("SET TimeZone = 'UTC'")
            yield db
