# SPDX-License-Identifier: Apache-2.0
"""Generic inquiries over OData v4: plain values, for users by Basic authentication or token; some are not exposed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response

from airflow_provider_mlconnector.sandbox.acumatica.login import error_response
from airflow_provider_mlconnector.sandbox.acumatica.seats import seats_of
from airflow_provider_mlconnector.sandbox.acumatica.site import PREFIX, Site, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, encode
from airflow_provider_mlconnector.sandbox.acumatica.words import period_text
from airflow_provider_mlconnector.sandbox.books.periods import CURRENT_KEY
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE

EXPOSED, HIDDEN = "GL-Trial Balance", "GL-Secret"
_METADATA = f"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="PX.Data" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="TrialBalance"><Key><PropertyRef Name="Account"/></Key>
<Property Name="Account" Type="Edm.String" Nullable="false"/>
<Property Name="FinancialPeriod" Type="Edm.String"/>
<Property Name="Amount" Type="Edm.Decimal"/></EntityType>
<EntityContainer Name="Default"><EntitySet Name="{EXPOSED}" EntityType="PX.Data.TrialBalance"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def router(site: Site) -> APIRouter:
    """Return the routes of the inquiries."""
    routes = APIRouter(prefix=f"{PREFIX}/t")

    @routes.get("/{tenant}/api/odata/gi/{name}")
    async def inquiry(request: Request, tenant: str, name: str) -> Response:
        try:
            _check_user(site, request.headers.get("authorization", ""))
            found = site.tenant(tenant)
            if name == "$metadata":
                return Response(_METADATA, media_type="application/xml")
            if name != EXPOSED:
                raise HttpError(403 if name == HIDDEN else 404, f"The inquiry '{name}' is not exposed.")
        except HttpError as error:
            return error_response(error)
        rows = list(_rows(found))[int(request.query_params.get("$skip", "0")) :]
        told = {
            "@odata.context": f"{request.url}/$metadata",
            "value": rows[: int(request.query_params.get("$top", "9999"))],
        }
        return Response(encode(told), media_type="application/json")

    return routes


def _rows(tenant: Tenant) -> Iterator[dict[str, Any]]:
    for account, amount in sorted(tenant.books.trial_balance(CURRENT_KEY, CLOSE).items()):
        yield {"Account": account, "FinancialPeriod": period_text(CURRENT_KEY), "Amount": amount}


def _check_user(site: Site, authorization: str) -> None:
    """Check a Basic or bearer header.

    :raises HttpError: 401 when it is not good.
    """
    scheme, _, proof = authorization.partition(" ")
    if scheme.lower() == "bearer" and seats_of(site).of_token(proof) is not None:
        return
    try:
        name, _, password = base64.b64decode(proof).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = password = ""
    if scheme.lower() != "basic" or not site.check_password(name.partition("@")[0], password):
        raise HttpError(401, message="You are not logged in.")
