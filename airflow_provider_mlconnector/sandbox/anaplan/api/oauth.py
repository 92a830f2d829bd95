# SPDX-License-Identifier: Apache-2.0
"""The OAuth service: device grant, authorization code grant, refresh tokens, and the page where a person approves."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import json_response
from airflow_provider_mlconnector.sandbox.anaplan.identity.grants import (
    DEVICE_INTERVAL_SECONDS,
    DEVICE_LIFE_SECONDS,
    Decision,
    Granted,
    GrantError,
    OAuthError,
)
from airflow_provider_mlconnector.sandbox.anaplan.identity.sessions import LIFE_SECONDS
from airflow_provider_mlconnector.sandbox.anaplan.site import SYSTEM, Site

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid email offline_access"
_STATUS = {
    OAuthError.PENDING: 403,
    OAuthError.DENIED: 403,
    OAuthError.INVALID_GRANT: 403,
    OAuthError.UNAUTHORIZED_CLIENT: 401,
}
_PAGE = """<!doctype html><html lang="en"><head><title>Approve a device</title></head><body>
<h1>{title}</h1>{form}</body></html>"""
_FORM = """<form method="post"><p><label>Code <input name="user_code" value="{code}"></label></p>
<p><label>Email <input name="login"></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button></p></form>"""


class OAuthService:
    """The service's calls and pages."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/oauth/device/code", self.device_code, methods=["POST"]),
            Route("/oauth/token", self.token, methods=["POST"]),
            Route("/auth/authorize", self.authorize, methods=["GET"]),
            Route("/auth/prelogin", self.prelogin, methods=["GET"]),
            Route("/activate", self.activation_page, methods=["GET"]),
            Route("/activate", self.activate, methods=["POST"]),
        ]

    async def device_code(self, request: Request) -> Response:
        """Begin the device grant."""
        try:
            device = self._site.grants.start_device(_field(await _parameters(request), "client_id"))
        except GrantError as error:
            return _refusal(error)
        place = f"{request.url.scheme}://{request.url.netloc}/activate"
        return json_response(
            {
                "device_code": device.code,
                "user_code": device.user_code,
                "verification_uri": place,
                "verification_uri_complete": f"{place}?{urlencode({'user_code': device.user_code})}",
                "expires_in": DEVICE_LIFE_SECONDS,
                "interval": DEVICE_INTERVAL_SECONDS,
            }
        )

    async def token(self, request: Request) -> Response:
        """Hand out tokens for a grant."""
        try:
            granted = self._granted(await _parameters(request))
        except GrantError as error:
            return _refusal(error)
        session = self._site.sessions.issue(granted.user)
        self._site.stats.login(SYSTEM)
        body = {
            "access_token": session.value,
            "id_token": _id_token(granted),
            "refresh_token": granted.refresh_token,
            "scope": SCOPE,
            "expires_in": LIFE_SECONDS,
            "token_type": "Bearer",
        }
        return json_response(body)

    def _granted(self, body: Mapping[str, Any]) -> Granted:
        grants, client_id = self._site.grants, _field(body, "client_id")
        match _field(body, "grant_type"):
            case "refresh_token":
                return grants.by_refresh(client_id, str(body.get("client_secret", "")), _field(body, "refresh_token"))
            case "authorization_code":
                secret, redirect_uri = _field(body, "client_secret"), _field(body, "redirect_uri")
                return grants.by_code(client_id, secret, _field(body, "code"), redirect_uri)
            case grant_type if grant_type == DEVICE_GRANT:
                return grants.by_device(client_id, _field(body, "device_code"))
            case grant_type:
                raise GrantError(OAuthError.INVALID_REQUEST, f"Unknown grant type: {grant_type}")

    async def authorize(self, request: Request) -> Response:
        """Send the browser back with a code, as if the integration user had logged in."""
        try:
            return RedirectResponse(self._redirection(request.query_params), status_code=302)
        except GrantError as error:
            return _refusal(error)

    async def prelogin(self, request: Request) -> Response:
        """Show a page that leads on to the authorization."""
        target = html.escape(f"/auth/authorize?{request.url.query}")
        return HTMLResponse(_PAGE.format(title="Log in", form=f'<p><a href="{target}">Continue</a></p>'))

    def _redirection(self, query: Mapping[str, str]) -> str:
        if query.get("response_type") != "code":
            raise GrantError(OAuthError.INVALID_REQUEST, "Missing required parameter: response_type")
        redirect_uri = _field(query, "redirect_uri")
        user = self._site.people.integration
        code = self._site.grants.authorize(_field(query, "client_id"), redirect_uri, user)
        state = {"state": query["state"]} if "state" in query else {}
        return f"{redirect_uri}?{urlencode({'code': code, **state})}"

    async def activation_page(self, request: Request) -> Response:
        """Show the page where a person approves a device."""
        code = html.escape(request.query_params.get("user_code", ""))
        return HTMLResponse(_PAGE.format(title="Approve a device", form=_FORM.format(code=code)))

    async def activate(self, request: Request) -> Response:
        """Take a person's decision about a device."""
        form = await _parameters(request)
        user = self._site.people.check(str(form.get("login", "")), str(form.get("password", "")))
        if user is None:
            return HTMLResponse(_PAGE.format(title="Wrong email or password", form=""), 401)
        decision = Decision.APPROVE if form.get("decision") == "approve" else Decision.DENY
        known = self._site.grants.decide(str(form.get("user_code", "")), decision, user)
        title = f"Done: {decision}" if known else "This code is unknown or has expired"
        return HTMLResponse(_PAGE.format(title=title, form=""), 200 if known else 404)


async def _parameters(request: Request) -> Mapping[str, Any]:
    """Return the body's parameters, written as JSON or as a form."""
    body = await request.body()
    if "form" in request.headers.get("content-type", ""):
        return dict(parse_qsl(body.decode()))
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise GrantError(OAuthError.INVALID_REQUEST, "Malformed request body.") from error


def _field(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise GrantError(OAuthError.INVALID_REQUEST, f"Missing required parameter: {name}")
    return value


def _refusal(error: GrantError) -> Response:
    body = {"error": error.error, "error_description": error.description}
    return json_response(body, _STATUS.get(error.error, 400))


def _id_token(granted: Granted) -> str:
    """Return an unsigned token that names the user; nobody should trust it."""
    parts = ({"alg": "none"}, {"sub": granted.user.id, "email": granted.user.email})
    encoded = [base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])
