# SPDX-License-Identifier: Apache-2.0
"""What a server speaks of the choices that a connection makes: how to log in, the company, whether there is SBA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from airflow_provider_mlconnector.errors import MlconnectorError, RemoteError, UnknownNameError
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.custom_journals import NEEDED
from airflow_provider_mlconnector.systems.dynamics_gp.sba import SbaService, field
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.http.windows_auth import Scheme
from airflow_provider_mlconnector.systems.port import Choice

WEB_SERVICES = "/DynamicsGPWebServices"
SBA = "/GPService"
_NAMES = {"negotiate": "Negotiate", "ntlm": "NTLM"}


def probe(api: GpApi, transport: Transport) -> Iterator[Choice]:
    """Yield the choices in the order in which they depend on each other."""
    for ask in (_scheme, _company):
        choice = ask(api)
        yield choice
        if not choice.fits:
            return
    if api.sba is None:
        yield _without_sba(api, transport)
        return
    spelling = _spelling(api.sba, api)
    yield spelling
    if spelling.fits and api.connection.gl_resource:
        yield _resource(api.sba, api)


def _scheme(api: GpApi) -> Choice:
    """Say which ways to log in the server offers; no logon is tried for that."""
    account = api.connection.account
    offered = [scheme for scheme in _NAMES if scheme in api.offered_schemes()]
    sentence = f"The web services offer {' and '.join(_NAMES[one] for one in offered) or 'no Windows authentication'}."
    if account is None or account.scheme in offered or (account.scheme is Scheme.AUTO and offered):
        return Choice("Authentication", True, sentence)
    advice = f"Set Authentication to {offered[0]}, or to auto." if offered else "Check Web services' host and its path."
    return Choice("Authentication", False, sentence, advice)


def _company(api: GpApi) -> Choice:
    try:
        company = api.company
    except UnknownNameError as error:
        return Choice("Company", False, error.message, "Set Company to one of these names or numbers.")
    return Choice("Company", True, f"Company {company.name} is number {company.id}.")


def _without_sba(api: GpApi, transport: Transport) -> Choice:
    """Look for SBA beside the web services where the connection names none."""
    field = "SBA's host"
    beside = api.connection.soap_url.partition(WEB_SERVICES)[0] + SBA
    once = replace(transport, retry=replace(transport.retry, attempts=1))
    with closing(GpApi(replace(api.connection, sba_url=beside), once)) as other:
        try:
            known = other.sba.companies() if other.sba else []
        except MlconnectorError:
            return Choice(field, True, "SBA is not named, and not beside the web services: they give everything.")
    sentence = f"SBA is not named, but answers at {beside}; it knows {', '.join(known)}."
    return Choice(field, True, sentence, "Set SBA's host and SBA's path to read vendors and invoices by it.")


def _spelling(sba: SbaService, api: GpApi) -> Choice:
    field, own = "Company in SBA's addresses", api.connection.sba_company or api.connection.company
    try:
        known = sba.companies()
    except RemoteError as error:
        sentence = f"SBA does not answer ({error.message.rstrip('.')}); the web services give everything."
        return Choice("SBA's host", True, sentence, "Check SBA's host, SBA's path and Tenant, or leave the host empty.")
    if own in known:
        return Choice(field, True, f"SBA knows the company as '{own}'.")
    alike = next((name for name in known if name.casefold() == own.casefold()), "")
    advice = (
        f"Set Company in SBA's addresses to {alike}." if alike else "Set Company in SBA's addresses to one of these."
    )
    return Choice(field, False, f"SBA knows {', '.join(known) or 'no company'}, and no '{own}'.", advice)


def _resource(sba: SbaService, api: GpApi) -> Choice:
    """Say whether the customer's own resource is there, and has the columns of lines; SBA gives it whole only."""
    name, resource = "SBA resource of journal lines", api.connection.gl_resource
    try:
        rows = sba.rows(resource)
    except RemoteError as error:
        sentence = f"SBA does not give {resource} ({error.message.rstrip('.')}); journals come from the web services."
        return Choice(name, True, sentence, f"Correct {name}, or leave it empty.")
    names = dict(api.connection.gl_fields)
    missing = [column for column in NEEDED if rows and field(rows[0], names.get(column, column)) is None]
    if not missing:
        return Choice(name, True, f"SBA gives {resource} with {len(rows)} lines.")
    sentence = f"The lines of {resource} have {', '.join(rows[0])}, and no {', '.join(missing)}."
    return Choice("Names of its columns", False, sentence, f"Say in Names of its columns what stands for {missing[0]}.")
