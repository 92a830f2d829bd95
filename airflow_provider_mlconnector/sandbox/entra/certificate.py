# SPDX-License-Identifier: Apache-2.0
"""The certificate with which a client may prove who it is, instead of by a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A self-signed certificate and its key, as PEM; ``thumbprint`` is the SHA-1 in hex that Entra shows."""

    certificate_pem: str
    private_key_pem: str
    thumbprint: str
    thumbprint_sha256: str


@cache
def client_certificate() -> ClientCertificate:
    """Make a certificate, valid for ten years; one for the whole process, since keys take long to make."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mlconnector sandbox client")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ClientCertificate(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        private_key.decode(),
        certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303  # Entra names certificates by it
        certificate.fingerprint(hashes.SHA256()).hex().upper(),
    )
