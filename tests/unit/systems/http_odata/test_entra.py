# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from airflow_provider_mlconnector.errors import AuthenticationError, ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.http.entra import (
    ClientCertificate,
    ClientSecret,
    Credential,
    EntraTokens,
    TokenCache,
    require_tls,
)
from tests.unit.systems.http.scripted_server import FakeClock, Reply, Request, as_json, quick, serving

TENANT = "larkfield.example"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
SECRET = ClientSecret("client-1", "s3cr3t~value")


class Authority:
    """Discovery and token endpoint of one tenant, at ``/entra``."""

    def __init__(self) -> None:
        self.url = ""
        self.refusal: tuple[int, str] | None = None
        self.failures: list[Reply] = []
        self.issued = 0
        self.lifetime = 3599

    def __call__(self, request: Request) -> Reply:
        if self.failures:
            return self.failures.pop(0)
        if request.method == "GET":
            return self.discovery(request)
        if self.refusal:
            status, said = self.refusal
            return as_json({"error": "invalid_client", "error_description": said}, status=status)
        self.issued += 1
        token = {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": f"token-{self.issued}"}
        return as_json(token)

    def discovery(self, request: Request) -> Reply:
        if f"/entra/{TENANT}/" not in request.path:
            said = "AADSTS90002: Tenant 'nobody' not found. Check to make sure you have the correct tenant ID."
            return as_json({"error": "invalid_tenant", "error_description": said}, status=400)
        base = f"{self.url}/entra/{TENANT}/oauth2/v2.0"
        return as_json({"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"})


@pytest.fixture
def authority():
    script = Authority()
    with serving(script) as server:
        script.url = server.url
        script.server = server
        yield script


@pytest.fixture
def clock():
    return FakeClock()


def tokens_of(authority, clock, credential: Credential = SECRET, **options) -> EntraTokens:
    options = {"tenant": TENANT, "cache": TokenCache(), **options}
    tenant = options.pop("tenant")
    return EntraTokens(f"{authority.url}/entra", tenant, credential, SCOPE, quick(clock), **options)


def form_of(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_a_secret_logs_in_at_a_plain_http_authority_on_this_machine(authority, clock):
    assert tokens_of(authority, clock).headers() == {"Authorization": "Bearer token-1"}
    (login,) = authority.server.seen("POST", f"/entra/{TENANT}/oauth2/v2.0/token")
    form = form_of(login)
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == SCOPE
    sent = form.get("client_secret") or base64.b64decode(login.headers["authorization"].split()[1]).decode()
    assert "s3cr3t~value" in sent
    assert len(authority.server.seen("GET")) == 1, "no instance discovery for a host of our own"


def test_one_token_serves_all_clients_of_the_process_until_shortly_before_it_runs_out(authority, clock):
    cache = TokenCache()
    first, second = tokens_of(authority, clock, cache=cache), tokens_of(authority, clock, cache=cache)
    assert first.headers() == second.headers() == {"Authorization": "Bearer token-1"}
    clock.advance(3599 - 301)
    assert first.headers() == {"Authorization": "Bearer token-1"}
    clock.advance(2)
    assert second.headers() == {"Authorization": "Bearer token-2"}
    assert first.headers() == {"Authorization": "Bearer token-2"}


def test_clients_that_ask_at_once_make_one_login(authority, clock):
    cache = TokenCache()
    with ThreadPoolExecutor(8) as pool:
        headers = list(pool.map(lambda _: tokens_of(authority, clock, cache=cache).headers(), range(8)))
    assert headers == [{"Authorization": "Bearer token-1"}] * 8
    assert authority.issued == 1


def test_a_short_lived_token_is_used_for_most_of_its_life(authority, clock):
    authority.lifetime = 60
    tokens = tokens_of(authority, clock)
    tokens.headers()
    clock.advance(44)
    assert tokens.headers() == {"Authorization": "Bearer token-1"}
    clock.advance(2)
    assert tokens.headers() == {"Authorization": "Bearer token-2"}


def test_another_secret_never_gets_the_token_of_the_first(authority, clock):
    cache = TokenCache()
    tokens_of(authority, clock, cache=cache).headers()
    other = tokens_of(authority, clock, ClientSecret("client-1", "other"), cache=cache)
    assert other.headers() == {"Authorization": "Bearer token-2"}


def test_a_refused_token_is_dropped_unless_a_newer_one_is_there(authority, clock):
    tokens = tokens_of(authority, clock)
    refused = tokens.headers()
    tokens.reject(refused)
    assert tokens.headers() == {"Authorization": "Bearer token-2"}
    tokens.reject(refused)
    assert tokens.headers() == {"Authorization": "Bearer token-2"}


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AADSTS7000222", "expired"),
        ("AADSTS7000215", "wrong"),
        ("AADSTS700016", "client id"),
        ("AADSTS65001", "consent"),
        ("AADSTS999", "Check tenant"),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_says_the_code_and_what_to_do_and_no_secret(authority, clock, code, hint, status):
    authority.refusal = (
        status,
        f"{code}: Not with s3cr3t~value, no. Trace ID: 1-2 Correlation ID: 3-4\r\nTimestamp: x",
    )
    with pytest.raises(AuthenticationError) as refused:
        tokens_of(authority, clock).headers()
    error = refused.value
    assert error.remote_code == code
    assert hint in error.hint
    assert f"client-1 in tenant {TENANT}: {code}: Not with ***, no." in str(error)
    assert "Trace" not in str(error)


def test_an_unknown_tenant_says_so(authority, clock):
    with pytest.raises(AuthenticationError, match=r"AADSTS90002.*no such tenant"):
        tokens_of(authority, clock, tenant="nobody").headers()


def test_a_server_that_is_no_authority_says_so(authority, clock):
    authority.failures = [as_json({"hello": "world"})]
    with pytest.raises(ProtocolError, match="does not tell its login addresses"):
        tokens_of(authority, clock).headers()


def test_an_authority_in_trouble_is_asked_again(authority, clock):
    authority.failures = [Reply(503, headers={"Retry-After": "7"}), Reply(silent=True), Reply(429)]
    assert tokens_of(authority, clock).headers() == {"Authorization": "Bearer token-1"}
    assert clock.waits[0] == 7.0
    assert len(clock.waits) == 3


@pytest.mark.parametrize("url", ["http://login.example", "http://10.0.0.5:80", "ftp://127.0.0.1"])
def test_plain_http_is_for_this_machine_alone(url, clock):
    with pytest.raises(ConfigurationError, match="not an https address"):
        EntraTokens(url, TENANT, SECRET, SCOPE, quick(clock))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8", "http://localhost:8/x", "http://[::1]:8", "https://a.example"])
def test_https_and_this_machine_are_fine(url):
    assert require_tls(url) == url


def test_credentials_keep_their_secrets_out_of_their_text():
    assert "s3cr3t" not in repr(SECRET)
    assert "KEY" not in repr(ClientCertificate("c", private_key="KEY", passphrase="KEY"))


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "close")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def pem_of(key, passphrase: str = "") -> str:
    sealed = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed).decode()


