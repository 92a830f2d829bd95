# SPDX-License-Identifier: Apache-2.0
"""A plan's journals as lines of one journal batch, which waits for a person to post it.

What this module guarantees: nothing is posted; the request that posts a batch posts all of it, so it is not known here.
A line is known by its document number, which is the journal's key, and by its external document number, the key with
the line's number behind it. Each new line gets the line number after the batch's last one, so that the same line sent
twice is refused by the server: as long as nobody else adds lines to the batch, the second of two equal requests fails,
however late the first one comes, and with it all that was sent in the same request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.changesets import steps_of
from airflow_provider_mlconnector.systems.business_central.draft_checks import batch_problem, find_problems
from airflow_provider_mlconnector.systems.business_central.journals import (
    GL_ACCOUNT,
    Batch,
    BatchName,
    StandingLine,
    find_batch,
    last_number,
    line_reference,
    lines_path,
    posted_document,
    standing_lines,
)
from airflow_provider_mlconnector.systems.business_central.resources import DIMENSION_LINES, JOURNAL_LINES
from airflow_provider_mlconnector.systems.business_central.writing import ANY_VERSION, Change
from airflow_provider_mlconnector.systems.drafting import ONLY_DRAFTS, Draft, DraftState, Problem, Step

NUMBER_STEP = 10_000
"""Between the numbers of two lines, as the server itself leaves room for lines that a person puts between them."""

OPERATION_SECONDS = 480.0
"""After which the service gives up a request that it works on, whoever still waits (operational limits, online)."""
SLACK = 15.0
"""Seconds more after which a request counts as over: clocks and queues are not exact."""


class BusinessCentralDrafts:
    """Writes drafts into one journal batch of one company. Not shared between threads.

    :param api: reads from the database itself, for a replica may not have seen yet what was written a moment ago.
    :param name: of the batch. Nobody else should write into it, and it should have neither a balancing account nor a
        number series.
    """

    effect = ONLY_DRAFTS

    def __init__(self, api: BusinessCentralApi, name: BatchName) -> None:
        self._api = api
        self._name = name
        self.settle = max(sum(api.session.transport.timeout), OPERATION_SECONDS) + SLACK

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        """Check journals against batch, accounts, dimensions, rules and dates; report all there is."""
        return find_problems(self._api, self._name, journals)

    def find(self, journal: Journal) -> Draft:
        """Look for the document among posted entries and among the batch's lines."""
        posted = self._posted(journal)
        if posted is not None:
            return posted
        _, standing = self._standing(journal)
        if not standing:
            return Draft(DraftState.MISSING)
        kept, surplus = sort_out(journal, standing)
        as_wanted = not surplus and not any((*self._corrections(journal, kept), *self._dimensions(journal, kept)))
        numbers = {line.id: number for number, line in kept.items()}
        lines = [line.as_journal_line(numbers.get(line.id, 0)) for line in standing]
        ordered = tuple(sorted(lines, key=lambda line: line.number))
        return Draft(DraftState.DRAFT, ordered, journal.key, complete=as_wanted)

    def steps(self, journal: Journal) -> list[Step]:
        """Look at the batch and return what is still to be done; none for a document that was posted.

        Lines come first, and their dimensions once all lines stand: a new line has its account's default dimensions.

        :raises ConfigurationError: when lines are missing and the batch is gone, or was given a balancing account.
        """
        if self._posted(journal) is not None:
            return []
        batch, standing = self._standing(journal)
        kept, surplus = sort_out(journal, standing)
        key, session = journal.key, self._api.session
        removals = steps_of(session, self._removals(journal, surplus), "remove", f"of {key} from batch {self._name}")
        corrections = steps_of(session, self._corrections(journal, kept), "set values of", f"of {key}")
        missing = [line for line in journal.lines if line.number not in kept]
        additions = steps_of(
            session, self._additions(journal, missing, batch), "add", f"of {key} to batch {self._name}"
        )
        steps = [*removals, *corrections, *additions]
        return steps or steps_of(session, self._dimensions(journal, kept), "set dimensions of", f"of {key}")

    def close(self) -> None:
        """Release connections; there is no session to log off from."""
        self._api.session.close()

    def _posted(self, journal: Journal) -> Draft | None:
        posted = posted_document(self._api, journal.key, journal.posting_date if journal.lines else None)
        if posted is None:
            return None
        return Draft(DraftState.POSTED, posted.lines, posted.number, complete=posted.complete)

    def _standing(self, journal: Journal) -> tuple[Batch | None, list[StandingLine]]:
        """Return the batch as it is now, and what it holds of the document."""
        batch = find_batch(self._api, self._name)
        return batch, standing_lines(self._api, batch, journal.key) if batch else []

    def _removals(self, journal: Journal, surplus: Sequence[StandingLine]) -> Iterator[Change]:
        for line in surplus:
            sentence = f"remove line {line.number} ({line.reference}) of {journal.key} from batch {self._name}"
            yield Change(line.number, sentence, "DELETE", self._path(line), match=line.etag)

    def _corrections(self, journal: Journal, kept: Mapping[int, StandingLine]) -> Iterator[Change]:
        """Yield the changes that give standing lines their values, apart from dimensions."""
        for line in journal.lines:
            if line.number not in kept:
                continue
            found = kept[line.number]
            now = _standing_values(found)
            changed = {name: value for name, value in _values(journal, line).items() if value != now[name]}
            if changed:
                sentence = f"set {', '.join(changed)} of line {line.number} of {journal.key}"
                yield Change(line.number, sentence, "PATCH", self._path(found), changed, found.etag)

    def _additions(self, journal: Journal, missing: Sequence[JournalLine], batch: Batch | None) -> Iterator[Change]:
        """Yield the changes that add lines, numbered on from the batch's last one."""
        if not missing:
            return
        problem = batch_problem(self._name, batch)
        if batch is None or problem:
            raise ConfigurationError(f"Journal batch {self._name}: {problem}.")
        last, path = last_number(self._api, batch), lines_path(self._api, batch)
        for place, line in enumerate(missing, start=1):
            sentence = f"add line {line.number} of {journal.key} to batch {self._name}"
            body = {"lineNumber": last + place * NUMBER_STEP, "accountNumber": line.account, **_values(journal, line)}
            yield Change(line.number, sentence, "POST", path, body)

    def _dimensions(self, journal: Journal, kept: Mapping[int, StandingLine]) -> Iterator[Change]:
        """Yield the changes that give standing lines their dimensions."""
        for line in journal.lines:
            if line.number in kept:
                found = kept[line.number]
                path = f"{self._path(found)}/{DIMENSION_LINES.name}"
                yield from _dimension_changes(journal.key, path, line, found.dimensions or {})

    def _path(self, line: StandingLine) -> str:
        return f"{self._api.path(JOURNAL_LINES)}({line.id})"


