# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the books of a legal entity in Finance & Operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.hooks.entra import credential_of
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.ledger import NO_OPTIONS, LedgerHook, PeriodOf
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings, origin

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.dynamics_fo.connection import (
        DisplayFormat,
        FinanceOperationsConnection,
        PublishedSet,
    )
    from airflow_provider_mlconnector.systems.port import Erp

VENDOR_DOMAINS = (".dynamics.com", ".dynamics.us", ".dynamics.cn")
VENDOR_LOGINS = frozenset(
    {
        "https://login.microsoftonline.com",
        "https://login.microsoftonline.us",
        "https://login.partner.microsoftonline.cn",
    }
)


class FinanceOperationsHook(LedgerHook):
    """Opens legal entities of one Finance & Operations environment.

    :param dynamics_fo_conn_id: a connection of type dynamics_fo.
    """

    conn_name_attr = "dynamics_fo_conn_id"
    default_conn_name = "dynamics_fo_default"
    conn_type = "dynamics_fo"
    hook_name = "Dynamics 365 Finance & Operations"

    def __init__(self, dynamics_fo_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dynamics_fo_conn_id = dynamics_fo_conn_id

    def get_erp(self, company: str = "", period_of: PeriodOf | None = None) -> Erp:
        """Return the books of a legal entity, the connection's own unless another is named; the caller closes them.

        :raises ConfigurationError: when the connection lacks something.
        """
        from airflow_provider_mlconnector.systems.dynamics_fo.erp import FinanceOperations

        return FinanceOperations(connection_of(self.fields, company), period_of, deployed_transport())

    def get_drafting(self, name: str, company: str = "", options: Mapping[str, str] = NO_OPTIONS) -> Drafting:
        """Return what writes drafts as general journals of a legal entity; the caller closes it.

        :param name: the journal name that they are made under.
        :param options: those of ``systems/dynamics_fo/draft_options``.
        :raises ConfigurationError: when the connection lacks something, or an option cannot be read.
        """
        from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
        from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import JournalOptions
        from airflow_provider_mlconnector.systems.dynamics_fo.drafts import FinanceOperationsDrafts

        chosen = JournalOptions.read(options)
        api = FinanceOperationsApi(connection_of(self.fields, company), deployed_transport())
        return FinanceOperationsDrafts(api, name, chosen)


def connection_of(fields: Fields, company: str = "") -> FinanceOperationsConnection:
    """Return where the legal entity is and how to log in.

    :raises ConfigurationError: when a part is missing or cannot be read, or a host is neither the vendor's nor allowed.
    """
    from airflow_provider_mlconnector.systems.dynamics_fo.connection import (
        STOCK_HEADERS,
        STOCK_LINES,
        DimensionSource,
        FinanceOperationsConnection,
    )
    from airflow_provider_mlconnector.systems.http.entra import LOGIN_URL

    return FinanceOperationsConnection(
        environment_url=_environment_url(fields),
        tenant=fields.needed("tenant", "Entra tenant"),
        company=company or fields.needed("company", "legal entity"),
        credential=credential_of(fields),
        authority_url=_authority_url(fields, LOGIN_URL),
        headers=_published(fields, "headers", STOCK_HEADERS.name),
        lines=_published(fields, "lines", STOCK_LINES.name),
        dimensions=fields.choice("dimensions", DimensionSource, DimensionSource.AUTO),
        display_format=_display_format(fields),
    )


def _environment_url(fields: Fields) -> str:
    """Return the environment's address with its path; the vendor's own hosts need no permission."""
    if not fields.host:
        raise fields.error("has no host.", hint="Enter the environment's URL, as a browser shows it.")
    own = origin(fields.host)
    if own.startswith("https://") and (urlsplit(own).hostname or "").endswith(VENDOR_DOMAINS):
        return own
    path = urlsplit(fields.host).path.rstrip("/") if "://" in fields.host else ""
    return fields.origin(load_settings().allowed_hosts) + path


def _authority_url(fields: Fields, default: str) -> str:
    given = fields.text("authority", default).rstrip("/")
    if origin(given) not in VENDOR_LOGINS | load_settings().allowed_hosts:
        raise fields.error(
            f"names the login address {origin(given)}, which is not allowed.",
            hint="Leave it empty, or have an administrator add it to [mlconnector] allowed_hosts.",
        )
    return given


def _published(fields: Fields, role: str, stock: str) -> PublishedSet:
    from airflow_provider_mlconnector.systems.dynamics_fo.connection import PublishedSet

    prefix = f"{role}."
    renamed = {
        name.removeprefix(prefix): str(own) for name, own in _field_map(fields).items() if name.startswith(prefix)
    }
    return PublishedSet(fields.text(f"{role}_set", stock), renamed)


def _field_map(fields: Fields) -> dict[str, Any]:
    text = fields.text("field_map")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise fields.error("has a field map that is no JSON object.", hint='Write it like {"lines.Text": "OwnText"}.')
    return found


def _display_format(fields: Fields) -> DisplayFormat | None:
    from airflow_provider_mlconnector.systems.dynamics_fo.connection import DisplayFormat

    segments = tuple(name.strip() for name in fields.text("display_format").split(",") if name.strip())
    return DisplayFormat(segments, fields.text("delimiter", "-")) if segments else None
