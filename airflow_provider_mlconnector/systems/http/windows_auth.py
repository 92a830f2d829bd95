# SPDX-License-Identifier: Apache-2.0
"""Integrated Windows authentication (Negotiate with Kerberos or NTLM, and plain NTLM) for sessions of ``requests``.

What is logged in is a connection, not a request: a session that uses this must keep one connection and serve one
thread, or the legs of two handshakes mix. A refused last leg is final: each further try would count as a failed logon,
and after a few of them a domain locks the account.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from airflow_provider_mlconnector.errors import AuthenticationError, ConfigurationError, MlconnectorError

if TYPE_CHECKING:
    import spnego
    from spnego.channel_bindings import GssChannelBindings

MOST_LEGS = 4
"""Messages that a handshake may take: two for NTLM, one or two for Kerberos, one more where a mechanism is refused."""


class Scheme(StrEnum):
    r"""What is answered to a server's challenge.

    ``AUTO`` takes Negotiate where it is offered, else NTLM; for ``DOMAIN\user`` the other way round, since Kerberos
    does not know names of that form and looks for their realm in vain.
    """

    AUTO = "auto"
    NEGOTIATE = "negotiate"
    NTLM = "ntlm"


class Secret(StrEnum):
    """What proves the account: its password, or a Kerberos keytab or ticket cache on this machine."""

    PASSWORD = "password"  # noqa: S105 - the word of a choice
    KEYTAB = "keytab"
    TICKETS = "tickets"


@dataclass(frozen=True, slots=True)
class WindowsAccount:
    r"""A domain account.

    :param user: ``DOMAIN\user``, or ``user@domain`` as Kerberos wants it; may be empty with a ticket cache.
    :param file: the keytab, or the ticket cache (empty: where Kerberos looks itself).
    :param host: name that the service is registered under where it is not the one in the address.
    """

    user: str
    password: str = field(default="", repr=False)
    secret: Secret = Secret.PASSWORD
    file: str = ""
    scheme: Scheme = Scheme.AUTO
    host: str = ""
    service: str = "HTTP"


class WindowsAuth(AuthBase):
    """Answers the challenges of one server for one account; one object per session.

    :param account: whom to log in.
    """

    def __init__(self, account: WindowsAccount) -> None:
        self._account = account
        self._refused = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Have the answer looked at; the request itself goes without credentials, as its connection may be logged in.

        :raises AuthenticationError: when the server refused the account before.
        :raises ConfigurationError: for a body that cannot be sent again after a challenge.
        """
        if self._refused:
            raise self._refusal(request.url or "")
        if request.body is not None and not isinstance(request.body, (bytes, str)):
            raise ConfigurationError("A body that is streamed cannot be sent with Windows authentication.")
        request.register_hook("response", self._answered)
        return request

    def _answered(self, response: requests.Response, **options: Any) -> requests.Response:
        """Go through the handshake when a connection is challenged."""
        if response.status_code != 401:
            return response
        bindings = channel_bindings(response)
        _release(response)
        scheme = self._scheme(response)
        if scheme is None:
            self._refused = f"offers {response.headers.get('WWW-Authenticate') or 'no way to log in'} only"
            raise self._refusal(response.url)
        context = self._context(scheme, response.url, bindings)
        said: bytes | None = None
        for _ in range(MOST_LEGS):
            token = _step(context, said, self._account)
            if token is None:
                break
            response = self._send_leg(response, scheme, token, options)
            if response.status_code != 401:
                return response
            _release(response)
            said = _token_of(response, scheme)
            if said is None or context.complete:
                break
        self._refused = f"refuses {self._account.user or 'the account'} ({scheme})"
        raise self._refusal(response.url)

    def _scheme(self, response: requests.Response) -> str | None:
        """Return the scheme to answer with; None when the server offers none of ours."""
        offered = offered_schemes(response)
        wanted: tuple[str, ...] = ("negotiate", "ntlm")
        if self._account.scheme is not Scheme.AUTO:
            wanted = (self._account.scheme.value,)
        elif self._account.secret is not Secret.PASSWORD:
            wanted = ("negotiate",)
        elif "\\" in self._account.user:
            wanted = ("ntlm", "negotiate")
        found = next((scheme for scheme in wanted if scheme in offered), None)
        return {"negotiate": "Negotiate", "ntlm": "NTLM"}[found] if found else None

    def _context(self, scheme: str, url: str, bindings: GssChannelBindings | None) -> spnego.ContextProxy:
        import spnego

        protocol = "negotiate"
        options = spnego.NegotiateOptions.use_negotiate
        if scheme == "NTLM":
            protocol, options = "ntlm", spnego.NegotiateOptions.use_ntlm
        elif self._account.secret is not Secret.PASSWORD:
            protocol, options = "kerberos", spnego.NegotiateOptions.none
        try:
            return spnego.client(
                credentials(self._account),
                hostname=self._account.host or urlsplit(url).hostname or "",
                service=self._account.service,
                protocol=protocol,
                options=options,
                channel_bindings=bindings,
            )
        except Exception as exc:  # Kerberos' own libraries raise errors of their own
            raise _no_context(self._account, exc) from None

    def _send_leg(
        self, response: requests.Response, scheme: str, token: bytes, options: dict[str, Any]
    ) -> requests.Response:
        """Send the request again with a token, on the connection that was challenged."""
        request = response.request.copy()
        request.headers["Authorization"] = f"{scheme} {base64.b64encode(token).decode()}"
        adapter: Any = getattr(response, "connection", None)
        answer: requests.Response = adapter.send(request, **options)
        answer.request = request
        request.headers.pop("Authorization")
        return answer

    def _refusal(self, url: str) -> AuthenticationError:
        parts = urlsplit(url)
        return AuthenticationError(
            f"{parts.hostname} {self._refused}.",
            hint="Check account and password before the next try: a domain locks accounts after a few failed logons.",
            status=401,
            path=parts.path,
        )


