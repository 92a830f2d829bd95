# SPDX-License-Identifier: Apache-2.0
"""Posted journals that carry the key of one of ours, as the OData service shows them, and the GL codes there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.periods import parse_key
from airflow_provider_mlconnector.systems.drafting import Draft, DraftState
from airflow_provider_mlconnector.systems.http.json_rows import fields_of
from airflow_provider_mlconnector.systems.http.keyset import literal
from airflow_provider_mlconnector.systems.syspro.accounts import STATISTICAL
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.draft_options import Coding
from airflow_provider_mlconnector.systems.syspro.tables import JOURNALS, MASTERS
from airflow_provider_mlconnector.systems.syspro.values import period_key

REFERENCE = "Reference"
CODES_PER_REQUEST = 40

_CODES = replace(MASTERS, fields=fields_of("Company:t GlCode:t! AccountType:t! AccOnHldFlag:t"))
"""``AccOnHldFlag`` is read where the service shows it; nothing public says that every site does."""


def posted_journal(api: SysproApi, coding: Coding, journal: Journal) -> Draft | None:
    """Return what was posted under a journal's key; None when nothing was.

    A person may post it to another period, so that the years beside its own are looked at, too. It is complete when all
    of it lies in the journal's own period.

    :raises CapabilityError: when the service does not filter entries by their reference.
    """
    year, _ = parse_key(journal.period)
    conditions = {
        "GlYear": f"GlYear ge {year - 1} and GlYear le {year + 1}",
        REFERENCE: f"{REFERENCE} eq {literal(journal.key)}",
    }
    rows = [row for batch in api.rows(JOURNALS, [], conditions) for row in batch.to_pylist()]
    if not rows:
        return None
    periods = {period_key(row["GlYear"], row["GlPeriod"]) for row in rows}
    numbers = sorted({f"{row['GlYear']}/{row['GlPeriod']}/{row['Journal']}" for row in rows})
    lines = tuple(_as_lines(coding, journal, rows))
    return Draft(DraftState.POSTED, lines, ", ".join(numbers), complete=periods == {journal.period})


def _as_lines(coding: Coding, journal: Journal, rows: list[dict[str, Any]]) -> list[JournalLine]:
    """Return entries as lines: as the journal's own where code and amount agree.

    A code may name segments that its line left to the flow.
    """
    own: defaultdict[tuple[str, Any], list[JournalLine]] = defaultdict(list)
    for line in journal.lines:
        own[coding.code(line), line.amount].append(line)
    lines = []
    for row in rows:
        same = own[row["GlCode"], row["EntryValue"]]
        if same:
            lines.append(same.pop(0))
            continue
        account, dimensions = coding.split(row["GlCode"])
        lines.append(JournalLine(number=0, account=account, dimensions=dimensions, amount=row["EntryValue"]))
    return sorted(lines, key=lambda line: line.number)


@dataclass(frozen=True, slots=True)
class PostingCode:
    """A GL code as far as posting goes."""

    statistical: bool
    on_hold: bool

    @property
    def refusal(self) -> str:
        """Why nothing is to be posted to it; "" when something may."""
        if self.statistical:
            return "the GL code is statistical: it keeps no money"
        return "the GL code is on hold" if self.on_hold else ""


def posting_codes(api: SysproApi, codes: Collection[str]) -> dict[str, PostingCode]:
    """Return those of the GL codes that there are, without those that SYSPRO keeps for itself."""
    wanted = sorted(set(codes) - api.connection.pseudo_codes)
    found: dict[str, PostingCode] = {}
    for at in range(0, len(wanted), CODES_PER_REQUEST):
        named = " or ".join(f"GlCode eq {literal(code)}" for code in wanted[at : at + CODES_PER_REQUEST])
        for batch in api.rows(_CODES, [], {"GlCode": f"({named})"}):
            for row in batch.to_pylist():
                hold = row.get("AccOnHldFlag") in ("Y", "1")
                found[row["GlCode"]] = PostingCode(row["AccountType"] == STATISTICAL, hold)
    return found
