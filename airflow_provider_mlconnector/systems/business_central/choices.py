# SPDX-License-Identifier: Apache-2.0
"""What a tenant speaks of the choices that a connection makes: environment, company, and the API of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import msgspec

from airflow_provider_mlconnector.errors import NotFoundError, RemoteError, UnknownNameError
from airflow_provider_mlconnector.systems.business_central.answers import classify
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import SCOPE, FinanceApi
from airflow_provider_mlconnector.systems.business_central.resources import FINANCE_LINES
from airflow_provider_mlconnector.systems.http.entra import EntraSession
from airflow_provider_mlconnector.systems.port import Choice


class _Environment(msgspec.Struct):
    name: str
    type: str = ""


class _Environments(msgspec.Struct):
    value: list[_Environment]


def probe(api: BusinessCentralApi) -> Iterator[Choice]:
    """Yield the choices in the order in which they depend on each other."""
    for ask in (_environment, _company, _source):
        choice = ask(api)
        yield choice
        if not choice.fits:
            return


def _environment(api: BusinessCentralApi) -> Choice:
    own = api.connection.environment
    try:
        api.companies()
    except NotFoundError:
        known = _environments(api)
        sentence = f"The tenant has no environment {own}" + (f", but {', '.join(known)}." if known else ".")
        advice = f"Set Environment to {known[0]}." if len(known) == 1 else "Set Environment to one of the tenant's."
        return Choice("Environment", False, sentence, advice)
    return Choice("Environment", True, f"Environment {own} answers.")


def _environments(api: BusinessCentralApi) -> list[str]:
    """Return the tenant's environments; none where the service does not tell them."""
    connection = api.connection
    session = EntraSession(connection.base_url, connection, SCOPE, api.session.transport, classify=classify)
    with closing(session):
        try:
            body = session.request("GET", "environments/v1.2").content
            return [one.name for one in msgspec.json.decode(body, type=_Environments).value]
        except (RemoteError, msgspec.DecodeError):
            return []


def _company(api: BusinessCentralApi) -> Choice:
    try:
        company = api.find_company()
    except UnknownNameError as error:
        return Choice("Company", False, error.message, "Set Company to one of these names.")
    return Choice("Company", True, f"Company {company.display_name or company.name} is there.")


def _source(api: BusinessCentralApi) -> Choice:
    own, field = api.connection.source, "Ledger source"
    if api.answers_for(FINANCE_LINES):
        sentence = "The finance API answers, and API v2.0 does."
        slow = "Set Ledger source to auto: API v2.0 is the slower way to dimensions." if own is FinanceApi.V2 else ""
        return Choice(field, True, sentence, slow)
    advice = "Set Ledger source to auto, or to v2." if own is FinanceApi.REPORTS_FINANCE else ""
    return Choice(field, not advice, "The finance API does not answer, API v2.0 does.", advice)