def _release(response: requests.Response) -> None:
    """Read an answer to its end: else its connection, the only one there is, is not given back."""
    response.content  # noqa: B018 - read for that
    response.close()


def credentials(account: WindowsAccount) -> Any:
    """Return the account in the words of pyspnego."""
    import spnego

    match account.secret:
        case Secret.PASSWORD:
            return spnego.Password(account.user, account.password)
        case Secret.KEYTAB:
            return spnego.KerberosKeytab(keytab=account.file, principal=account.user or None)
        case Secret.TICKETS:
            return spnego.KerberosCCache(ccache=account.file, principal=account.user or None) if account.file else None


def channel_bindings(response: requests.Response) -> GssChannelBindings | None:
    """Return what ties a logon to the TLS connection that a challenge came by (RFC 5929, tls-server-end-point)."""
    from spnego.channel_bindings import GssChannelBindings

    certificate = _certificate_of(response)
    if certificate is None:
        return None
    return GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_hash(certificate))


def certificate_hash(certificate: bytes) -> bytes:
    """Return the hash of a certificate (DER) by its signature's algorithm; SHA-256 instead of MD5, SHA-1 or none."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    if algorithm is None or isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return digest.finalize()


def _certificate_of(response: requests.Response) -> bytes | None:
    """Return the certificate (DER) of the connection; None where it is not encrypted."""
    connection = getattr(response.raw, "connection", None) or getattr(response.raw, "_connection", None)
    sock = getattr(connection, "sock", None)
    if sock is None or not hasattr(sock, "getpeercert"):
        return None
    certificate: bytes | None = sock.getpeercert(binary_form=True)
    return certificate


def offered_schemes(response: requests.Response) -> frozenset[str]:
    """Return the schemes that a challenge offers, in lower case."""
    return frozenset(part.split()[0].lower() for part in _challenges(response) if part)


def _challenges(response: requests.Response) -> list[str]:
    return [part.strip() for part in response.headers.get("WWW-Authenticate", "").split(",")]


def _token_of(response: requests.Response, scheme: str) -> bytes | None:
    """Return the server's message of a handshake; None when it has begun anew, which is a refusal."""
    for part in _challenges(response):
        name, _, text = part.partition(" ")
        if name.lower() == scheme.lower() and text:
            return base64.b64decode(text)
    return None


def _step(context: spnego.ContextProxy, token: bytes | None, account: WindowsAccount) -> bytes | None:
    """Return the next message to the server; None when there is nothing more to say."""
    try:
        return context.step(token)
    except Exception as exc:  # Kerberos' own libraries raise errors of their own
        raise _no_context(account, exc) from None


def _no_context(account: WindowsAccount, exc: Exception) -> MlconnectorError:
    """Return why there is no message to send: nothing was sent, so that no logon counts as failed."""
    if account.secret is Secret.PASSWORD:
        message = f"The handshake for {account.user} cannot be gone on with ({type(exc).__name__})."
        return AuthenticationError(message, hint="Check the account's name and realm, and the host of the service.")
    return ConfigurationError(
        f"The {account.secret} of {account.user or 'the account'} cannot be used ({type(exc).__name__}).",
        hint="Kerberos needs the packages gssapi and krb5 (pyspnego[kerberos]), a krb5.conf, and a valid keytab or "
        "ticket.",
    )
