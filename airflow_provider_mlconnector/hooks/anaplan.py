# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to Anaplan: which hosts, which login, and one token for the whole deployment."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import BaseHook

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.trail import TrailHook, open_cipher, open_trail
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.anaplan.auth import Login
    from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
    from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
    from airflow_provider_mlconnector.trail.store import Trail

_CUSTOM = "custom"
_LONGEST_SENTENCE = 2000


class Auth(StrEnum):
    """How a connection logs in."""

    BASIC = "basic"
    CERTIFICATE = "certificate"
    OAUTH = "oauth"


class AnaplanHook(BaseHook):
    """Makes Anaplan clients that share the deployment's token and its budget of requests.

    :param anaplan_conn_id: a connection of type anaplan.
    """

    conn_name_attr = "anaplan_conn_id"
    default_conn_name = "anaplan_default"
    conn_type = "anaplan"
    hook_name = "Anaplan"
    clock: Clock = SYSTEM_CLOCK

    def __init__(self, anaplan_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.anaplan_conn_id = anaplan_conn_id

    @classmethod
    async def prepare(cls, anaplan_conn_id: str) -> Self:
        """Make a hook in a trigger: all that needs Airflow's supervisor is fetched here, without blocking."""
        hook = cls(anaplan_conn_id)
        hook.fields = await Fields.aread(anaplan_conn_id)
        hook.trail_url = await TrailHook().aget_url()
        return hook

    @cached_property
    def fields(self) -> Fields:
        """Return what the connection says."""
        return Fields.read(self.anaplan_conn_id)

    @cached_property
    def trail_url(self) -> str:
        """Return where the trail is."""
        return TrailHook().get_url()

    @property
    def trail(self) -> Trail:
        """Return the trail, which keeps the shared token and the budget."""
        return open_trail(self.trail_url)

    def get_client(self) -> AnaplanClient:
        """Return a new client; the caller closes it.

        :raises ConfigurationError: when the connection lacks something.
        :raises VaultError: when there is no key to encrypt the shared token with.
        """
        from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
        from airflow_provider_mlconnector.systems.anaplan.ports import Token
        from airflow_provider_mlconnector.trail.budgets import Budgets
        from airflow_provider_mlconnector.trail.vault import Vault

        settings = load_settings()
        engine = self.trail.engine
        return AnaplanClient(
            hosts_of(self.fields),
            login_of(self.fields),
            deployed_transport(self.clock),
            tokens=Vault(engine, open_cipher(settings), Token, self.clock),
            budget=Budgets(engine, self.clock, per_minute=settings.requests_per_minute, reserve=settings.reserve),
        )

    def get_conn(self) -> AnaplanClient:
        """Return a new client."""
        return self.get_client()

    def get_model(self, workspace: str, model: str) -> AnaplanModel:
        """Return a model by names or ids, on a client that lives as long as the model.

        :raises UnknownNameError: when there is none, or more than one, of that name.
        """
        client = self.get_client()
        return client.model(client.resolve_model(workspace, model))

    def test_connection(self) -> tuple[bool, str]:
        """Log in and say in one sentence whether that works and what this user sees."""
        try:
            client = self.get_client()
            try:
                health = client.ping()
            finally:
                client.close()
        except MlconnectorError as error:
            return False, str(error)[:_LONGEST_SENTENCE]
        return health.ok, health.sentence[:_LONGEST_SENTENCE]


def hosts_of(fields: Fields) -> Hosts:
    """Return the hosts of the connection's region; region custom means the connection's own host for all three.

    :raises ConfigurationError: when the own host is not among the allowed ones.
    """
    from airflow_provider_mlconnector.systems.anaplan.hosts import Region, custom_hosts, hosts_for

    if fields.text("region") == _CUSTOM:
        own = fields.origin(load_settings().allowed_hosts)
        return custom_hosts(f"{own}/2/0", own, own)
    return hosts_for(fields.choice("region", Region, Region.US1))


def login_of(fields: Fields) -> Login:
    """Return the connection's login.

    :raises ConfigurationError: when it lacks a part.
    """
    from airflow_provider_mlconnector.systems.anaplan.auth import (
        BasicLogin,
        CertificateLogin,
        CertVersion,
        OAuthLogin,
    )

    auth = fields.choice("auth", Auth, Auth.BASIC)
    if auth is Auth.BASIC:
        return BasicLogin(fields.needed("login", "user"), fields.needed("password", "password"))
    if auth is Auth.CERTIFICATE:
        return CertificateLogin(
            fields.pem("certificate", "certificate"),
            fields.pem("private_key", "private key"),
            fields.secret or None,
            version=fields.choice("certificate_version", CertVersion, CertVersion.V2),
        )
    return OAuthLogin(
        fields.needed("login", "client id"), fields.secret or None, rotatable=fields.flag("rotatable", default=True)
    )
