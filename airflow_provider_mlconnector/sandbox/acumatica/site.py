# SPDX-License-Identifier: Apache-2.0
"""One Acumatica site: its tenants, the user who may log in, and the switches of a rehearsal."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.state import World

SYSTEM = "acumatica"
PREFIX = "/acumatica"
"""The site's virtual directory."""

USER = "close"
ENDPOINT = "Default"
BUILD = "25.201.0213"
VERSIONS = ("20.200.001", "22.200.001", "23.200.001", "24.200.001", "25.200.001")
VERSION = VERSIONS[-1]
NEXT_VERSION = "26.200.001"
"""The first version of Default with contract 5."""

ACTUAL_LEDGER, TAX_LEDGER, STATISTICAL_LEDGER, BUDGET_LEDGER = "ACTUAL", "TAX", "STAT", "BUDGET"
_NAMESPACE = uuid.UUID("2d1f6a3e-7c48-4a52-9f0a-6f0a5f6d9b11")
_CLIENT = "7E2B9C44-51D0-4F0B-8C3B-2D8C1D1E9A77"
_LOCKED_AFTER = 5


class Order(StrEnum):
    """In which order a list comes; none is promised."""

    LATEST_FIRST = "latest_first"
    """A record that is changed while somebody pages moves to the front, and all others move by one."""
    ANY = "any"
    """Another order with every request."""
    KEYS = "keys"


class Refusal(StrEnum):
    """How a refusal by the license looks."""

    JSON = "json"
    TEXT = "text"
    HTML = "html"


@dataclass(slots=True)
class Switches:
    """What a rehearsal may change about the server.

    :param seats: sessions that the license allows at once.
    :param idle_seconds: after which a session that nobody uses is closed.
    :param order: in which order lists come.
    :param refusal: how a refused login looks.
    :param versions: those of the endpoint Default that the release serves.
    :param unoptimized: fields that a list cannot be made with, as ``JournalTransaction.Description``.
    :param subaccounts: whether the feature is on; else its form answers 403.
    :param most_rows: that a list gives, however many are asked for; 0 is all of them.
    :param requests_per_minute: of the license; above half of them each request is held back. 0 is no limit.
    :param release_seconds: how long the release of a journal goes on, in virtual time; 0 is over before the answer.
    :param posts_on_release: whether released journals are posted at once, or wait for a person who posts them.
    :param finds_by_filter: whether a PUT looks for the record by its ``$filter``, too.
    """

    seats: int = 2
    idle_seconds: float = 600.0
    order: Order = Order.LATEST_FIRST
    refusal: Refusal = Refusal.JSON
    versions: tuple[str, ...] = VERSIONS
    unoptimized: tuple[str, ...] = ()
    subaccounts: bool = True
    most_rows: int = 0
    requests_per_minute: int = 0
    release_seconds: float = 2.0
    posts_on_release: bool = True
    finds_by_filter: bool = True


@dataclass(frozen=True, slots=True)
class Released:
    """What a posted batch keeps of the draft that it was; the books know its lines by their entry numbers."""

    id: str
    number: str
    description: str
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant with one company that has one branch; the books are its ledgers.

    :param released: the batches that were drafts, by the entry number of their first line.
    """

    name: str
    books: Books
    released: dict[int, Released] = field(default_factory=dict, compare=False)

    @property
    def branch(self) -> str:
        """Return the branch, as records name it."""
        return self.books.code

    @property
    def client_id(self) -> str:
        """Return the id of the connected application, which decides on the tenant."""
        return f"{_CLIENT}@{self.name}"


@dataclass
class Site:
    """The site's state. Used by the server's one event loop; switches may be set from other threads."""

    world: World
    switches: Switches = field(default_factory=Switches)
    password: str = field(default_factory=lambda: f"sbx-{secrets.token_urlsafe(12)}")
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    tenants: tuple[Tenant, ...] = field(init=False)
    failures: int = 0

    def __post_init__(self) -> None:
        companies = self.world.companies.values()
        self.tenants = tuple(Tenant(books.code.title(), books) for books in companies)

    def tenant(self, name: str) -> Tenant:
        """Return a tenant by its login name; the first one for none.

        :raises HttpError: 500 for an unknown one.
        """
        for tenant in self.tenants:
            if name.lower() in ("", tenant.name.lower()):
                return tenant
        raise HttpError(500, "A proper company ID cannot be determined for the request.", "PXUndefinedCompanyException")

    def check_password(self, name: str, password: str) -> bool:
        """Say whether a user may log in; after some failures nobody may.

        :raises HttpError: 500 for a locked user.
        """
        if self.failures >= _LOCKED_AFTER:
            raise HttpError(500, "Error: Your account has been locked out. Please try again later.")
        matches = (name, password) == (USER, self.password)
        self.failures = 0 if matches else self.failures + 1
        return matches


def site_of(world: World) -> Site:
    """Return the one site of a world."""
    return world.state(SYSTEM, lambda: Site(world))


def record_id(*keys: str) -> str:
    """Return the guid of a record that is no journal line."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(keys)))
