# SPDX-License-Identifier: Apache-2.0
"""A plan's journals as general journals, each one a header and its lines, which wait for a person to post them.

What this module guarantees: nothing is posted, unless the flow names a service of the customer's that does it. The
environment gives a header its number, so a header is looked for by the key in its description before one is made; a
second one without lines is removed. A line is known by its number, which the environment takes once, so that the same
line sent twice is refused. All lines share one voucher, which the environment gives to the first of them, whatever the
journal name says about new vouchers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.systems.drafting import ONLY_DRAFTS, Draft, DraftState, Problem, Step
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import active_format
from airflow_provider_mlconnector.systems.dynamics_fo.draft_checks import find_problems
from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import JournalOptions
from airflow_provider_mlconnector.systems.dynamics_fo.general_journals import (
    JOURNAL_LINES,
    JOURNALS,
    StandingJournal,
    StandingLine,
    posted_document,
    standing_journals,
)
from airflow_provider_mlconnector.systems.dynamics_fo.ledger_accounts import LedgerAccounts
from airflow_provider_mlconnector.systems.dynamics_fo.names import noon
from airflow_provider_mlconnector.systems.dynamics_fo.posting import JournalPoster
from airflow_provider_mlconnector.systems.http.keyset import literal

LEDGER = "Ledger"
ACCOUNT = "AccountDisplayValue"
VOUCHER = "Voucher"
SLACK = 15.0
"""Seconds more than both time-outs after which a request counts as over: clocks and queues are not exact."""

_NO_TOTALS = (Decimal(0), Decimal(0))


class FinanceOperationsDrafts:
    """Writes drafts as general journals of one company. Not shared between threads.

    :param name: journal name that they are made under; nobody else should use it.
    """

    def __init__(self, api: FinanceOperationsApi, name: str, options: JournalOptions | None = None) -> None:
        self._api = api
        self._name = name
        self._options = options or JournalOptions()
        self._company = Company(api)
        self.settle = sum(api.session.transport.timeout) + SLACK
        posting = self._options.posting
        self.effect = f"writes the journals and has {posting} post them" if posting else ONLY_DRAFTS

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        """Check journals against journal name, accounts, dimensions and periods; report all there is."""
        return find_problems(self._api, Company(self._api), self._name, self._options, journals)

    def find(self, journal: Journal) -> Draft:
        """Look for the document among general journals, and in the general ledger when its journal is gone."""
        standing = self._standing(journal)
        posted = next((one for one in standing if one.posted), None)
        ours = posted or original(standing)
        if ours is None or (posted and not posted.lines):
            return self._in_ledger(journal, posted)
        lines = tuple(self._read(journal, line) for line in ours.lines)
        if posted:
            return Draft(DraftState.POSTED, lines, posted.number)
        return Draft(DraftState.DRAFT, lines, ours.number, complete=self._is_whole(journal, ours, standing))

    def steps(self, journal: Journal) -> list[Step]:
        """Look at the journals and return what is still to be done; none for a document that was posted.

        First comes the header, since its number is part of every line, then the first line, since its voucher is. A
        second journal under the key is removed while it has no lines, for so one of ours came about; with lines it is
        a person's copy.

        :raises ConfigurationError: when the active format has no segment for a dimension of the journal any more.
        :raises DataError: when the journal is to be removed, and a copy stands beside it that would be taken for it.
        """
        standing = self._standing(journal)
        if any(one.posted for one in standing):
            return []
        if not standing and self._in_ledger(journal).state is DraftState.POSTED:
            return []
        return self._missing(journal, standing) or self._posting(journal, standing)

    def close(self) -> None:
        """Release connections; there is no session to log off from."""
        self._api.session.close()

    @cached_property
    def _accounts(self) -> LedgerAccounts:
        return LedgerAccounts(self._api.connection.display_format or active_format(self._api))

    def _standing(self, journal: Journal) -> list[StandingJournal]:
        return standing_journals(self._api, self._company.ledger.company, journal.key)

    def _in_ledger(self, journal: Journal, posted: StandingJournal | None = None) -> Draft:
        """Return what was posted under the key, as the general ledger holds it."""
        found = posted_document(self._api, self._company, journal.key, _codes(journal))
        if found is None:
            return Draft(DraftState.POSTED, (), posted.number) if posted else Draft(DraftState.MISSING)
        voucher, lines = found
        return Draft(DraftState.POSTED, lines, posted.number if posted else voucher)

    def _is_whole(self, journal: Journal, ours: StandingJournal, standing: Sequence[StandingJournal]) -> bool:
        """Say whether a draft is as it is to be, totals included, where the environment has added them up."""
        if not journal.lines or ours.name != self._name or self._accounts.strange(_codes(journal)):
            return False
        agrees = ours.totals in (_NO_TOTALS, (journal.debit, journal.debit))
        return agrees and not self._missing(journal, standing)

    def _missing(self, journal: Journal, standing: Sequence[StandingJournal]) -> list[Step]:
        ours = original(standing)
        others = [one for one in standing if one is not ours]
        steps = [step for one in others if not one.lines for step in self._removal(journal, one)]
        if ours is None:
            return [self._creation(journal)] if journal.lines else []
        if journal.lines and ours.name == self._name:
            return [*steps, *self._header_steps(journal, ours), *self._line_steps(journal, ours)]
        _check_no_copy(journal, [one for one in others if one.lines])
        return [*steps, *self._removal(journal, ours)]

    def _posting(self, journal: Journal, standing: Sequence[StandingJournal]) -> list[Step]:
        """Return what has a whole draft posted, where the flow names a service of the customer's for it."""
        ours, service = original(standing), self._options.posting
        if ours is None or service is None:
            return []
        poster = JournalPoster(self._api, service, self._company.ledger.company)
        sentence = f"have journal {ours.number} of {journal.key} posted by {service}"
        return [Step(sentence, partial(poster.post, ours.number))]

    def _creation(self, journal: Journal) -> Step:
        body = {"dataAreaId": self._company.ledger.company, "JournalName": self._name, **self._header(journal)}
        return self._step(f"create journal {journal.key} under {self._name}", "POST", JOURNALS.name, body)

    def _header(self, journal: Journal) -> dict[str, str]:
        layer = {"PostingLayer": self._options.layer} if self._options.layer else {}
        return {"Description": journal.key, **layer}

    def _header_steps(self, journal: Journal, standing: StandingJournal) -> Iterator[Step]:
        found = {"Description": standing.description, "PostingLayer": standing.layer}
        changed = {name: value for name, value in self._header(journal).items() if value != found[name]}
        if changed:
            sentence = f"set {', '.join(changed)} of journal {standing.number} of {journal.key}"
            yield self._step(sentence, "PATCH", self._path(standing), changed, standing.etag)

    def _line_steps(self, journal: Journal, standing: StandingJournal) -> Iterator[Step]:
        wanted = {Decimal(line.number): line for line in journal.lines}
        kept = {line.number: line for line in standing.lines if line.number in wanted}
        for line in standing.lines:
            if line.number not in wanted:
                yield self._line_removal(journal, standing, line)
        voucher = next((line.values[VOUCHER] for line in kept.values() if line.values[VOUCHER]), "")
        for number, line in kept.items():
            yield from self._mend(journal, standing, line, self._values(journal, wanted[number], voucher))
        missing = [line for number, line in wanted.items() if number not in kept]
        for wanted_line in missing if kept else missing[:1]:
            yield self._addition(journal, standing, wanted_line, voucher)

    def _addition(self, journal: Journal, standing: StandingJournal, line: JournalLine, voucher: str) -> Step:
        place = {
            "dataAreaId": self._company.ledger.company,
            "JournalBatchNumber": standing.number,
            "LineNumber": line.number,
        }
        sentence = f"add line {line.number} of {journal.key} to journal {standing.number}"
        return self._step(sentence, "POST", JOURNAL_LINES.name, place | self._values(journal, line, voucher))

    def _mend(
        self, journal: Journal, standing: StandingJournal, line: StandingLine, values: Mapping[str, Any]
    ) -> Iterator[Step]:
        """Yield the step that makes a standing line what it is to be; a journal's name may have given it an offset."""
        found = {**line.values, ACCOUNT: self._rewritten(journal, line)}
        wanted = {**values, "OffsetAccountDisplayValue": ""}
        changed = {name: value for name, value in wanted.items() if value != found[name]}
        if changed:
            sentence = f"set {', '.join(changed)} of line {line.number:f} of {journal.key} in journal {standing.number}"
            yield self._step(sentence, "PATCH", self._path(standing, line), changed, line.etag)

    def _rewritten(self, journal: Journal, line: StandingLine) -> str:
        """Return the account of a line as it is written here, so that one text is one account."""
        account, dimensions = self._accounts.read(line.values[ACCOUNT], _codes(journal))
        return self._accounts.write(account, dict(dimensions))

    def _removal(self, journal: Journal, standing: StandingJournal) -> list[Step]:
        """Return the steps that remove a journal; its header can go when its lines are gone."""
        lines = [self._line_removal(journal, standing, line) for line in standing.lines]
        sentence = f"remove journal {standing.number} of {journal.key}"
        return [*lines, self._step(sentence, "DELETE", self._path(standing), match="*")]

    def _line_removal(self, journal: Journal, standing: StandingJournal, line: StandingLine) -> Step:
        sentence = f"remove line {line.number:f} of {journal.key} from journal {standing.number}"
        return self._step(sentence, "DELETE", self._path(standing, line), match=line.etag)

    def _values(self, journal: Journal, line: JournalLine, voucher: str) -> dict[str, Any]:
        """Return what a line is to hold; one without a description says its journal's."""
        values = {
            "AccountType": LEDGER,
            ACCOUNT: self._accounts.write(line.account, line.dimension),
            "DebitAmount": max(line.amount, Decimal(0)),
            "CreditAmount": max(-line.amount, Decimal(0)),
            "CurrencyCode": self._company.ledger.currency,
            "TransDate": journal.posting_date,
            "Text": text_of(journal, line),
            "Document": journal.key,
        }
        return values | ({VOUCHER: voucher} if voucher else {})

    def _read(self, journal: Journal, line: StandingLine) -> JournalLine:
        """Return a standing line as the line of a journal that it is."""
        account, dimensions = self._accounts.read(line.values[ACCOUNT], _codes(journal))
        return JournalLine(
            number=int(line.number),
            account=account,
            dimensions=dimensions,
            amount=line.amount,
            description=line.values["Text"],
        )

    def _path(self, standing: StandingJournal, line: StandingLine | None = None) -> str:
        """Return the address of a journal, or of one of its lines: all fields of its key."""
        key = f"dataAreaId={literal(self._company.ledger.company)},JournalBatchNumber={literal(standing.number)}"
        if line is None:
            return f"{JOURNALS.name}({key})"
        return f"{JOURNAL_LINES.name}({key},LineNumber={line.number:f})"

    def _step(
        self, sentence: str, method: str, path: str, body: Mapping[str, Any] | None = None, match: str = ""
    ) -> Step:
        wire = None if body is None else {name: _on_the_wire(value) for name, value in body.items()}
        return Step(sentence, partial(self._api.change, method, path, wire, match=match))


def original(standing: Sequence[StandingJournal]) -> StandingJournal | None:
    """Return which of the journals under one key is ours: the first that has lines, or the first; None of none.

    Numbers are given out in blocks, so that a header that came about late may have a smaller one.
    """
    return next((one for one in standing if one.lines), standing[0] if standing else None)


def _check_no_copy(journal: Journal, copies: Sequence[StandingJournal]) -> None:
    """See that nothing would be taken for the journal once it is removed.

    :raises DataError: when a person's copy would.
    """
    if copies:
        raise DataError(
            f"Journal {copies[0].number} says, too, that it is document {journal.key}, which is to be removed.",
            hint="A person copied it: give the copy another description and other document numbers, or delete it.",
        )


def text_of(journal: Journal, line: JournalLine) -> str:
    """Return the text of a line: its own description, or its journal's."""
    return line.description.strip() or journal.description.strip()


def _codes(journal: Journal) -> list[str]:
    """Return the dimensions of a journal as the flow writes them."""
    return sorted({code for line in journal.lines for code, _ in line.dimensions})


def _on_the_wire(value: Any) -> Any:
    return noon(value) if isinstance(value, date) else value
