# SPDX-License-Identifier: Apache-2.0
"""What writes drafts into the sandbox's ledgers, opened as their hooks do; and the people who set up, and who post."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.draft_options import read_options as acumatica_options
from airflow_provider_mlconnector.systems.acumatica.drafts import AcumaticaDrafts
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.drafts import BusinessCentralDrafts
from airflow_provider_mlconnector.systems.business_central.journals import BatchName
from airflow_provider_mlconnector.systems.drafting import Drafting
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import JournalOptions
from airflow_provider_mlconnector.systems.dynamics_fo.drafts import FinanceOperationsDrafts
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import read_options as gp_options
from airflow_provider_mlconnector.systems.dynamics_gp.drafts import DynamicsGpDrafts
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.draft_options import read_options as syspro_options
from airflow_provider_mlconnector.systems.syspro.hand_over import LocalShelf
from airflow_provider_mlconnector.systems.syspro.opening import open_drafts, open_wire
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.ledgers import (
    business_central_connection,
    finance_operations_connection,
    gp_connection,
    syspro_connection,
)
from tests.unit.systems.acumatica.opening import connect

POST = {"post": "yes"}
"""The option that lets SYSPRO post, where it otherwise hands a file to a person."""

READ_TIMEOUT = 20.0
"""Seconds; a request is over a little later, which is as long as a lost one is waited for."""


@dataclass(frozen=True, slots=True)
class Office:
    """Where drafts of one company go.

    :param company: as the flow names it; ``books`` as the sandbox's books do.
    :param name: of the batch, journal name or ledger.
    :param folder: where SYSPRO's journals are handed over.
    """

    control: SandboxControl
    system: System
    company: str
    books: str
    name: str
    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)

    def open(self, clock: Clock) -> Drafting:
        """Open what writes drafts, as a new process does."""
        return _OPENERS[self.system](self, Transport(clock=clock, read_timeout=READ_TIMEOUT), clock)

    def set_up(self) -> None:
        """Let a person make the batch that the ledger has to have before."""
        if self.system is System.BUSINESS_CENTRAL:
            self._call("PUT", f"/journals/{self.name}", {})
        elif self.system is System.DYNAMICS_FO:
            self._call("PUT", f"/journal-names/{self.name}", {})

    @property
    def post_calls(self) -> int:
        """How often something was posted over the API."""
        return int(self._call("GET", "/journals")["post_calls"])

    def post_by_hand(self) -> None:
        """Let a person post all drafts, or type in the files."""
        if self.system is System.BUSINESS_CENTRAL:
            self._call("POST", f"/journals/{self.name}/post")
        elif self.system is System.SYSPRO:
            for file in sorted(self.folder.glob("*.xml")):
                body = {"document": file.read_bytes().decode("cp1252")}
                self.control.call("POST", "/syspro/journals/post", body, company=self.company)
        else:
            told = self._call("GET", "/journals")
            drafts = next(drafts for name, drafts in told.items() if name != "post_calls")
            for draft in drafts:
                self._call("POST", f"/journals/{draft['number']}/post")

    def _call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        return dict(self.control.call(method, f"/{self.system}{path}", body, company=self.books) or {})


def _business_central(office: Office, transport: Transport, clock: Clock) -> Drafting:
    connection = business_central_connection(office.control, company=office.company)
    api = BusinessCentralApi(connection, transport, replica=False)
    return BusinessCentralDrafts(api, BatchName(office.name, ""))


def _finance_operations(office: Office, transport: Transport, clock: Clock) -> Drafting:
    api = FinanceOperationsApi(finance_operations_connection(office.control, office.company), transport)
    return FinanceOperationsDrafts(api, office.name, JournalOptions.read(office.options))


def _acumatica(office: Office, transport: Transport, clock: Clock) -> Drafting:
    connection = connect(office.control, office.company, ledger=office.name)
    return AcumaticaDrafts(AcumaticaApi(connection, transport), acumatica_options(office.options))


def _gp(office: Office, transport: Transport, clock: Clock) -> Drafting:
    api = GpApi(gp_connection(office.control, office.company), transport)
    return DynamicsGpDrafts(api, office.name, gp_options(office.options))


def _syspro(office: Office, transport: Transport, clock: Clock) -> Drafting:
    connection = syspro_connection(office.control, office.company)
    posts = "post" in office.options
    options = syspro_options({**office.options, **({} if posts else {"folder": str(office.folder)})})
    api, wire = SysproApi(connection, transport), open_wire(connection, transport)
    return open_drafts(api, wire, options, shelf=None if posts else LocalShelf(office.folder), clock=clock)


_OPENERS: dict[System, Callable[[Office, Transport, Clock], Drafting]] = {
    System.BUSINESS_CENTRAL: _business_central,
    System.DYNAMICS_FO: _finance_operations,
    System.ACUMATICA: _acumatica,
    System.DYNAMICS_GP: _gp,
    System.SYSPRO: _syspro,
}
