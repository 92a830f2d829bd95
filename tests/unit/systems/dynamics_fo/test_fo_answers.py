# SPDX-License-Identifier: Apache-2.0
"""What an error answer says to a person."""

import pytest

from airflow_provider_mlconnector.systems.dynamics_fo.answers import useful


@pytest.mark.parametrize(
    ("inner", "told"),
    [
        (
            "Write failed for table row of type 'LedgerJournalLineEntity'. Infolog: Warning: The value '999' in field "
            "'Department' is not found in the related table; Error: validateWrite failed on data source "
            "'LedgerJournalLineEntity'.",
            "The value '999' in field 'Department' is not found in the related table.",
        ),
        ("Infolog: Info: First.; Warning: Second.; Error: validateField failed on field 'X'.", "First; Second."),
        ("Something else happened.", "Something else happened."),
        ("Infolog: Error: validateField failed on field 'Ledger' of data source 'X'.", "it does not say why."),
        ("", "it does not say why."),
    ],
)
def test_the_infolog_is_told_without_kinds_and_names_of_what_failed(inner, told):
    assert useful(inner) == told
