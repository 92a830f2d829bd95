# SPDX-License-Identifier: Apache-2.0
"""One environment: its registered application, its companies, and the switches of a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal import Journal, Posted
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import Numbers, area
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import WireError
from airflow_provider_mlconnector.sandbox.entra.directory import TENANT_ID, Application, Directory, directory_of
from airflow_provider_mlconnector.sandbox.state import World

SYSTEM = "dynamics_fo"
CLIENT_ID = "3b7c1a52-8d0e-4f6b-9a17-2c5e4d6f8a90"
_SCOPE = r"(https://[\w-]+\.operations\.dynamics\.com|https?://127\.0\.0\.1:\d+/dynamics_fo)/\.default"
_NO_RESOURCE = (500011, "invalid_resource", "The resource principal named {scope} was not found in the tenant.")


@dataclass(slots=True)
class Switches:
    """What a rehearsal may change about the server.

    :param app_listed: whether the application stands under Microsoft Entra ID applications.
    :param secret_expired: whether Entra takes the client secret for expired.
    :param page_size: most rows of a page.
    :param skip_token: whether links to the next page carry a token; else they carry ``$skip``.
    :param relative_links: whether they are relative.
    :param reads_journals: whether the application's user may read the posted journals.
    :param journal_sets: whether the stock sets of posted journals are public.
    :param json_dimensions: whether lines carry their dimensions as JSON, too.
    :param json_quotes: whether that is written with double quotes, as JSON is, or with single ones.
    :param delimiter: between the segments of a display value, by the name of its enum member.
    :param dimension_format: name and segments of the active format of ledger dimensions; "" when none is active.
    :param posting_service: ``Group/Service/Operation`` of the customer's own service that posts journals; "" for none.
    :param write_seconds: real seconds for which a request that changes a journal holds it.
    :param default_company: company of the application's user.
    :param dropped_fields: properties that an update removed from every set; ``added_fields`` it added.
    :param text_fields: properties that hold text since.
    """

    app_listed: bool = True
    secret_expired: bool = False
    page_size: int = 10_000
    skip_token: bool = False
    relative_links: bool = False
    reads_journals: bool = True
    journal_sets: bool = True
    json_dimensions: bool = True
    json_quotes: str = '"'
    delimiter: str = "Hyphen"
    dimension_format: tuple[str, ...] = ("MainAccount", "Department", "Project")
    posting_service: str = ""
    write_seconds: float = 0.0
    default_company: str = "mead"
    dropped_fields: tuple[str, ...] = ()
    added_fields: tuple[str, ...] = ()
    text_fields: tuple[str, ...] = ()


@dataclass
class Environment:
    """The environment's state. Used by the server's one event loop; switches may be set from other threads."""

    world: World
    switches: Switches = field(default_factory=Switches)
    held: set[object] = field(default_factory=set)
    """Journals that requests are writing to now."""
    numbers: Numbers = field(init=False)
    directory: Directory = field(init=False)
    application: Application = field(init=False)
    _journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = Numbers(self.world)
        self.directory = directory_of(self.world)
        ours = Application(SYSTEM, CLIENT_ID, _SCOPE, _NO_RESOURCE, lambda: self.switches.secret_expired)
        self.application = self.directory.register(ours)
        self._journal = Journal(tuple(self.world.companies.values()), self.numbers)

    def companies(self) -> tuple[Books, ...]:
        """Return the books of all companies."""
        return tuple(self.world.companies.values())

    def posted(self) -> Posted:
        """Return the posted journals as they stand now."""
        return self._journal.posted()

    def default_company(self) -> Books:
        """Return the books of the company that the application's user works in."""
        return next(books for books in self.companies() if area(books) == self.switches.default_company)

    def check_token(self, authorization: str, root: str) -> None:
        """Check a bearer header; ``root`` is the environment's address as it was asked for.

        :raises WireError: 401 when the token is missing, unknown, expired or for another environment, or the
            application is not listed.
        """
        token = self.directory.holder(authorization)
        ours = token is not None and token.client_id == CLIENT_ID and token.audience == root
        if not ours or not self.switches.app_listed:
            where = f"https://login.microsoftonline.com/{TENANT_ID}"
            raise WireError(401, headers={"WWW-Authenticate": f'Bearer authorization_uri="{where}"'})


def environment_of(world: World) -> Environment:
    """Return the one environment of a world."""
    return world.state(SYSTEM, lambda: Environment(world))
