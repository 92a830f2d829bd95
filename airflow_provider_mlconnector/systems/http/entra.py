# SPDX-License-Identifier: Apache-2.0
"""Logging in to Microsoft Entra ID as an application (client credentials), by msal.

A token is made once per process and login, and again shortly before it runs out or after a server refused it. msal does
the protocol; its requests go through a session of our own.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import AuthenticationError, ConfigurationError, MlconnectorError, ProtocolError
from airflow_provider_mlconnector.systems.http.msal_transport import MsalTransport, as_https, refused
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport

if TYPE_CHECKING:
    import requests
    from msal import ConfidentialClientApplication

LOGIN_URL = "https://login.microsoftonline.com"
EARLY = timedelta(minutes=5)
"""A token that lives no longer than this is not handed out any more (nor one in the last quarter of a shorter life)."""

HINTS = {
    "7000222": "The client secret has expired: make a new one in the Entra app registration and enter it here.",
    "7000215": "The client secret is wrong: enter the secret's value, not its id.",
    "700016": "The tenant does not know this client id: check both.",
    "90002": "There is no such tenant: check its id or domain.",
    "900023": "That is no tenant id or domain.",
    "700027": "The certificate is not among those of the Entra app registration, or it has expired.",
    "700024": "The signed assertion is outside its time: check this machine's clock.",
    "7000112": "The application is disabled in this tenant.",
    "500011": "The service is not set up in this tenant, or the tenant is the wrong one.",
    "65001": "An administrator of the tenant has to consent to the application's permissions.",
}


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """An application that proves itself by a secret."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """An application that proves itself by a certificate.

    :param private_key: PEM text; ``passphrase`` opens it where it is encrypted.
    :param certificate: PEM text of the public certificate, sent along so that a renewed one is known by its subject.
    :param thumbprint: SHA-1 in hex, for those who have no certificate at hand; needed where ``certificate`` is empty.
    """

    client_id: str
    private_key: str = field(repr=False)
    certificate: str = ""
    thumbprint: str = ""
    passphrase: str = field(default="", repr=False)


Credential = ClientSecret | ClientCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraConnection:
    """What every connection to a service says that Entra ID guards.

    :param tenant: id (GUID) or domain.
    :param credential: None leaves requests without credentials, for a server that asks for none.
    :param authority_url: that of the cloud, without the tenant.
    """

    tenant: str
    credential: Credential | None
    authority_url: str = LOGIN_URL


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    fresh_until: datetime


class TokenCache:
    """The tokens of one process. Keys are fingerprints of a login; whoever asks first logs in, the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._tokens: dict[str, _Token] = {}

    def turn(self, key: str) -> threading.Lock:
        """Return the lock to be held while looking at a token and logging in."""
        with self._lock:
            return self._turns[key]

    def get(self, key: str, now: datetime) -> str | None:
        """Return a token that is still fresh, or None."""
        token = self._tokens.get(key)
        return token.value if token and now < token.fresh_until else None

    def put(self, key: str, value: str, fresh_until: datetime) -> None:
        """Keep a token."""
        self._tokens[key] = _Token(value, fresh_until)

    def drop(self, key: str, value: str) -> None:
        """Forget a token, unless a newer one has taken its place."""
        with self._lock:
            token = self._tokens.get(key)
            if token and token.value == value:
                del self._tokens[key]


PROCESS_TOKENS = TokenCache()


