# SPDX-License-Identifier: Apache-2.0
"""Login by certificate: proof that the caller holds the private key of a registered certificate.

v1 signs random bytes; v2 signs a timestamp (8 bytes, big-endian) and random bytes, so that a captured proof dies soon.
"""

from __future__ import annotations

import base64
import binascii
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from airflow_provider_mlconnector.sandbox.anaplan.switches import CertFormat, CertHeader, Switches, TimeUnit
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

LEAST_RANDOM_BYTES = 100
_STAMP = struct.Struct(">Q")
_PEM_MARK = b"-----BEGIN CERTIFICATE-----"


class BadProofError(Exception):
    """The proof does not hold; the text says why and never reaches the client."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A registered certificate and its private key, both PEM text."""

    certificate_pem: str
    private_key_pem: str

    @property
    def certificate(self) -> x509.Certificate:
        """Return the parsed certificate."""
        return x509.load_pem_x509_certificate(self.certificate_pem.encode())


def make_key_pair(email: str, now: datetime) -> KeyPair:
    """Return a new RSA key and a certificate of it that names the user."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "Larkfield close"), x509.NameAttribute(NameOID.EMAIL_ADDRESS, email)]
    )
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=3650),
    )
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(certificate.decode(), private.decode())


class CertificateDesk:
    """Checks certificate logins against the registered certificate."""

    def __init__(self, registered: KeyPair, clock: VirtualClock) -> None:
        self._registered = registered.certificate
        self._clock = clock
        self._lock = threading.Lock()
        self._used: set[bytes] = set()

    def check(self, header: str, body: Mapping[str, Any], switches: Switches) -> str:
        """Return the email that a proof is for.

        :param header: what follows ``CACertificate`` in the header.
        :raises BadProofError: when it does not hold.
        """
        certificate = _read_certificate(header, switches.cert_header)
        if certificate != self._registered:
            raise BadProofError("the certificate is not registered")
        data, signature = _decoded(body.get("encodedData")), _decoded(body.get("encodedSignedData"))
        self._check_payload(data, body.get("encodedDataFormat"), switches)
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise BadProofError("not an RSA key")
        try:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA512())
        except InvalidSignature as error:
            raise BadProofError("the signature is not of this data") from error
        return _email_of(certificate)

    def _check_payload(self, data: bytes, written_as: object, switches: Switches) -> None:
        if written_as not in (None, "v1", "v2"):
            raise BadProofError("unknown encodedDataFormat")
        is_v2 = written_as == "v2"
        wanted = switches.cert_format
        if wanted is not CertFormat.ANY and is_v2 != (wanted is CertFormat.V2):
            raise BadProofError(f"only {wanted} is taken")
        if is_v2:
            self._check_stamp(data, switches)
        if len(data) - (_STAMP.size if is_v2 else 0) < LEAST_RANDOM_BYTES:
            raise BadProofError("too few random bytes")

    def _check_stamp(self, data: bytes, switches: Switches) -> None:
        if len(data) < _STAMP.size:
            raise BadProofError("no timestamp")
        (stamp,) = _STAMP.unpack_from(data)
        seconds = stamp / 1000 if switches.cert_time_unit is TimeUnit.MILLISECONDS else stamp
        if abs(seconds - self._clock.timestamp()) > switches.cert_skew_seconds:
            raise BadProofError("the timestamp is out of the window")
        with self._lock:
            if data in self._used:
                raise BadProofError("the payload was used before")
            self._used.add(data)


def _decoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise BadProofError("a field is missing")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadProofError("not base64") from error


def _read_certificate(header: str, wanted: CertHeader) -> x509.Certificate:
    raw = _decoded(header.strip())
    is_pem = raw.lstrip().startswith(_PEM_MARK)
    if wanted is not CertHeader.ANY and is_pem != (wanted is CertHeader.PEM):
        raise BadProofError(f"only {wanted} is taken")
    try:
        return x509.load_pem_x509_certificate(raw) if is_pem else x509.load_der_x509_certificate(raw)
    except ValueError as error:
        raise BadProofError("not a certificate") from error


def _email_of(certificate: x509.Certificate) -> str:
    (attribute,) = certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    return str(attribute.value)
