# SPDX-License-Identifier: Apache-2.0
"""Keys of documents: the same in every run, and told from the numbers of other documents."""

import pytest

from airflow_provider_mlconnector.finance.drafts import KEY_LENGTH, document_key, is_document_key


def test_the_same_parts_make_the_same_key_and_others_another():
    keys = [document_key("flow", "plan", "LARKFIELD", "FY2027-P05", version) for version in ("A", "A", "B")]
    assert keys[0] == keys[1] != keys[2]
    assert document_key("ab", "c") != document_key("a", "bc")


def test_every_key_is_known_as_one_and_fits():
    for part in range(500):
        key = document_key("flow", str(part))
        assert is_document_key(key)
        assert len(key) <= KEY_LENGTH


@pytest.mark.parametrize(
    "number",
    [
        "",
        "G00012",
        "AP0000000000000123",
        "AP1234567890123456",
        "apa123456789012345",
        "APA12345678901234",
        "XAPA123456789012345",
    ],
)
def test_numbers_of_other_documents_are_no_keys(number):
    assert not is_document_key(number)
    assert not is_document_key(f"{document_key('a')}-1")
