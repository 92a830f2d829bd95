# SPDX-License-Identifier: Apache-2.0
"""Signing in: the legacy login with its cookies, and OAuth 2.0 with the site's own identity server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response

from airflow_provider_mlconnector.sandbox.acumatica.seats import OFFLINE, Grant, Seats, Session, seats_of
from airflow_provider_mlconnector.sandbox.acumatica.site import PREFIX, Site, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, encode
from airflow_provider_mlconnector.sandbox.gate import LATE

COOKIE = "ASP.NET_SessionId"
AUTH_COOKIE = ".ASPXAUTH"
_SCOPES = frozenset({"api", OFFLINE, "api:concurrent_access", "openid", "profile", "email"})


class OAuthError(Exception):
    """A refusal by the token endpoint, in the words of OAuth."""


def session_of(request: Request, seats: Seats) -> Session:
    """Return the session of a request, by bearer token or cookie; one that was let in before goes on in its session.

    :raises HttpError: 401 without one that is open, whatever was asked for.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token, cookie = (token, "") if scheme.lower() == "bearer" else ("", request.cookies.get(COOKIE, ""))
    if LATE in request.scope:
        session = seats.once(token, cookie)
    else:
        session = seats.of_token(token) if token else seats.of_cookie(cookie)
    if session is None:
        raise HttpError(401, message="You are not logged in.")
    return session


def error_response(error: HttpError) -> Response:
    """Return an error as an answer."""
    return Response(error.content(), error.status, headers={"Content-Type": error.content_type})


def router(site: Site) -> APIRouter:
    """Return the routes by which people and applications sign in and out."""
    routes, seats = APIRouter(), seats_of(site)
    _add_legacy(routes, site, seats)
    _add_page(routes)
    _add_oauth(routes, site, seats)
    return routes


def _add_legacy(routes: APIRouter, site: Site, seats: Seats) -> None:
    @routes.post(f"{PREFIX}/entity/auth/login")
    async def login(request: Request) -> Response:
        told = _told(await request.body(), request.headers.get("content-type", ""))
        try:
            tenant = site.tenant(str(told.get("tenant") or told.get("company") or ""))
            if not site.check_password(str(told.get("name")), str(told.get("password"))):
                raise HttpError(500, "Error: Invalid credentials. Please try again.")
            session = seats.open(tenant, str(told.get("branch") or ""))
        except HttpError as error:
            return error_response(error)
        answer = Response(status_code=204)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session.id, httponly=True, samesite="lax")
        answer.set_cookie(AUTH_COOKIE, session.id * 4, httponly=True, secure=secure, samesite="lax")
        answer.set_cookie("Locale", "Culture=en-US&TimeZone=GMTM0800A")
        answer.set_cookie("UserBranch", session.branch)
        return answer

    @routes.post(f"{PREFIX}/entity/auth/logout")
    async def logout(request: Request) -> Response:
        if "content-length" not in request.headers:
            return Response("Length Required", 411, media_type="text/html")
        try:
            seats.close(session_of(request, seats))
        except HttpError as error:
            return error_response(error)
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE)
        answer.delete_cookie(AUTH_COOKIE)
        return answer


def _add_page(routes: APIRouter) -> None:
    @routes.get(f"{PREFIX}/Frames/Login.aspx")
    async def page() -> Response:
        """Show where people sign in, to which some addresses lead while the site starts."""
        return Response("<html><title>Sign In</title></html>", media_type="text/html")


def _add_oauth(routes: APIRouter, site: Site, seats: Seats) -> None:
    @routes.post(f"{PREFIX}/identity/connect/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            told: Mapping[str, Any] = seats.issue(_grant(site, seats, form))
        except OAuthError as error:
            return Response(encode({"error": str(error)}), 400, media_type="application/json")
        except HttpError as error:
            return error_response(error)
        site.world.stats.login("acumatica")
        return Response(encode(told), media_type="application/json")

    @routes.get(f"{PREFIX}/identity/connect/authorize")
    async def authorize(request: Request) -> Response:
        """Give a code at once, as if a user had signed in and agreed."""
        query = request.query_params
        try:
            grant = Grant(_tenant_of(site, query.get("client_id", "")), _scopes(query.get("scope", "api")))
        except OAuthError as error:
            return Response(encode({"error": str(error)}), 400, media_type="application/json")
        told = {"code": seats.code_for(grant)} | ({"state": query["state"]} if "state" in query else {})
        return Response(status_code=302, headers={"Location": f"{query.get('redirect_uri', '')}?{urlencode(told)}"})

    @routes.get(f"{PREFIX}/identity/.well-known/openid-configuration")
    async def discovery(request: Request) -> dict[str, Any]:
        root = f"{request.url.scheme}://{request.url.netloc}{PREFIX}/identity"
        return {
            "issuer": root,
            "token_endpoint": f"{root}/connect/token",
            "authorization_endpoint": f"{root}/connect/authorize",
            "scopes_supported": sorted(_SCOPES),
            "grant_types_supported": ["authorization_code", "password", "refresh_token", "implicit"],
        }


def _grant(site: Site, seats: Seats, form: Mapping[str, str]) -> Grant:
    tenant = _tenant_of(site, form.get("client_id", ""))
    if form.get("client_secret") != site.client_secret:
        raise OAuthError("invalid_client")
    match form.get("grant_type"):
        case "password":
            if not site.check_password(form.get("username", ""), form.get("password", "")):
                raise OAuthError("invalid_grant")
            return Grant(tenant, _scopes(form.get("scope", "")))
        case "authorization_code":
            grant = seats.redeemed(form.get("code", ""))
        case "refresh_token":
            grant = seats.refreshed(form.get("refresh_token", ""))
        case "client_credentials":
            raise OAuthError("unauthorized_client")
        case _:
            raise OAuthError("unsupported_grant_type")
    if grant is None:
        raise OAuthError("invalid_grant")
    return grant


def _tenant_of(site: Site, client_id: str) -> Tenant:
    for tenant in site.tenants:
        if tenant.client_id == client_id:
            return tenant
    raise OAuthError("invalid_client")


def _scopes(text: str) -> frozenset[str]:
    scopes = frozenset(text.split())
    if not scopes & {"api", "api:concurrent_access"} or scopes - _SCOPES:
        raise OAuthError("invalid_scope")
    return scopes


def _told(body: bytes, content_type: str) -> Mapping[str, Any]:
    if "json" not in content_type:
        return dict(parse_qsl(body.decode()))
    told = json.loads(body or b"{}")
    return told if isinstance(told, dict) else {}
