# SPDX-License-Identifier: Apache-2.0
"""Microsoft Entra ID, as far as a client with credentials of its own meets it: discovery and the token endpoint.

Access tokens run out on the virtual clock. Assertions are judged by real time, since real clients date them.
"""

from __future__ import annotations

import base64
import hmac
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography import x509
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from airflow_provider_mlconnector.sandbox.entra.directory import TENANT_DOMAIN, TENANT_ID, Application, Directory
from airflow_provider_mlconnector.sandbox.gate import external_url

PREFIX = "/entra"
TOKEN_SECONDS = 3599
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CLOCK_SKEW = 300.0


@dataclass(frozen=True)
class EntraError(Exception):
    """An error answer of Entra; ``number`` is the one behind AADSTS."""

    status: int
    error: str
    number: int
    message: str


def router(directory: Directory) -> APIRouter:
    """Return the routes of Entra."""
    routes = APIRouter(prefix=PREFIX)
    _add_discovery(routes, directory)

    @routes.post("/{name}/oauth2/v2.0/token")
    async def token(name: str, request: Request) -> JSONResponse:
        form = {key: str(value) for key, value in (await request.form()).items()}
        try:
            application, scope = _check(directory, name, form, external_url(request))
        except EntraError as error:
            return _answer(directory, error)
        directory.world.stats.login(application.system)
        granted = directory.issue(application, scope, TOKEN_SECONDS)
        lives = {"expires_in": TOKEN_SECONDS, "ext_expires_in": TOKEN_SECONDS}
        return JSONResponse({"token_type": "Bearer", "access_token": granted, **lives})

    return routes


def _add_discovery(routes: APIRouter, directory: Directory) -> None:
    @routes.get("/common/discovery/instance")
    async def instance(request: Request) -> dict[str, Any]:
        base = _base(request, "/common/")
        endpoint = f"{base}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
        return {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": []}

    @routes.get("/{name}/.well-known/openid-configuration", response_model=None)
    @routes.get("/{name}/v2.0/.well-known/openid-configuration", response_model=None)
    async def configuration(name: str, request: Request) -> dict[str, Any] | JSONResponse:
        if not _is_ours(name):
            return _answer(directory, _no_tenant(name))
        base = _base(request, f"/{name}/")
        return {
            "issuer": f"{base}/{TENANT_ID}/v2.0",
            "authorization_endpoint": f"{base}/{name}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/{name}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/{name}/oauth2/v2.0/devicecode",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "tenant_region_scope": "EU",
        }


def _base(request: Request, before: str) -> str:
    return external_url(request).partition(before)[0]


def _is_ours(name: str) -> bool:
    return name.lower() in (TENANT_ID, TENANT_DOMAIN)


def _no_tenant(name: str) -> EntraError:
    return EntraError(400, "invalid_request", 90002, f"Tenant '{name}' not found. Check to make sure it is correct.")


def _check(directory: Directory, name: str, form: dict[str, str], endpoint: str) -> tuple[Application, str]:
    """Return the application that asks for a token, and the scope that it gets.

    :raises EntraError: when it gets none.
    """
    if not _is_ours(name):
        raise _no_tenant(name)
    if form.get("grant_type") != "client_credentials":
        raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    application = directory.applications.get(form.get("client_id", ""))
    if application is None:
        message = f"Application with identifier '{form.get('client_id')}' was not found in the directory."
        raise EntraError(400, "unauthorized_client", 700016, message)
    wanted = form.get("scope", "")
    scope = application.granted_scope(wanted)
    if not scope:
        number, error, message = application.unknown_scope
        raise EntraError(400, error, number, message.format(scope=wanted))
    if form.get("client_assertion_type") == _ASSERTION_TYPE:
        _check_assertion(application, form.get("client_assertion", ""), endpoint)
    else:
        _check_secret(application, form.get("client_secret"))
    return application, scope


def _check_secret(application: Application, secret: str | None) -> None:
    if secret is None:
        message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise EntraError(401, "invalid_client", 7000218, message)
    if not hmac.compare_digest(secret.encode(), application.client_secret.encode()):
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{application.client_id}'."
        )
        raise EntraError(401, "invalid_client", 7000215, message)
    if application.secret_expired():
        message = f"The provided client secret keys for app '{application.client_id}' are expired."
        raise EntraError(401, "invalid_client", 7000222, message)


def _check_assertion(application: Application, assertion: str, endpoint: str) -> None:
    certificate = application.certificate
    key = x509.load_pem_x509_certificate(certificate.certificate_pem.encode()).public_key()
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(
            assertion,
            key,  # type: ignore[arg-type]  # an RSA key, since we made the certificate
            algorithms=["RS256", "PS256"],
            audience=[endpoint, endpoint.replace("http:", "https:", 1)],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp", "iss", "sub"]},
        )
    except jwt.InvalidTokenError as error:
        raise EntraError(
            401,
            "invalid_client",
            700027,
            f"The assertion is not ours: {error}.",
        ) from error
    known = {_thumb(certificate.thumbprint), _thumb(certificate.thumbprint_sha256)}
    named = {str(header.get(name, "")).rstrip("=") for name in ("x5t", "x5t#S256")}
    if not known & named or claims["sub"] != application.client_id:
        raise EntraError(401, "invalid_client", 700027, "The certificate with this thumbprint is not registered.")
    now = time.time()
    if not claims.get("nbf", 0) - _CLOCK_SKEW <= now <= claims["exp"] + _CLOCK_SKEW:
        raise EntraError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")


def _thumb(fingerprint: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(fingerprint)).decode().rstrip("=")


def _answer(directory: Directory, error: EntraError) -> JSONResponse:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    timestamp = f"{directory.world.clock.now():%Y-%m-%d %H:%M:%SZ}"
    description = (
        f"AADSTS{error.number}: {error.message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
    )
    body = {
        "error": error.error,
        "error_description": description,
        "error_codes": [error.number],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
    }
    return JSONResponse(body, status_code=error.status)
