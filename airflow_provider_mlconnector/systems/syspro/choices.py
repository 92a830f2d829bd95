# SPDX-License-Identifier: Apache-2.0
"""What a site speaks of the choices that a connection makes: its login, the paths of its tables, its GL codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from airflow_provider_mlconnector.errors import AuthenticationError, MlconnectorError
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.port import Choice
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.connection import Auth, SysproConnection
from airflow_provider_mlconnector.systems.syspro.tables import MASTERS

LOGON_PATHS = ("Logon", "Utilities/Logon")
ENTITY_URLS = ("{table}", "{company}/{table}", "SysproCompany{company}/{table}")
SAMPLE = 50
"""GL codes that are looked at."""


def probe(connection: SysproConnection, transport: Transport) -> Iterator[Choice]:
    """Yield the choices in the order in which they depend on each other.

    :raises AuthenticationError: when no login is taken.
    """
    once = replace(transport, retry=replace(transport.retry, attempts=1))
    login = _login(connection, once)
    yield login
    if not login.fits:
        return
    shown = _shown(replace(connection, page_size=SAMPLE), once)
    yield _path(connection, shown)
    if connection.entity_url in shown:
        yield _gl_code(connection, shown[connection.entity_url])


def _login(connection: SysproConnection, transport: Transport) -> Choice:
    """Return what the service takes; other ways are tried only where the connection's own is refused."""
    refused = _refusal(connection, transport)
    if refused is None:
        return Choice("Authentication", True, f"The OData service takes {_how(connection)}.")
    for other in _other_logins(connection, refused):
        again = _refusal(other, transport)
        if isinstance(again, AuthenticationError):
            break  # the password is as wrong there, and failed logons lock operators
        if again is None:
            why = refused.message.rstrip(".")
            sentence = f"The OData service does not take {_how(connection)} ({why}), but it takes {_how(other)}."
            if other.auth is connection.auth:
                return Choice("Logon path", False, sentence, f"Set Logon path to {other.logon_path}.")
            path = f", and Logon path to {other.logon_path}" if other.auth is Auth.SESSION else ""
            return Choice("Authentication", False, sentence, f"Set Authentication to {other.auth}{path}.")
    raise refused


def _other_logins(connection: SysproConnection, refused: MlconnectorError) -> Iterator[SysproConnection]:
    """Yield the other ways to log in; other paths only where there was nobody to refuse the password."""
    paths = dict.fromkeys((connection.logon_path, *LOGON_PATHS))
    if connection.auth is Auth.SESSION:
        if not isinstance(refused, AuthenticationError):
            yield from (replace(connection, logon_path=path) for path in paths if path != connection.logon_path)
        yield replace(connection, auth=Auth.BASIC)
    elif connection.enet_url:
        yield from (replace(connection, auth=Auth.SESSION, logon_path=path) for path in paths)


def _refusal(connection: SysproConnection, transport: Transport) -> MlconnectorError | None:
    """Return why a login is not taken; None when it is."""
    with closing(SysproApi(connection, transport)) as api:
        try:
            api.log_in()
        except MlconnectorError as error:
            return error
    return None


def _how(connection: SysproConnection) -> str:
    if connection.auth is Auth.BASIC:
        return "the operator by Basic"
    return f"an e.net session of {connection.logon_path}"


def _shown(connection: SysproConnection, transport: Transport) -> dict[str, list[str]]:
    """Return GL codes of the company by the paths that show some, the connection's own first.

    A path that names the company leaves nothing to look for.
    """
    shown: dict[str, list[str]] = {}
    for url in dict.fromkeys((connection.entity_url, *ENTITY_URLS)):
        if codes := _codes(replace(connection, entity_url=url), transport):
            shown[url] = codes
            if "{company}" in url:
                break
    return shown


def _codes(connection: SysproConnection, transport: Transport) -> list[str]:
    """Return some GL codes of the company; none where the path shows none."""
    with closing(SysproApi(connection, transport)) as api:
        try:
            rows = next(iter(api.rows(MASTERS, [])), None)
        except MlconnectorError:
            return []
        codes = [] if rows is None else [str(code) for code in rows["GlCode"].to_pylist()]
        return [code for code in codes if code not in connection.pseudo_codes]


def _path(connection: SysproConnection, shown: dict[str, list[str]]) -> Choice:
    own, field = connection.entity_url, "Path of a table"
    by_company = next((url for url in shown if "{company}" in url), "")
    if not shown:
        sentence = f"No path that is known shows GL codes of company {connection.company}."
        return Choice(field, False, sentence, "Check Company, OData service and Path of a table.")
    if own not in shown:
        sentence = f"Nothing of company {connection.company} lies at {own}, but at {', '.join(shown)}."
        return Choice(field, False, sentence, f"Set Path of a table to {by_company or next(iter(shown))}.")
    if by_company and "{company}" not in own:
        sentence = f"Tables lie at {own}, which shows the company of the operator, and at {by_company}."
        return Choice(field, True, sentence, f"Set Path of a table to {by_company}: it names the company.")
    return Choice(field, True, f"Tables of company {connection.company} lie at {own}.")


def _gl_code(connection: SysproConnection, codes: list[str]) -> Choice:
    structure = connection.gl_code
    separators = structure.separator * len(structure.dimensions)
    strange = next((code for code in codes if "".join(re.findall(r"\W", code)) != separators), "")
    if not strange:
        return Choice("GL code structure", True, f"GL codes are like {codes[0]}, which is {structure.structure}.")
    sentence = f"GL codes are like {strange}, which is not {structure.structure}."
    advice = "Set GL code structure to a name for each segment, with what separates them between."
    return Choice("GL code structure", False, sentence, advice)
