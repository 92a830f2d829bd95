# SPDX-License-Identifier: Apache-2.0
"""Small Arrow tables out of Python values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

TEXT = pa.string()
WHOLE = pa.int64()
YES_NO = pa.bool_()


def table(types: Mapping[str, pa.DataType], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return a table of the given columns."""
    return pa.Table.from_pylist(list(rows), schema=pa.schema(types))
