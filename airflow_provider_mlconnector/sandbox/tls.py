# SPDX-License-Identifier: Apache-2.0
"""The sandbox over TLS, for clients that insist on https or on their vendor's own host names.

The certificates are made on the spot and signed by an authority that lives as long as the sandbox; a client trusts it
through ``ca_file``. :func:`vendor_session` is a ``requests`` session that finds the vendors' hosts in the sandbox.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter

from airflow_provider_mlconnector.sandbox.gate import HOSTS

LOOPBACK = "127.0.0.1"
VENDOR_HOSTS = (*HOSTS, "api.anaplan.com", "auth.anaplan.com", "us1a.app.anaplan.com")
_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files of a server certificate (with its key) and of the authority that signed it."""

    certificate: Path
    key: Path
    ca: Path


def write_certificates(folder: Path) -> TlsFiles:
    """Make an authority and a certificate for the loopback address and the vendors' hosts."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("mlconnector sandbox authority")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in ("localhost", *VENDOR_HOSTS)]
    names.append(x509.IPAddress(ipaddress.ip_address(LOOPBACK)))
    certificate = (
        _builder(_name("mlconnector sandbox"), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    files = TlsFiles(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def vendor_session(url: str, ca_file: str) -> requests.Session:
    """Return a session for which the vendors' hosts are the sandbox at ``url``, with certificates verified."""
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_file
    for host in VENDOR_HOSTS:
        session.mount(f"https://{host}", _Redirected(host, url))
    return session


class _Redirected(HTTPAdapter):
    """Sends what is meant for a host to another address, and still expects the host's certificate there."""

    def __init__(self, host: str, url: str) -> None:
        self._host = host
        self._url = url
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, server_hostname=self._host, assert_hostname=self._host)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        meant = request.url or ""
        request.headers["Host"] = self._host
        request.url = self._url + meant.removeprefix(f"https://{self._host}")
        answer = super().send(request, *arguments, **options)
        request.url = answer.url = meant
        return answer


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
    )
