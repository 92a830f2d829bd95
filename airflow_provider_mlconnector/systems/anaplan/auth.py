# SPDX-License-Identifier: Apache-2.0
"""The three ways to log in to Anaplan, each of which makes a token from what the store remembers.

Secrets stay in here: they are in no representation, and the key under which a token is stored does not give them away.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from airflow_provider_mlconnector.errors import AuthenticationError, BadRequestError, ConfigurationError
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.ports import Token

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

RANDOM_BYTES = 150  # Anaplan asks for 100 at least
LOGIN_HINT = "Run: airflow mlconnector login"
CERTIFICATE_HINT = (
    "The certificate has to be registered in Anaplan, this machine's clock right to some minutes, and the connection's "
    "certificate_version (now {version}) one that the tenant takes: v2, or v1 at some."
)


class CertVersion(StrEnum):
    """What a certificate login signs: random bytes (v1), or the time and random bytes (v2, mandatory since June 2026).

    The time is in seconds as in Anaplan's own sample; one peer sends milliseconds, hence the third.
    """

    V1 = "v1"
    V2 = "v2"
    V2_MILLISECONDS = "v2-ms"


class Login(Protocol):
    """A way to come by a token."""

    def identity(self, hosts: Hosts) -> str:
        """Return text that tells this login from others; it may hold no secret in the clear."""

    def fresh(self, service: LoginService, last: Token | None, refresh_token: str | None) -> tuple[Token, str | None]:
        """Make a token, and the refresh token to remember if there is a new one."""


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A user of Anaplan itself; one that logs in by SSO has to be an Exception User."""

    user: str
    password: str = field(repr=False)

    def identity(self, hosts: Hosts) -> str:
        """Return user and a check of the password."""
        return f"basic|{self.user}|{_check(self.password, hosts.auth + self.user)}"

    def fresh(self, service: LoginService, last: Token | None, refresh_token: str | None) -> tuple[Token, str | None]:
        """Prolong the last token while it lives, else log in."""
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return _prolonged(service, last) or service.authenticate(f"Basic {credentials}"), None


@dataclass(frozen=True, slots=True)
class CertificateLogin:
    """A certificate of a public authority that the tenant's administrator has registered.

    :param certificate_pem: the certificate; ``private_key_pem`` may be encrypted with ``passphrase``.
    """

    certificate_pem: str
    private_key_pem: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)
    version: CertVersion = CertVersion.V2

    def identity(self, hosts: Hosts) -> str:
        """Return the certificate's digest: it is public."""
        return f"certificate|{hashlib.sha256(self.certificate_pem.encode()).hexdigest()}"

    def fresh(self, service: LoginService, last: Token | None, refresh_token: str | None) -> tuple[Token, str | None]:
        """Prolong the last token while it lives, else log in with a payload made for this very request."""
        prolonged = _prolonged(service, last)
        if prolonged:
            return prolonged, None
        certificate = base64.b64encode(self.certificate_pem.encode()).decode()
        try:
            token = service.authenticate(
                f"CACertificate {certificate}", lambda: self.payload(service.clock.now().timestamp())
            )
        except AuthenticationError as refused:
            refused.hint = CERTIFICATE_HINT.format(version=self.version)
            raise
        return token, None

    def payload(self, now: float) -> Mapping[str, str]:
        """Return the signed body of a login: RSA with PKCS #1 v1.5 and SHA-512 over the bytes themselves.

        :param now: epoch seconds.
        :raises ConfigurationError: when the key cannot be read or does not belong to the certificate.
        """
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        data = os.urandom(RANDOM_BYTES)
        if self.version is not CertVersion.V1:
            stamp = int(now * 1000) if self.version is CertVersion.V2_MILLISECONDS else int(now)
            data = stamp.to_bytes(8, "big") + data
        signature = self._key().sign(data, padding.PKCS1v15(), hashes.SHA512())
        body = {
            "encodedData": base64.b64encode(data).decode(),
            "encodedSignedData": base64.b64encode(signature).decode(),
        }
        return body if self.version is CertVersion.V1 else {**body, "encodedDataFormat": "v2"}

    def _key(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from cryptography.x509 import load_pem_x509_certificate

        passphrase = self.passphrase.encode() if self.passphrase else None
        try:
            key = load_pem_private_key(self.private_key_pem.encode(), passphrase)
            certificate = load_pem_x509_certificate(self.certificate_pem.encode())
        except (ValueError, TypeError) as exc:
            message = "The Anaplan certificate or its private key cannot be read."
            raise ConfigurationError(message, hint="Both must be PEM; check the passphrase.") from exc
        if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.public_key():
            raise ConfigurationError("The private key does not belong to the Anaplan certificate, or is no RSA key.")
        return key


@dataclass(frozen=True, slots=True)
class OAuthLogin:
    """A client of the tenant's OAuth, by a refresh token that a person obtained once and the store keeps.

    :param client_secret: of a client for the authorization-code grant; the device grant has none.
    :param rotatable: each refresh brings a new refresh token and kills the old one, as the client is registered.
    :param account: tells two people's consents for one client apart.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    rotatable: bool = False
    account: str = ""

    def identity(self, hosts: Hosts) -> str:
        """Return the client's id, and whose consent it is."""
        return f"oauth|{hosts.oauth}|{self.client_id}|{self.account}"

    def fresh(self, service: LoginService, last: Token | None, refresh_token: str | None) -> tuple[Token, str | None]:
        """Turn the refresh token into an access token. A rotating one is never sent twice: it may be dead already."""
        if not refresh_token:
            raise AuthenticationError("Nobody has logged in for this Anaplan OAuth client yet.", hint=LOGIN_HINT)
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": refresh_token}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        grant = service.oauth_token(form, repeatable=not self.rotatable)
        rotated = grant.refresh_token if grant.refresh_token != refresh_token else None
        return grant.token, rotated


def fingerprint(hosts: Hosts, login: Login) -> str:
    """Return the key under which a login's token is stored: a digest, the same in every process."""
    return hashlib.sha256(f"{hosts.api}|{hosts.auth}|{login.identity(hosts)}".encode()).hexdigest()


def _prolonged(service: LoginService, last: Token | None) -> Token | None:
    """Refresh a token that still lives; None when there is none or Anaplan does not want it any more."""
    if last is None or last.expires_at <= service.clock.now():
        return None
    try:
        return service.refresh(last)
    except (AuthenticationError, BadRequestError):
        return None


def _check(secret: str, salt: str) -> str:
    """Return 16 bits of a slow hash: a changed password makes another key, and the key is no way to guess it."""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=1 << 14, r=8, p=1, dklen=2).hex()
