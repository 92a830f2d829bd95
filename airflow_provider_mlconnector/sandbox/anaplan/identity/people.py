# SPDX-License-Identifier: Apache-2.0
"""The tenant's users."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.anaplan.ids import Seeded


class Role(StrEnum):
    """What a user may do: everything, run what the model offers, or nothing in the model at all."""

    ADMIN = "admin"
    STANDARD = "standard"
    NO_ACCESS = "no_access"


@dataclass(frozen=True, slots=True)
class User:
    """One user; ``id`` and ``customer_id`` are 32 lowercase hex digits."""

    id: str
    email: str
    first_name: str
    last_name: str
    password: str
    role: Role
    customer_id: str


@dataclass(frozen=True, slots=True)
class People:
    """All users. The integration user is a workspace and tenant admin."""

    integration: User
    planner: User
    outsider: User

    @property
    def all(self) -> tuple[User, ...]:
        """Return all users."""
        return (self.integration, self.planner, self.outsider)

    def by_email(self, email: str) -> User | None:
        """Return the user of an address."""
        return next((user for user in self.all if user.email == email), None)

    def by_id(self, user_id: str) -> User | None:
        """Return the user of an id."""
        return next((user for user in self.all if user.id == user_id), None)

    def check(self, email: str, password: str) -> User | None:
        """Return the user whom email and password name, or None."""
        user = self.by_email(email)
        known = user.password if user else ""
        return user if hmac.compare_digest(known.encode(), password.encode()) and user else None


def make_people(seeded: Seeded) -> People:
    """Return the users of Larkfield."""
    customer = seeded.lower("customer")

    def user(first: str, last: str, role: Role) -> User:
        name = f"{first}-{last}".lower()
        secret = seeded.lower(f"password/{name}")[:16]
        return User(seeded.lower(name), f"{name}@larkfield.example", first, last, secret, role, customer)

    return People(
        integration=user("Close", "Robot", Role.ADMIN),
        planner=user("Paula", "Planner", Role.STANDARD),
        outsider=user("Olaf", "Outsider", Role.NO_ACCESS),
    )
