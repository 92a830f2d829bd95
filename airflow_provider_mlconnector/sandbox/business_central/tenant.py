# SPDX-License-Identifier: Apache-2.0
"""One tenant of Business Central: its companies, its registered application, and the switches of a rehearsal."""

from __future__ import annotations

import re
import threading
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError
from airflow_provider_mlconnector.sandbox.entra.directory import Application, Directory, directory_of
from airflow_provider_mlconnector.sandbox.state import World

SYSTEM = "business_central"
ENVIRONMENT = "Production"
CLIENT_ID = "0d4be4f0-6f52-4a2f-8d6e-0b1c9a3e5d77"
SCOPE = "https://api.businesscentral.dynamics.com/.default"

MOST_REQUESTS = 6000
WINDOW_SECONDS = 300.0
_NAMESPACE = uuid.UUID("6a2f0c1e-93a5-4c61-a6c8-0e9b8c0f1d2a")


class CompanyState(StrEnum):
    """How a company answers."""

    OPEN = "open"
    GONE = "gone"
    """Deleted or renamed: not listed, and not found."""
    FORBIDDEN = "forbidden"
    """Listed, but the application's permission sets do not reach it."""


@dataclass(slots=True)
class Switches:
    """What a rehearsal may change about the server.

    :param app_enabled: whether the application is enabled in the company's list of Entra applications.
    :param secret_expired: whether Entra takes the client secret for expired.
    :param reports_finance: whether the first-party finance API answers at all.
    :param query_links: whether API queries link to a next page; else their answers just end after one page.
    :param replica_lag: seconds that journal lines are behind for who asks a replica (``Data-Access-Intent: ReadOnly``).
    :param isolation: whether a batch of requests with ``Isolation: snapshot`` takes effect as a whole or not at all.
    :param page_size: rows of a page when the client names none.
    :param most_page_size: a larger one that the client asks for is refused with 413.
    :param dropped_fields: properties that an update removed, from every entity set.
    :param added_fields: properties that it added, to every entity set.
    :param text_fields: properties that hold text since.
    """

    company: CompanyState = CompanyState.OPEN
    app_enabled: bool = True
    secret_expired: bool = False
    reports_finance: bool = True
    query_links: bool = True
    replica_lag: float = 0.0
    isolation: bool = True
    page_size: int = 20_000
    most_page_size: int = 20_000
    dropped_fields: tuple[str, ...] = ()
    added_fields: tuple[str, ...] = ()
    text_fields: tuple[str, ...] = ()


@dataclass
class Tenant:
    """The tenant's state. Used by the server's one event loop; switches may be set from other threads."""

    world: World
    switches: Switches = field(default_factory=Switches)
    companies: dict[str, Books] = field(init=False)
    directory: Directory = field(init=False)
    application: Application = field(init=False)
    _requests: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.companies = {company_id(code): books for code, books in self.world.companies.items()}
        self.directory = directory_of(self.world)
        ours = Application(SYSTEM, CLIENT_ID, re.escape(SCOPE), secret_expired=lambda: self.switches.secret_expired)
        self.application = self.directory.register(ours)

    def check_token(self, authorization: str) -> None:
        """Check a bearer header.

        :raises WireError: 401 when the token is missing, unknown or expired, or the application is not enabled.
        """
        token = self.directory.holder(authorization)
        if token is None or token.client_id != CLIENT_ID or not self.switches.app_enabled:
            raise WireError(
                401,
                "Authentication_InvalidCredentials",
                "The server has rejected the client credentials.",
                {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'},
            )

    def check_rate(self, user: str) -> None:
        """Count a request of a user.

        :raises WireError: 429, without a word on when to come back, beyond 6,000 in five minutes.
        """
        now = self.world.clock.timestamp()
        recent = self._requests[user]
        while recent and recent[0] <= now - WINDOW_SECONDS:
            recent.popleft()
        recent.append(now)
        if len(recent) > MOST_REQUESTS:
            message = f"Too many requests reached. Actual ({len(recent)}). Maximum ({MOST_REQUESTS})."
            raise WireError(429, "Application_TooManyRequests", message)

    def listed_companies(self) -> dict[str, Books]:
        """Return the companies that a client sees."""
        if self.switches.company is not CompanyState.GONE:
            return self.companies
        return {id_: books for id_, books in self.companies.items() if books is not self.world.books}

    def company(self, name_or_id: str) -> tuple[str, Books]:
        """Return a company's id and books.

        :raises WireError: 404 when there is none, 403 when the application has no permission there.
        """
        for id_, books in self.listed_companies().items():
            if name_or_id.lower() in (id_, books.name.lower()):
                if books is self.world.books and self.switches.company is CompanyState.FORBIDDEN:
                    raise WireError(
                        403, "Authorization_RequestDenied", f"You do not have access to the company '{books.name}'."
                    )
                return id_, books
        raise WireError(404, "Internal_CompanyNotFound", f"The company '{name_or_id}' does not exist.")


def tenant_of(world: World) -> Tenant:
    """Return the one tenant of a world."""
    return world.state(SYSTEM, lambda: Tenant(world))


def record_id(kind: str, *codes: str) -> str:
    """Return the system id of a record that is not a ledger entry: the same in every company, as after a copy."""
    return str(uuid.uuid5(_NAMESPACE, "/".join((kind, *codes))))


def company_id(code: str) -> str:
    """Return a company's id."""
    return record_id("company", code)
