# SPDX-License-Identifier: Apache-2.0
"""One SYSPRO site: its companies, operators and seats, and the switches of a rehearsal."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.state import World

SYSTEM = "syspro"
OPERATOR = "MLCONN"
COMPANIES = {"L": "LARKFIELD", "M": "MEADOW", "T": "TUI"}
"""SYSPRO's company id and the code of the books that it shows."""

SHARED_LEDGER = {"L": ("L", "M"), "M": ("L", "M"), "T": ("T",)}
"""By company, those whose general ledgers lie in the same database: their rows are told apart by ``Company``."""

IDLE_SECONDS = 1800.0
"""A session that nobody used for so long gives up its seat when another needs one."""


class TimeStamps(StrEnum):
    """What the service shows of the row versions that every table has."""

    HIDDEN = "hidden"
    SHOWN = "shown"
    FILTERABLE = "filterable"


@dataclass(slots=True)
class Switches:
    """What a rehearsal may change about the site.

    :param page_size: rows that one request gets at most, whatever it asks for.
    :param counts: whether the service answers ``$count``.
    :param next_links: whether a page that is not the last links to the next one.
    :param padded: whether codes come padded with blanks to the width of their columns.
    :param unfilterable: properties that cannot be filtered, in every table.
    :param dropped_fields: properties that an upgrade removed, from every table.
    :param history_from: the oldest year of which the ledger still keeps balances.
    :param in_flight: journals that a transaction has not committed yet: nobody sees them.
    :param seats: sessions of the e.net service that the licence allows at once.
    :param setup_heeds: whether setup objects heed ValidateOnly.
    :param sessions: whether the OData service takes an e.net session, too.
    """

    page_size: int = 5000
    time_stamps: TimeStamps = TimeStamps.FILTERABLE
    counts: bool = False
    next_links: bool = False
    padded: bool = True
    unfilterable: tuple[str, ...] = ()
    dropped_fields: tuple[str, ...] = ()
    history_from: int = 0
    in_flight: tuple[int, ...] = ()
    seats: int = 3
    sessions: bool = True
    setup_heeds: bool = True


@dataclass(frozen=True)
class OdataError(Exception):
    """An error answer of the OData service."""

    status: int
    message: str

    def body(self) -> dict[str, object]:
        """Return the answer's body."""
        return {"error": {"code": "", "message": self.message}}


@dataclass
class Site:
    """The site's state. Used by the server's one event loop; switches may be set from other threads.

    :param operators: password by operator who may use OData, as the security setup says.
    :param sessions: when each e.net session was last used, in virtual seconds.
    :param entered: the company that each session was opened for.
    :param post_calls: how often a transaction was asked for that is more than a check; ``validations`` are the checks.
    :param setup_changes: the same of setup objects; ``setup_checks`` are the checks.
    """

    world: World
    switches: Switches = field(default_factory=Switches)
    operators: dict[str, str] = field(default_factory=lambda: {OPERATOR: secrets.token_urlsafe(12)})
    company_password: str = field(default_factory=lambda: secrets.token_urlsafe(8))
    sessions: dict[str, float] = field(default_factory=dict)
    entered: dict[str, str] = field(default_factory=dict)
    post_calls: int = 0
    validations: int = 0
    setup_changes: int = 0
    setup_checks: int = 0
    _known: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start the OData service again: only now does it see who may use it."""
        self._known = dict(self.operators)

    def lets_in(self, operator: str, password: str) -> bool:
        """Say whether the OData service knows an operator by this password."""
        return operator in self._known and secrets.compare_digest(self._known[operator].encode(), password.encode())

    def books(self, company: str) -> Books:
        """Return a company's books.

        :raises OdataError: 404 when there is none.
        """
        if company not in COMPANIES:
            raise OdataError(404, f"Resource not found for the segment 'SysproCompany{company}'.")
        return self.world.companies[COMPANIES[company]]

    def ledgers(self, company: str) -> list[tuple[str, Books]]:
        """Return the companies whose general ledgers lie in a company's database."""
        self.books(company)
        return [(one, self.books(one)) for one in SHARED_LEDGER[company]]

    def log_on(self, company: str) -> str | None:
        """Return a new session of 34 digits and two blanks for a company; None when there is no free seat."""
        now = self.world.clock.timestamp()
        idle = [one for one, used in self.sessions.items() if now - used > IDLE_SECONDS]
        if len(self.sessions) >= self.switches.seats and idle:
            del self.sessions[min(idle, key=lambda one: self.sessions[one])]
        if len(self.sessions) >= self.switches.seats:
            return None
        session = f"{secrets.token_hex(17).upper()}  "
        self.sessions[session] = now
        self.entered[session] = company
        return session

    def uses(self, session: str) -> bool:
        """Say whether a session is known, letter by letter, and note that it is used."""
        if session not in self.sessions:
            return False
        self.sessions[session] = self.world.clock.timestamp()
        return True


def site_of(world: World) -> Site:
    """Return the one site of a world."""
    return world.state(SYSTEM, lambda: Site(world))
