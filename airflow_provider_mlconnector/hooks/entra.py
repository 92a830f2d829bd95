# SPDX-License-Identifier: Apache-2.0
"""How a connection's application proves itself to Microsoft Entra ID."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.hooks.fields import Fields

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.http.entra import Credential


class Auth(StrEnum):
    """How the application proves itself to Entra."""

    SECRET = "secret"  # noqa: S105 - the word of a choice
    CERTIFICATE = "certificate"


def credential_of(fields: Fields) -> Credential:
    """Return how the application proves itself."""
    from airflow_provider_mlconnector.systems.http.entra import ClientCertificate, ClientSecret

    client_id = fields.needed("login", "client id")
    if fields.choice("auth", Auth, Auth.SECRET) is Auth.SECRET:
        return ClientSecret(client_id, fields.needed("password", "client secret"))
    return ClientCertificate(
        client_id,
        private_key=fields.pem("private_key", "private key"),
        certificate=fields.pem("certificate", "certificate"),
        passphrase=fields.secret,
    )