class EntraTokens:
    """Hands out the Authorization header of one application for one service.

    :param scope: the service, such as ``https://api.businesscentral.dynamics.com/.default``.
    :raises ConfigurationError: for a plain http authority anywhere but on this machine.
    """

    def __init__(
        self,
        authority_url: str,
        tenant: str,
        credential: Credential,
        scope: str,
        transport: Transport = DIRECT,
        *,
        cache: TokenCache = PROCESS_TOKENS,
    ) -> None:
        self._authority = f"{require_tls(authority_url).rstrip('/')}/{tenant}"
        self._tenant = tenant
        self._credential = credential
        self._scope = scope
        self._clock = transport.clock
        self._cache = cache
        self._session = HttpSession(self._authority, transport.to_login(), classify=refused)
        self._app: ConfidentialClientApplication | None = None
        self._key = self._fingerprint()

    def headers(self) -> dict[str, str]:
        """Return the Authorization header, after a login if need be.

        :raises AuthenticationError: when Entra refuses the login, with its AADSTS code and what to do.
        """
        with self._cache.turn(self._key):
            value = self._cache.get(self._key, self._clock.now())
            return {"Authorization": f"Bearer {value or self._log_in()}"}

    def reject(self, refused: Mapping[str, str]) -> None:
        """Forget the token of a header that the service refused with 401."""
        self._cache.drop(self._key, refused.get("Authorization", "").removeprefix("Bearer "))

    def close(self) -> None:
        """Close the connection to the authority."""
        self._session.close()

    def _log_in(self) -> str:
        app = self._application()
        app.remove_tokens_for_client()  # msal keeps tokens too, by the machine's clock: ours decides
        now = self._clock.now()
        result: dict[str, Any] = app.acquire_token_for_client(scopes=[self._scope])
        if "access_token" not in result:
            raise self._denied(str(result.get("error_description") or result.get("error") or ""))
        lifetime = timedelta(seconds=int(result.get("expires_in", 0)))
        self._cache.put(self._key, result["access_token"], now + lifetime - min(EARLY, lifetime / 4))
        return str(result["access_token"])

    def _application(self) -> ConfidentialClientApplication:
        """Make msal's application at first use: its constructor asks the authority for its addresses."""
        if self._app is None:
            from msal import ConfidentialClientApplication
            from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

            credential = _msal_credential(self._credential)
            known = urlsplit(self._authority).hostname in WELL_KNOWN_AUTHORITY_HOSTS
            try:
                self._app = ConfidentialClientApplication(
                    self._credential.client_id,
                    client_credential=credential,
                    authority=as_https(self._authority),
                    instance_discovery=None if known else False,
                    http_client=MsalTransport(self._session),
                )
            except ValueError as exc:  # an authority without discovery, in msal's words; the answer is in the context
                raise self._denied(str(exc.__context__ or exc)) from None
            except KeyError:
                host = urlsplit(self._authority).hostname
                raise ProtocolError(
                    f"{host} does not tell its login addresses.", hint="Is the authority's address right?"
                ) from None
        return self._app

    def _denied(self, said: str) -> AuthenticationError:
        match = re.search(r"AADSTS(\d+)", said)
        sentence = re.split(r"Trace ID|[\r\n]", said[match.start() if match else 0 :])[0].strip()[:300]
        return AuthenticationError(
            f"Entra ID refuses application {self._credential.client_id} in tenant {self._tenant}: "
            f"{_without_secrets(sentence, self._credential) or 'no reason given'}",
            hint=HINTS.get(match[1] if match else "", "Check tenant, client id and credential of the connection."),
            remote_code=match[0] if match else "",
            path=urlsplit(self._authority).path,
        )

    def _fingerprint(self) -> str:
        parts = (self._authority, self._scope, *_secrets(self._credential), self._credential.client_id)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class EntraSession(HttpSession):
    """A session of an application that Entra ID gives its tokens, with one request on its way at a time.

    :param scope: the service that the tokens are for.
    """

    def __init__(
        self,
        base_url: str,
        login: EntraConnection,
        scope: str,
        transport: Transport,
        *,
        classify: Callable[[requests.Response], MlconnectorError | None],
    ) -> None:
        self._tokens = None
        if login.credential is not None:
            self._tokens = EntraTokens(login.authority_url, login.tenant, login.credential, scope, transport)
        super().__init__(
            require_tls(base_url),
            transport,
            authorize=self._tokens.headers if self._tokens else None,
            on_unauthorized=self._tokens.reject if self._tokens else None,
            classify=classify,
            one_at_a_time=True,
        )

    def close(self) -> None:
        """Close the kept connections, also that to the authority."""
        super().close()
        if self._tokens:
            self._tokens.close()


def require_tls(url: str) -> str:
    """Return a URL that credentials may be sent to: https, or plain http to this very machine.

    :raises ConfigurationError: for any other.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return url
    raise ConfigurationError(f"{parts.scheme}://{parts.hostname} is not an https address.", hint="Use https.")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _secrets(credential: Credential) -> tuple[str, ...]:
    if isinstance(credential, ClientSecret):
        return (credential.client_secret,)
    return credential.private_key, credential.passphrase


def _without_secrets(text: str, credential: Credential) -> str:
    for secret in filter(None, _secrets(credential)):
        text = text.replace(secret, "***")
    return text


def _msal_credential(credential: Credential) -> str | dict[str, str]:
    """Return the credential in msal's form; with a public certificate it signs by PS256 and sends that along.

    :raises ConfigurationError: for a key or certificate that cannot be read; msal would notice in the midst of a login.
    """
    if isinstance(credential, ClientSecret):
        return credential.client_secret
    _check_readable(credential)
    said = {
        "private_key": credential.private_key,
        "public_certificate": credential.certificate,
        "thumbprint": "" if credential.certificate else credential.thumbprint.replace(":", ""),
        "passphrase": credential.passphrase,
    }
    return {name: value for name, value in said.items() if value}


def _check_readable(credential: ClientCertificate) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        load_pem_private_key(credential.private_key.encode(), credential.passphrase.encode() or None)
        if credential.certificate:
            load_pem_x509_certificate(credential.certificate.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(
            f"The private key or certificate of application {credential.client_id} cannot be read.",
            hint="Give the key and the certificate as PEM text, and the passphrase if the key is encrypted.",
        ) from None
