# SPDX-License-Identifier: Apache-2.0
"""Sessions of the e.net service, and calls within them. Each holds a seat of the licence until it is logged off.

The service answers 200 to everything; what went wrong is a text that begins with ERROR. A session's id is kept letter
by letter, blanks at its end included.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
from collections.abc import Mapping
from urllib.parse import quote

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    ConflictError,
    MlconnectorError,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection

log = logging.getLogger(__name__)

SESSION_HEADER = "UserId"
"""Header that carries a session to the OData service, by the name that it has everywhere in the e.net service. Nothing
public tells of a site whose OData service takes sessions; Basic is what its documentation asks for."""

_UNCACHED = {"Cache-Control": "no-store"}
"""A GET changes things here, and its answer is of that one call."""
_SEATS = re.compile(r"maximum|licen[cs]e|concurrent", re.IGNORECASE)
_SESSION = re.compile(r"[\w{}-]{32,40} *")
_WRAPPED = re.compile(r"\s*<string[^>]*>(.*)</string>\s*", re.DOTALL)
_QUERY = re.compile(r"\?\S*")


class WithoutQuery(logging.Filter):
    """Cuts queries out of what the HTTP library logs: here they hold passwords."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, changed."""
        if isinstance(record.args, tuple):
            record.args = tuple(_QUERY.sub("?***", one) if isinstance(one, str) else one for one in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(WithoutQuery())


class BasicLogin:
    """Logs in with every request; the same calls as :class:`EnetSession`."""

    def __init__(self, connection: SysproConnection) -> None:
        told = f"{connection.operator}:{connection.password}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(told).decode()}"}

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header."""
        return self._headers

    def close(self) -> None:
        """Do nothing: there is no session."""


class EnetSession:
    """One session: begun at the first request, begun anew when it is lost, always logged off.

    :param session: to the root of the e.net REST service.
    """

    def __init__(self, connection: SysproConnection, session: HttpSession) -> None:
        self._connection = connection
        self._session = session
        self._lock = threading.Lock()
        self._user_id = ""

    def headers(self) -> Mapping[str, str]:
        """Return the header that carries the session, percent-encoded since a header keeps no blanks at its end.

        :raises AuthenticationError: when the logon is refused.
        :raises ConflictError: when all seats are taken.
        """
        with self._lock:
            self._user_id = self._user_id or self._log_on()
            return {SESSION_HEADER: quote(self._user_id, safe="")}

    def reject(self, refused: Mapping[str, str]) -> None:
        """Give up a session that the service refused."""
        with self._lock:
            if refused.get(SESSION_HEADER) == quote(self._user_id, safe=""):
                self._log_off()

    def open(self) -> None:
        """Log on, unless that was done.

        :raises AuthenticationError: when the logon is refused.
        :raises ConflictError: when all seats are taken.
        """
        self.headers()

    def call(self, path: str, asked: Mapping[str, str | bytes], over: HttpSession, *, repeatable: bool) -> str:
        """Call the service within the session and return what it says, errors included.

        :param over: sends it; it leads to the same service.
        """
        self.open()
        return _call(over, path, {"UserId": self._user_id, **asked}, repeatable=repeatable)

    def leave(self) -> None:
        """Log off; the next call logs on again."""
        with self._lock:
            self._log_off()

    def close(self) -> None:
        """Log off and release connections."""
        self.leave()
        self._session.close()

    def _log_on(self) -> str:
        asked = {
            "Operator": self._connection.operator,
            "OperatorPassword": self._connection.password,
            "CompanyId": self._connection.company,
            "CompanyPassword": self._connection.company_password,
        }
        answer = _call(self._session, self._connection.logon_path, asked)
        if not answer.startswith("ERROR"):
            if not _SESSION.fullmatch(answer):
                raise ProtocolError("The e.net logon did not answer with a session.", hint="Check the e.net address.")
            return answer
        operator = self._connection.operator
        if _SEATS.search(answer):
            raise ConflictError(
                f"SYSPRO has no free seat for operator {operator}: {answer[6:].strip()}.",
                hint="Sessions that were not logged off hold seats until they time out; try again later.",
            )
        raise AuthenticationError(
            f"SYSPRO refuses operator {operator} in company {self._connection.company}: {answer[6:].strip()}.",
            hint="Check operator, company and both passwords of the connection.",
        )

    def _log_off(self) -> None:
        """Give the seat back; a service that cannot take it keeps it until it times out."""
        user_id, self._user_id = self._user_id, ""
        if not user_id:
            return
        beside = self._connection.logon_path.rpartition("/")[0]
        try:
            answer = _call(self._session, f"{beside}/Logoff".lstrip("/"), {"UserId": user_id})
        except MlconnectorError as error:
            answer = error.message
        if answer != "0":
            log.warning("The e.net session was not logged off: %s", answer)


def query_of(asked: Mapping[str, str | bytes]) -> str:
    """Return a query, each value percent-encoded byte by byte."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())


def _call(session: HttpSession, path: str, asked: Mapping[str, str | bytes], *, repeatable: bool = False) -> str:
    address = f"{path}?{query_of(asked)}"
    response = session.request("GET", address, headers=_UNCACHED, idempotent=repeatable)
    return unwrapped(response.content.decode("cp1252", "replace"))


def unwrapped(text: str) -> str:
    """Return an answer as the service meant it: bare, or out of the JSON string or the XML element around it."""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        return html.unescape(wrapped[1])
    return str(json.loads(text)) if text.startswith('"') else text.strip("\r\n")
