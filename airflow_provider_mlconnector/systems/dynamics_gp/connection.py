# SPDX-License-Identifier: Apache-2.0
"""Where a company's books are, and how to ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount

Query = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a statement that only reads on the company's database, and returns its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpConnection:
    """One company.

    :param company: its name as the web services list it, or its number there.
    :param account: None leaves requests without credentials, for a server that asks for none.
    :param soap_url: address of the legacy endpoint, ``…/DynamicsGPWebServices/DynamicsGPService.asmx``.
    :param sba_url: address of SBA, ``https://host/GPService``; empty where it is not installed.
    :param sba_company: how SBA's addresses spell the company; the company's name unless given.
    :param gl_resource: SBA resource of posted lines that a customer had written (``Product/Series/Resource``), with
        the columns of the table GL20000; ``gl_fields`` tells by column what it calls them.
    :param window: days that one list of transactions spans; the service knows no pages.
    :param ledger: reporting ledger that is read: Base, IFRS or Local.
    :param closing_source: source document of the entries that close a year.
    :param forward_source: source document of the balances that a closed year brings forward.
    """

    company: str
    account: WindowsAccount | None
    soap_url: str
    sba_url: str = ""
    tenant: str = "DefaultTenant"
    sba_company: str = ""
    gl_resource: str = ""
    gl_fields: tuple[tuple[str, str], ...] = ()
    window: timedelta = timedelta(days=7)
    ledger: str = "Base"
    closing_source: str = "P/L"
    forward_source: str = "BBF"
