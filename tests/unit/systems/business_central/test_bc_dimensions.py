# SPDX-License-Identifier: Apache-2.0
import pyarrow as pa

from airflow_provider_mlconnector.systems.business_central.dimensions import DimensionSets, flatten

LINES = pa.list_(pa.struct([("code", pa.string()), ("valueCode", pa.string())]))
SETS = pa.schema([("setId", pa.int64()), ("dimensionCode", pa.string()), ("dimensionValueCode", pa.string())])


def listed(**values: str) -> list[dict[str, str]]:
    return [{"code": code, "valueCode": value} for code, value in values.items()]


def test_lists_of_dimensions_become_columns_in_any_order_and_none_is_told_from_unknown():
    rows = [listed(A="1", B="2"), [], listed(B="3"), None, listed(C="9"), listed(B="4", A="5")]
    columns = flatten(pa.array(rows, LINES), ["A", "B"])
    assert columns["A"].to_pylist() == ["1", "", "", None, "", "5"]
    assert columns["B"].to_pylist() == ["2", "", "3", None, "", "4"]


def test_a_slice_of_a_column_is_flattened_as_itself():
    rows = pa.array([listed(A="1"), listed(A="2"), None, listed(A="3")], LINES)
    assert flatten(rows.slice(1), ["A"])["A"].to_pylist() == ["2", None, "3"]


def test_no_lines_have_no_dimensions():
    assert flatten(pa.array([], LINES), ["A"])["A"].to_pylist() == []
    assert DimensionSets(["A"], lambda newest: iter(())).columns(pa.array([], pa.int64()))["A"].to_pylist() == []


class Server:
    """Dimension sets that grow; remembers from where on it was asked."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self.asked: list[int] = []

    def put(self, set_id: int, **values: str) -> None:
        self.entries += [
            {"setId": set_id, "dimensionCode": code, "dimensionValueCode": value} for code, value in values.items()
        ]

    def read(self, newest: int):
        self.asked.append(newest)
        yield pa.RecordBatch.from_pylist([entry for entry in self.entries if entry["setId"] > newest], schema=SETS)


def test_sets_are_read_once_and_only_newer_ones_again():
    server = Server()
    server.put(7, A="1", C="2")
    server.put(8, B="3")
    sets = DimensionSets(["A", "B"], server.read)

    def values(*set_ids: int) -> list[tuple[str | None, str | None]]:
        columns = sets.columns(pa.array(set_ids, pa.int64()))
        return list(zip(columns["A"].to_pylist(), columns["B"].to_pylist(), strict=True))

    assert values(7, 0, 8) == [("1", ""), ("", ""), ("", "3")]
    assert values(8, 7) == [("", "3"), ("1", "")]
    assert server.asked == [0]
    server.put(9, A="4")
    assert values(9, 7, 5) == [("4", ""), ("1", ""), (None, None)]
    assert server.asked == [0, 8]


def test_lines_without_any_set_need_no_request():
    server = Server()
    columns = DimensionSets(["A"], server.read).columns(pa.array([0, 0], pa.int64()))
    assert columns["A"].to_pylist() == ["", ""]
    assert server.asked == []
