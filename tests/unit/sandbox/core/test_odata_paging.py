# SPDX-License-Identifier: Apache-2.0
"""Pages of rows, also when rows change while somebody reads them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from airflow_provider_mlconnector.sandbox.odata.options import OptionError, next_query, parse_options
from airflow_provider_mlconnector.sandbox.odata.paging import count_rows, read_page


@dataclass(frozen=True)
class Numbers:
    """Rows with a key and a value."""

    key: np.ndarray
    value: np.ndarray

    def __len__(self):
        return len(self.key)

    def keys(self):
        return self.key

    def column(self, field):
        return {"key": self.key, "value": self.value}[field]

    def take(self, which):
        return Numbers(self.key[which], self.value[which])


def frames(values: dict[int, int], size: int = 4) -> list[Numbers]:
    """Return rows by key, a few at a time."""
    keys = np.array(sorted(values))
    whole = Numbers(keys, np.array([values[key] for key in sorted(values)]))
    return [whole.take(np.arange(at, min(at + size, len(keys)))) for at in range(0, len(keys), size)]


def join(parts):
    if not parts:
        return Numbers(np.zeros(0, int), np.zeros(0, int))
    return Numbers(np.concatenate([part.key for part in parts]), np.concatenate([part.value for part in parts]))


def read(rows: dict[int, int], query: str, page_size: int):
    """Follow the links to the end and return the keys page by page."""
    pages = []
    while True:
        options = parse_options(query)
        page = read_page(frames(rows), options, page_size=page_size, join=join)
        pages.append([int(key) for key in page.frame.key])
        if page.token is None:
            return pages
        query = next_query(options, page.token, top=page.top_left, extra="aid=FIN")


ROWS = {key: key * 7 % 10 for key in range(1, 11)}


@pytest.mark.parametrize(
    ("query", "page_size", "pages"),
    [
        ("", 20, [list(range(1, 11))]),
        ("", 10, [list(range(1, 11))]),
        ("", 4, [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]),
        ("$top=3", 4, [[1, 2, 3]]),
        ("$top=6", 4, [[1, 2, 3, 4], [5, 6]]),
        ("$skip=8", 4, [[9, 10]]),
        ("$skip=1&$top=5", 3, [[2, 3, 4], [5, 6]]),
        ("$orderby=value", 5, [[10, 3, 6, 9, 2], [5, 8, 1, 4, 7]]),
        ("$orderby=value desc", 5, [[7, 4, 1, 8, 5], [2, 9, 6, 3, 10]]),
        ("$filter=value gt 6", 2, [[1, 4], [7]]),
        ("$filter=value gt 100", 2, [[]]),
    ],
)
def test_pages(query, page_size, pages):
    assert read(ROWS, query, page_size) == pages


def test_rows_of_equal_value_are_neither_lost_nor_told_twice():
    rows = {key: key % 2 for key in range(1, 30)}
    pages = read(rows, "$orderby=value desc", 3)
    assert sorted(key for page in pages for key in page) == sorted(rows)


def test_reading_goes_on_behind_a_row_that_was_changed_meanwhile():
    rows = {1: 10, 2: 20, 3: 30, 4: 40}
    options = parse_options("$orderby=value")
    page = read_page(frames(rows), options, page_size=2, join=join)
    rows[2] = 99
    rest = read_page(frames(rows), replace(options, skip_token=page.token), page_size=9, join=join)
    assert list(rest.frame.key) == [3, 4, 2]


def test_counting_looks_at_the_filter_alone():
    assert count_rows(frames(ROWS), parse_options("$filter=value gt 6&$top=1")) == 3


@pytest.mark.parametrize("query", ["$skiptoken=nonsense", "$skiptoken=e30", "$top=-1", "$top=x", "$orderby=a b c"])
def test_options_that_make_no_sense_are_refused(query):
    with pytest.raises(OptionError):
        read_page(frames(ROWS), parse_options(query), page_size=3, join=join)


def test_a_link_repeats_the_query_as_it_was_written():
    options = parse_options("$filter=a%20eq%20%27x+y%27&$skip=3&$top=9")
    assert next_query(options, "T", top=4, extra="aid=FIN") == "$filter=a%20eq%20%27x+y%27&$top=4&aid=FIN&$skiptoken=T"
