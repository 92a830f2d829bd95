# SPDX-License-Identifier: Apache-2.0
"""What is checked and filled in when a general journal or a line of one is entered.

Names, accounts, dimensions and currencies are looked at here; balance, periods and suspensions at posting alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.books.company import AccountType
from airflow_provider_mlconnector.sandbox.dynamics_fo.display import DELIMITERS, MAIN_ACCOUNT, read
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import (
    DAILY,
    Approval,
    DraftHeader,
    DraftLine,
    GeneralJournals,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_bodies import HEADER, LINE
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import rules_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import write_failed

Values = Mapping[str, Any]

LEDGER = "Ledger"


class Entry:
    """Enters and changes the general journals of one company.

    Every method raises WireError 400 for what is refused, with nothing changed.
    """

    def __init__(self, environment: Environment, journals: GeneralJournals) -> None:
        self._environment = environment
        self._journals = journals
        self._rules = rules_of(environment.world, journals.books)

    def add_header(self, given: Values) -> DraftHeader:
        """Add a journal; the server gives its number, whatever the request says."""
        name = self._journals.names.get(given.get("JournalName", ""))
        if name is None or name.type != DAILY:
            raise write_failed(HEADER, _not_found(given.get("JournalName", ""), "Name", "Journal names"))
        header = self._journals.add_header(name)
        self._fill_header(header, given)
        return header

    def change_header(self, header: DraftHeader, given: Values) -> None:
        """Change what can be changed of a journal."""
        self._check_editable(header, HEADER)
        if given.get("JournalName", header.name.name) != header.name.name:
            raise write_failed(HEADER, "Field 'Name' cannot be edited")
        self._fill_header(header, given)
        header.version += 1

    def remove_header(self, header: DraftHeader) -> None:
        """Delete a journal that has no lines."""
        self._check_editable(header, HEADER)
        if self._journals.lines[header.number]:
            raise write_failed(HEADER, "The journal cannot be deleted while it has lines")
        self._journals.remove_header(header.number)

    def add_line(self, given: Values) -> DraftLine:
        """Add a line, filled in as the journal's name says."""
        header = self._journals.headers.get(given.get("JournalBatchNumber", ""))
        if header is None:
            number = given.get("JournalBatchNumber", "")
            raise write_failed(LINE, _not_found(number, "Journal batch number", "Ledger journal"))
        self._check_editable(header, LINE)
        lines = self._journals.lines[header.number]
        number = given.get("LineNumber") or max(lines, default=Decimal(0)) + 1
        if number in lines:
            raise write_failed(
                LINE,
                "Cannot create a record in Journal lines (LedgerJournalTrans). "
                f"Journal batch number: {header.number}, {number}. The record already exists",
            )
        blank = DraftLine(
            self._journals.next_record(),
            number,
            self._journals.books.clock.now().date(),
            self._journals.books.currency,
            offset={MAIN_ACCOUNT: header.name.offset_account} if header.name.offset_account else {},
        )
        line = self._filled(header, blank, given)
        if not line.voucher:
            line = replace(line, voucher=self._journals.voucher_for(header))
        lines[number] = line
        return line

    def change_line(self, header: DraftHeader, line: DraftLine, given: Values) -> None:
        """Change what a request names of a line."""
        self._check_editable(header, LINE)
        changed = self._filled(header, line, given)
        self._journals.lines[header.number][line.number] = replace(changed, version=line.version + 1)

    def remove_line(self, header: DraftHeader, line: DraftLine) -> None:
        """Delete a line."""
        self._check_editable(header, LINE)
        del self._journals.lines[header.number][line.number]

    def _fill_header(self, header: DraftHeader, given: Values) -> None:
        header.description = given.get("Description", header.description)
        header.layer = given.get("PostingLayer", header.layer)
        header.integration_key = given.get("IntegrationKey", header.integration_key)

    def _filled(self, header: DraftHeader, line: DraftLine, given: Values) -> DraftLine:
        fields: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "Voucher": ("voucher", str),
            "TransDate": ("day", lambda day: day),
            "AccountDisplayValue": ("segments", self._segments),
            "OffsetAccountDisplayValue": ("offset", self._segments),
            "DebitAmount": ("debit", Decimal),
            "CreditAmount": ("credit", Decimal),
            "CurrencyCode": ("currency", self._currency),
            "Text": ("text", str),
            "Document": ("document", str),
        }
        if given.get("AccountType", LEDGER) != LEDGER or given.get("OffsetAccountType", LEDGER) != LEDGER:
            raise write_failed(LINE, "Only ledger accounts are set up in this company")
        if header.name.fixed_offset and "OffsetAccountDisplayValue" in given:
            raise write_failed(LINE, "Field 'Offset account' cannot be edited")
        values = {fields[name][0]: fields[name][1](value) for name, value in given.items() if name in fields}
        filled = replace(line, **values)
        if filled.debit and filled.credit:
            raise write_failed(LINE, "Debit and credit may not both be entered on a line")
        return filled

    def _segments(self, text: str) -> dict[str, str]:
        """Read a ledger account, and see that it may be entered."""
        if not text:
            return {}
        switches = self._environment.switches
        if not switches.dimension_format:
            raise write_failed(LINE, "No active format for data entities of type Ledger dimension format was found")
        segments = read(text, switches.dimension_format, DELIMITERS[switches.delimiter])
        main = segments.get(MAIN_ACCOUNT, "")
        accounts = {one.number: one for one in self._journals.books.accounts if not one.statistical}
        account = accounts.get(main)
        if account is None or account.type is not AccountType.POSTING:
            raise write_failed(LINE, _not_found(main, "MainAccount", "Main accounts"))
        if not account.direct_posting:
            raise write_failed(LINE, f"Main account {main} does not allow manual entry")
        values = {name: value for name, value in segments.items() if name != MAIN_ACCOUNT}
        refusal = self._rules.refusal_at_entry(values, main)
        if refusal:
            raise write_failed(LINE, refusal)
        return segments

    def _currency(self, code: str) -> str:
        if code not in self._journals.books.currencies.all:
            raise write_failed(LINE, _not_found(code, "Currency", "Currencies"))
        return code

    @staticmethod
    def _check_editable(header: DraftHeader, entity: str) -> None:
        if header.posted:
            raise write_failed(entity, f"Journal {header.number} is posted and cannot be changed")
        if header.approval is not Approval.NONE:
            raise write_failed(entity, f"Journal {header.number} is in a workflow and cannot be changed until recalled")


def _not_found(value: object, field: str, table: str) -> str:
    return f"The value '{value}' in field '{field}' is not found in the related table '{table}'"