def sort_out(journal: Journal, standing: Sequence[StandingLine]) -> tuple[dict[int, StandingLine], list[StandingLine]]:
    """Return, by line number of the journal, the standing lines that can stay, and those that have to go.

    To go have lines that the journal has not, the second of two equal ones, and those that no request can make right:
    a new account would bring its own name and dimensions, and a balancing account cannot be taken away.
    """
    wanted = {line_reference(journal.key, line.number): line for line in journal.lines}
    kept: dict[int, StandingLine] = {}
    surplus = []
    for found in standing:
        line = wanted.get(found.reference)
        stays = (
            line is not None
            and line.number not in kept
            and (found.account_type, found.account) == (GL_ACCOUNT, line.account)
            and not found.balancing_account
            and found.dimensions is not None
        )
        if line is not None and stays:
            kept[line.number] = found
        else:
            surplus.append(found)
    return kept, surplus


def _dimension_changes(
    key: str, path: str, line: JournalLine, found: Mapping[str, tuple[str, str]]
) -> Iterator[Change]:
    """Yield the changes of one line's dimensions.

    :param path: of the line's dimensions.
    :param found: by code: the dimension's id and the value's code.
    """
    what = f"line {line.number} of {key}"
    for code, value in line.dimensions:
        known, now = found.get(code, ("", ""))
        body = {"valueCode": value}
        if not known:
            yield Change(line.number, f"give {what} {code} {value}", "POST", path, {"code": code, **body})
        elif now != value:
            sentence = f"set {code} of {what} to {value}"
            yield Change(line.number, sentence, "PATCH", f"{path}({known})", body, ANY_VERSION)
    for code in sorted(found.keys() - line.dimension.keys()):
        sentence = f"take {code} from {what}"
        yield Change(line.number, sentence, "DELETE", f"{path}({found[code][0]})", match=ANY_VERSION)


def _values(journal: Journal, line: JournalLine) -> dict[str, Any]:
    """Return what a line is to hold besides account and dimensions; without a description, its account's name stays."""
    text = line.description.strip()
    values: dict[str, Any] = {
        "postingDate": journal.posting_date,
        "documentNumber": journal.key,
        "externalDocumentNumber": line_reference(journal.key, line.number),
        "amount": line.amount,
    }
    return values | ({"description": text} if text else {})


def _standing_values(line: StandingLine) -> dict[str, Any]:
    return {
        "postingDate": line.posting_date,
        "documentNumber": line.document,
        "externalDocumentNumber": line.reference,
        "amount": line.amount,
        "description": line.description.strip(),
    }
