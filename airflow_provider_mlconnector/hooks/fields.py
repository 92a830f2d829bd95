# SPDX-License-Identifier: Apache-2.0
"""The fields of an Airflow connection, each read by its name and checked, never passed on as a whole.

People who may edit connections are trusted less than people who may write DAGs: a connection holds names, choices and
secrets. Files, proxies and switches of TLS are configuration; a host of its own must be listed there.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.settings import SECTION, origin

if TYPE_CHECKING:
    from airflow.sdk import Connection

Choice = TypeVar("Choice", bound=StrEnum)

_MASK = "***"
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fields:
    """What a connection says; ``extra`` is its JSON object."""

    conn_id: str
    conn_type: str = ""
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, conn_id: str) -> Self:
        """Fetch a connection, on a worker or in a command."""
        from airflow.sdk import BaseHook

        conn = BaseHook.get_connection(conn_id)
        return cls._of(conn, conn.extra_dejson)

    @classmethod
    async def aread(cls, conn_id: str) -> Self:
        """Fetch a connection in a trigger, where a synchronous look would stall the event loop."""
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        conn = await get_async_connection(conn_id)
        return cls._of(conn, await get_async_extra_dejson(conn))

    @classmethod
    def _of(cls, conn: Connection, extra: Mapping[str, Any]) -> Self:
        return cls(
            conn_id=conn.conn_id,
            conn_type=conn.conn_type or "",
            host=(conn.host or "").strip(),
            port=conn.port,
            schema=(conn.schema or "").strip(),
            login=(conn.login or "").strip(),
            password=conn.password or "",
            extra=extra,
        )

    def text(self, name: str, default: str = "") -> str:
        """Return a field of the form as text, without blanks around it."""
        value = self.extra.get(name)
        return self._unmasked(name, str(value).strip()) if value not in (None, "") else default

    def needed(self, name: str, label: str) -> str:
        """Return a field that must not be empty: ``login``, ``password`` or one of the form.

        :raises ConfigurationError: when it is.
        """
        value = {"login": self.login, "password": self.secret}.get(name) or self.text(name)
        if not value:
            raise self.error(f"has no {label}.", hint="Fill it in under Admin, Connections.")
        return value

    @property
    def secret(self) -> str:
        """Return the password."""
        return self._unmasked("password", self.password)

    def choice(self, name: str, choices: type[Choice], default: Choice) -> Choice:
        """Return a field that allows a few words only."""
        value = self.text(name, default.value)
        try:
            return choices(value)
        except ValueError:
            allowed = ", ".join(choices)
            raise self.error(f"has '{value}' as {name}.", hint=f"Allowed: {allowed}.") from None

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a switch; a word such as ``false`` counts as one too, as a connection URI can say no other."""
        value = self.extra.get(name)
        if value is None or value == "":
            return default
        return value if isinstance(value, bool) else str(value).strip().lower() in {"1", "true", "yes", "on"}

    def pem(self, name: str, label: str) -> str:
        """Return a certificate or key as PEM text, with the line ends that a one-line form field takes away."""
        text = self.needed(name, label).replace("\\n", "\n")
        blocks = [(match[1], "".join(match[2].split())) for match in _PEM.finditer(text)]
        if not blocks:
            raise self.error(f"has no PEM text as {label}.", hint="Paste it whole, from -----BEGIN to END-----.")
        return "".join(
            f"-----BEGIN {kind}-----\n" + "\n".join(textwrap.wrap(body, 64)) + f"\n-----END {kind}-----\n"
            for kind, body in blocks
        )

    def origin(self, allowed: Collection[str]) -> str:
        """Return the connection's own host as an origin such as ``https://host:8443``.

        :raises ConfigurationError: when it is missing or not among the allowed ones.
        """
        if not self.host:
            raise self.error("has no host.", hint="Enter its address, such as https://host:8443.")
        own = origin(self.host)
        if self.port and self.host.rpartition(":")[2] != str(self.port):
            own = origin(f"{own}:{self.port}")
        if own not in allowed:
            raise self.error(
                f"names the host {own}, which is not allowed.",
                hint=f"Have an administrator add {own} to [{SECTION}] allowed_hosts.",
            )
        return own

    def error(self, what: str, *, hint: str) -> ConfigurationError:
        """Make the error that says what is wrong with this connection."""
        return ConfigurationError(f"Connection '{self.conn_id}' {what}", hint=hint)

    def _unmasked(self, name: str, value: str) -> str:
        if value == _MASK:
            raise self.error(
                f"holds {_MASK} as {name}: the form stored its mask in place of the secret.",
                hint="Enter the secret again and save.",
            )
        return value
