# SPDX-License-Identifier: Apache-2.0
"""The authentication service: log in by password or certificate, refresh, validate and end a token."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import json_response
from airflow_provider_mlconnector.sandbox.anaplan.identity.certificates import BadProofError
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.identity.sessions import Session
from airflow_provider_mlconnector.sandbox.anaplan.site import SYSTEM, Site
from airflow_provider_mlconnector.sandbox.anaplan.switches import Refresh

VALIDATION_URL = "https://auth.anaplan.com/token/validate"
"""Anaplan writes this one address wherever a tenant lives; nothing here asks it."""

_SCHEME = "AnaplanAuthToken"


class LoginError(Exception):
    """The request is refused."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def response(self) -> Response:
        """Return the service's answer."""
        if self.status == 400:
            body = {"status": "FAILURE_BAD_HEADER", "statusMessage": "Invalid header. Verify the header."}
        else:
            body = {"status": "FAILURE_BAD_CREDENTIAL", "statusMessage": "Not Authorized"}
        return json_response(body, self.status)


class TokenService:
    """The service's four calls."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/token/authenticate", self.authenticate, methods=["POST"]),
            Route("/token/refresh", self.refresh, methods=["POST"]),
            Route("/token/validate", self.validate, methods=["GET"]),
            Route("/token/logout", self.logout, methods=["POST"]),
        ]

    async def authenticate(self, request: Request) -> Response:
        """Hand out a token for a password or a certificate."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme == "Basic":
                user = self._by_password(value)
            elif scheme == "CACertificate":
                user = self._by_certificate(value, await request.body())
            else:
                raise LoginError(401)
        except LoginError as error:
            return error.response()
        session = self._site.sessions.issue(user)
        self._site.stats.login(SYSTEM)
        return json_response(_body("Login successful", _token_info(session)), 201)

    async def refresh(self, request: Request) -> Response:
        """Give a token its full life again."""
        try:
            session = self._session(request)
        except LoginError as error:
            return error.response()
        renewed = self._site.sessions.refresh(session, new_value=self._site.switches.refresh is Refresh.NEW)
        self._site.stats.login(SYSTEM)
        return json_response(_body("Token refreshed", _token_info(renewed)))

    async def validate(self, request: Request) -> Response:
        """Tell whose a token is and how long it lives."""
        try:
            session = self._session(request)
        except LoginError as error:
            return error.response()
        user = session.user
        body = _body("Token validated", {"expiresAt": session.expires_ms, "tokenId": session.token_id})
        body["userInfo"] = {"userGuid": user.id, "userId": user.email, "customerGuid": user.customer_id}
        return json_response(body)

    async def logout(self, request: Request) -> Response:
        """End a token."""
        try:
            session = self._session(request)
        except LoginError:
            # alone among the calls, logout answers a malformed header with 401
            return LoginError(401).response()
        self._site.sessions.revoke(session.value)
        return Response(status_code=204)

    def _session(self, request: Request) -> Session:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != _SCHEME or not value.strip():
            raise LoginError(400)
        session = self._site.sessions.find(value.strip())
        if session is None:
            raise LoginError(401)
        return session

    def _by_password(self, value: str) -> User:
        try:
            email, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise LoginError(401) from error
        user = self._site.people.check(email, password)
        if user is None:
            raise LoginError(401)
        return user

    def _by_certificate(self, value: str, body: bytes) -> User:
        try:
            proof = msgspec.json.decode(body, type=dict[str, Any])
            email = self._site.certificates.check(value, proof, self._site.switches)
        except (msgspec.MsgspecError, BadProofError) as error:
            raise LoginError(401) from error
        user = self._site.people.by_email(email)
        if user is None:
            raise LoginError(401)
        return user


def _body(message: str, token_info: dict[str, Any]) -> dict[str, Any]:
    return {
        "meta": {"validationUrl": VALIDATION_URL},
        "status": "SUCCESS",
        "statusMessage": message,
        "tokenInfo": token_info,
    }


def _token_info(session: Session) -> dict[str, Any]:
    return {
        "expiresAt": session.expires_ms,
        "tokenId": session.token_id,
        "tokenValue": session.value,
        "refreshTokenId": session.refresh_id,
    }
