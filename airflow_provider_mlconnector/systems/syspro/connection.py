# SPDX-License-Identifier: Apache-2.0
"""Where a company's books are, how to log in, and how its GL codes are made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from urllib.parse import quote

from airflow_provider_mlconnector.errors import ConfigurationError

LARGEST_PAGE = 5000
"""Rows that the service gives at most per request."""


class Auth(StrEnum):
    """How the OData service is asked: as an operator by Basic, or by a session of the e.net service."""

    BASIC = "basic"
    SESSION = "session"


@dataclass(frozen=True)
class GlCode:
    """How GL codes are made of segments.

    :param structure: the names of the segments with the separator between them, such as ``ACCOUNT.DEPARTMENT``; the
        first is the account, the others are dimensions.
    :raises ConfigurationError: when it is written otherwise.
    """

    structure: str = "ACCOUNT.DEPARTMENT"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w+(?:(\W)\w+(?:\1\w+)*)?", self.structure):
            raise ConfigurationError(
                f"'{self.structure}' is no structure of GL codes.", hint="Write it like ACCOUNT.DEPARTMENT."
            )

    @cached_property
    def separator(self) -> str:
        """Return what stands between two segments; "" when there is one only."""
        found = re.search(r"\W", self.structure)
        return found[0] if found else ""

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Return the names of the segments behind the account."""
        return tuple(self.structure.split(self.separator)[1:]) if self.separator else ()

    def split(self, code: str) -> tuple[str, ...]:
        """Return account and dimension values of a code; a segment that it lacks is blank."""
        parts = code.split(self.separator, len(self.dimensions)) if self.separator else [code]
        return tuple(part.strip() for part in parts) + ("",) * (1 + len(self.dimensions) - len(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class SysproConnection:
    """One company.

    :param odata_url: root of the OData service.
    :param entity_url: path of a table below it: ``{table}``, and ``{company}`` where the company is part of the path.
    :param enet_url: root of the e.net REST service; needed for sessions.
    :param logon_path: path of its logon, such as ``Logon`` or ``Utilities/Logon``; the logoff lies beside it.
    :param pseudo_codes: GL codes that SYSPRO keeps for itself.
    """

    odata_url: str
    company: str
    operator: str
    password: str = field(repr=False)
    entity_url: str = "{table}"
    auth: Auth = Auth.BASIC
    enet_url: str = ""
    logon_path: str = "Logon"
    company_password: str = field(default="", repr=False)
    gl_code: GlCode = GlCode()
    page_size: int = LARGEST_PAGE
    pseudo_codes: frozenset[str] = frozenset({"FORCED", "RETAINED"})

    def path(self, table: str) -> str:
        """Return the path of a table below the root; a plus in its name is no blank."""
        return self.entity_url.format(company=quote(self.company, safe=""), table=quote(table, safe="$"))
