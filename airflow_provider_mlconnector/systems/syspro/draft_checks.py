# SPDX-License-Identifier: Apache-2.0
"""Why journals could not be posted, found before a person is asked.

What the tables tell is checked against them; the rest, such as whether a period is open, the business object says when
it checks a journal without posting it. Without that check it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.errors import BadRequestError, CapabilityError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.money import ZERO, add_money
from airflow_provider_mlconnector.systems.drafting import Found, Problem, too_long
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.calls import LONGEST_QUERY
from airflow_provider_mlconnector.systems.syspro.documents import unfit
from airflow_provider_mlconnector.systems.syspro.draft_options import Coding
from airflow_provider_mlconnector.systems.syspro.hand_over import Render
from airflow_provider_mlconnector.systems.syspro.posted_journals import REFERENCE, PostingCode, posting_codes
from airflow_provider_mlconnector.systems.syspro.posting import JournalObject
from airflow_provider_mlconnector.systems.syspro.posting_answers import Refusal
from airflow_provider_mlconnector.systems.syspro.tables import JOURNALS

CODE_ROOM, REFERENCE_ROOM, COMMENT_ROOM, NOTATION_ROOM = 35, 30, 50, 100
"""Characters of a GL code, of an entry's reference, and, as far as is known, of a line's comment and a journal's
notation."""

_CENT = Decimal("0.01")
_MOST = Decimal(10) ** 12
"""Amounts are kept with 14 digits, two of them decimals."""


def find_problems(
    api: SysproApi, coding: Coding, render: Render, checker: JournalObject | None, journals: Sequence[Journal]
) -> list[Problem]:
    """Check journals against the company as it stands; ``key`` is "" where a problem concerns all of them.

    :param checker: the business object that checks journals; None leaves that out.
    """
    journals = [journal for journal in journals if journal.lines]
    codes = {coding.code(line) for journal in journals for line in journal.lines}
    book = _Book(coding, posting_codes(api, codes))
    problems = [Problem("", None, JOURNALS.name, sentence) for sentence in _of_service(api)]
    for journal in journals:
        own = list(book.problems(journal))
        problems += own
        if checker and not any(unfit(text) for text in _texts(coding, journal)):
            problems += _told(checker, coding, render(journal), journal, own)
    return list(dict.fromkeys(problems))


def _of_service(api: SysproApi) -> Iterator[str]:
    try:
        if not api.entity_set(JOURNALS).filters("GlYear", REFERENCE):
            yield f"the OData service does not filter entries by {REFERENCE}, by which a posted journal is known"
    except CapabilityError as error:
        yield error.message


@dataclass(frozen=True, slots=True)
class _Book:
    """What the company's tables allow, read once."""

    coding: Coding
    codes: Mapping[str, PostingCode]

    def problems(self, journal: Journal) -> Iterator[Problem]:
        """Yield all that is wrong with a journal and its lines."""
        for subject, sentence in _of_journal(journal):
            yield Problem(journal.key, None, subject, sentence)
        for line in journal.lines:
            for subject, sentence in self._of_line(line):
                yield Problem(journal.key, line.number, subject, sentence)

    def _of_line(self, line: JournalLine) -> Iterator[Found]:
        yield from self.coding.problems(line)
        code = self.coding.code(line)
        known = self.codes.get(code)
        if known is None:
            yield code, "there is no such GL code"
        elif known.refusal:
            yield code, known.refusal
        yield from _of_text("GL code", code, CODE_ROOM)
        yield from _of_text("comment", line.description, COMMENT_ROOM)
        if line.amount != line.amount.quantize(_CENT) or abs(line.amount) >= _MOST:
            yield f"{line.amount:f}", "no amount that the ledger can hold; it keeps 12 digits and two decimals"


def _of_journal(journal: Journal) -> Iterator[Found]:
    total = add_money(line.amount for line in journal.lines)
    if total != ZERO:
        yield journal.key, f"debits and credits differ by {total.normalize():f}"
    yield from _of_text("reference", journal.key, REFERENCE_ROOM)
    yield from _of_text("notation", journal.description, NOTATION_ROOM)


def _of_text(what: str, text: str, room: int) -> Iterator[Found]:
    yield from too_long(what, text, room)
    strange = unfit(text)
    if strange:
        yield text, f"the {what} holds {strange!r}, which Windows-1252 has no place for"


def _texts(coding: Coding, journal: Journal) -> Iterator[str]:
    yield journal.description
    for line in journal.lines:
        yield coding.code(line)
        yield line.description


def _told(
    checker: JournalObject, coding: Coding, document: str, journal: Journal, own: Sequence[Problem]
) -> Iterator[Problem]:
    """Yield what the business object says of a journal, but for what is known of the same line already."""
    length = checker.query_length(document)
    if length > LONGEST_QUERY:
        fits = max(2, len(journal.lines) * LONGEST_QUERY * 9 // (length * 10))  # a tenth is for what is no line
        yield Problem(
            journal.key,
            None,
            f"{len(journal.lines)} lines",
            f"SYSPRO takes a journal in one request of {LONGEST_QUERY} characters, and this one has {length}; let "
            f"'lines' under 'journal' be {fits} or less; where a person posts, 'validate: no' leaves the check out",
        )
        return
    try:
        refusals = checker.validate(document)
    except BadRequestError as error:
        yield Problem(journal.key, None, checker.name, error.message)
        return
    known = {(problem.line, problem.subject) for problem in own}
    unbalanced = any(problem.line is None and problem.subject == journal.key for problem in own)
    for refusal in refusals:
        for problem in _of_refusal(coding, journal, refusal):
            balance = problem.line is None and unbalanced and "balance" in problem.sentence.lower()
            if (problem.line, problem.subject) not in known and not balance:
                yield problem


def _of_refusal(coding: Coding, journal: Journal, refusal: Refusal) -> Iterator[Problem]:
    """Yield a refusal for each line that it may mean: those whose code or comment is the refused value."""
    meant: list[int | None] = [
        line.number for line in journal.lines if refusal.value in (coding.code(line), line.description)
    ]
    for number in meant or [None]:
        yield Problem(journal.key, number, refusal.value or refusal.field, refusal.sentence)
