# SPDX-License-Identifier: Apache-2.0
"""A plan's journals as journal lines: what is written, what is left as it is, and what is put right."""

from tests.unit.systems.business_central.drafts.desk import held, holds, journal


def test_a_journal_becomes_lines_with_their_dimensions_and_nothing_is_posted(desk):
    wanted = journal()
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    assert desk.post_calls == 0