def part(assertion: str, number: int) -> dict:
    text = assertion.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_a_certificate_signs_the_login_and_is_sent_along(authority, clock, key, certificate):
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    credential = ClientCertificate("client-1", pem_of(key, "open"), certificate=public, passphrase="open")
    assert tokens_of(authority, clock, credential).headers() == {"Authorization": "Bearer token-1"}
    (login,) = authority.server.seen("POST")
    assertion = form_of(login)["client_assertion"]
    fingerprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
    assert part(assertion, 0)["alg"] == "PS256"
    assert part(assertion, 0)["x5t#S256"].rstrip("=") == fingerprint
    assert len(part(assertion, 0)["x5c"]) == 1
    assert part(assertion, 1)["iss"] == "client-1"


def test_a_thumbprint_does_where_there_is_no_certificate(authority, clock, key, certificate):
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex(":").upper()
    tokens_of(authority, clock, ClientCertificate("client-1", pem_of(key), thumbprint=thumbprint)).headers()
    header = part(form_of(authority.server.seen("POST")[0])["client_assertion"], 0)
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert header["x5t"].rstrip("=") == base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("=")


@pytest.mark.parametrize("key_text", ["no key at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_cannot_be_read_is_a_matter_of_the_connection(authority, clock, key_text):
    credential = ClientCertificate("client-1", key_text, thumbprint="AB" * 20)
    with pytest.raises(ConfigurationError, match="cannot be read") as refused:
        tokens_of(authority, clock, credential).headers()
    assert key_text not in str(refused.value)
