# SPDX-License-Identifier: Apache-2.0
"""One installation of Dynamics GP: its companies, the domain account that may enter, and a rehearsal's switches."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import Drafts
from airflow_provider_mlconnector.sandbox.dynamics_gp.journals import Journals
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import Fault
from airflow_provider_mlconnector.sandbox.state import World
from airflow_provider_mlconnector.sandbox.windows import Domain

SYSTEM = "dynamics_gp"
TENANT = "DefaultTenant"
ACCOUNT = "LARKFIELD\\svc-planning"
DATABASES = {"LARKFIELD": "LARK", "MEADOW": "MEADW", "TUI": "TUI"}
"""Name of each company's database, by the company's code."""


@dataclass(slots=True)
class Switches:
    """What a rehearsal may change about the server.

    :param sba: whether Service Based Architecture is installed at all.
    :param sba_resources: resources that it has, besides the list of companies.
    :param database_names: the company segment of its addresses is the database's name, not the display name.
    :param envelope: how its lists come: bare, payload, resource or status.
    :param permitted: whether the account has a role in the web services.
    :param reversing: whether the policy of creating journal entries makes entries that reverse them, too.
    """

    sba: bool = True
    sba_resources: tuple[str, ...] = ("Purchasing/Vendors", "Purchasing/PayablesTransactions")
    database_names: bool = False
    envelope: str = "payload"
    permitted: bool = True
    reversing: bool = False


@dataclass(frozen=True, slots=True)
class GpCompany:
    """A company as the system database lists it; ``id`` is what the web services know it by.

    :param drafts: what is saved and not posted.
    """

    id: int
    database: str
    books: Books
    journals: Journals
    drafts: Drafts


@dataclass
class Site:
    """The installation's state. Used by the server's one event loop; switches may be set from other threads.

    ``post_calls`` counts the calls of clients that would post something.
    """

    world: World
    switches: Switches = field(default_factory=Switches)
    password: str = field(default_factory=lambda: f"sbx-{secrets.token_urlsafe(12)}")
    domain: Domain = field(init=False)
    companies: tuple[GpCompany, ...] = field(init=False)
    logged: dict[str, Fault] = field(default_factory=dict)
    post_calls: int = 0

    def __post_init__(self) -> None:
        self.domain = Domain({ACCOUNT: self.password})
        self.companies = tuple(
            _company(number, code, books) for number, (code, books) in enumerate(self.world.companies.items(), start=1)
        )

    def company(self, number: int) -> GpCompany:
        """Return a company by its id.

        :raises Fault: when there is none.
        """
        for company in self.companies:
            if company.id == number:
                return company
        raise Fault("A validation exception has occurred.", errors=[f"Company {number} does not exist."])


def _company(number: int, code: str, books: Books) -> GpCompany:
    journals = Journals(books)
    return GpCompany(number, DATABASES[code], books, journals, Drafts(books, journals))


def site_of(world: World) -> Site:
    """Return the installation of a world."""
    return world.state(SYSTEM, lambda: Site(world))
