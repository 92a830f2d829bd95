# SPDX-License-Identifier: Apache-2.0
"""One endpoint of one tenant: single requests to its entities, in one session that is always logged out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urljoin

import msgspec

from airflow_provider_mlconnector.errors import (
    CapabilityError,
    ConflictError,
    ProtocolError,
    RemoteError,
    ServerError,
    UnknownNameError,
)
from airflow_provider_mlconnector.systems.acumatica.answers import OPTIMIZATION, classify, unfit_fields
from airflow_provider_mlconnector.systems.acumatica.connection import (
    CONTRACT,
    DEFAULT_ENDPOINT,
    FIRST_OF_CONTRACT_5,
    AcumaticaConnection,
)
from airflow_provider_mlconnector.systems.acumatica.signin import patient, sign_in_of
from airflow_provider_mlconnector.systems.acumatica.wrapped import Entity, Record
from airflow_provider_mlconnector.systems.http.entra import require_tls
from airflow_provider_mlconnector.systems.http.odata import address
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.tokens import TokenStore
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Finding, FindingKind

if TYPE_CHECKING:
    import requests

BROKEN_TRIES = 3
"""How often something is asked for that comes back broken."""

NO_MATCH: Mapping[str, str] = MappingProxyType({})

_ENCODER = msgspec.json.Encoder(decimal_format="number")

RecordT = TypeVar("RecordT", bound=Record)
Result = TypeVar("Result")

log = logging.getLogger(__name__)


class _Endpoint(msgspec.Struct):
    name: str
    version: str


class _Site(msgspec.Struct):
    endpoints: list[_Endpoint]


class _Info(msgspec.Struct):
    version: str = ""


class _Schema(msgspec.Struct):
    info: _Info


class AcumaticaApi:
    """One endpoint. One request is on its way at a time, as a session works on one anyway."""

    def __init__(
        self,
        connection: AcumaticaConnection,
        transport: Transport = DIRECT,
        *,
        tokens: TokenStore | None = None,
    ) -> None:
        self.connection = connection
        root = require_tls(connection.base_url)
        wire: dict[str, Any] = {
            "classify": classify,
            "headers": {"Accept": "application/json"},
            "one_at_a_time": True,
        }
        self._door = HttpSession(root, replace(transport, retry=patient(transport.retry)), **wire)
        self._sign_in = sign_in_of(self._door, connection, transport.clock, tokens)
        self.session = HttpSession(
            root, transport, authorize=self._sign_in.headers, on_unauthorized=self._sign_in.reject, **wire
        )
        self._endpoint = f"entity/{connection.endpoint}/{connection.version}"
        self._branch = {"PX-CbApiBranch": connection.branch} if connection.branch else {}
        self._unfit: dict[str, frozenset[str]] = {}
        self._checked = False

    @property
    def requests_made(self) -> int:
        """Requests sent so far, those for signing in included."""
        return self.session.requests_made + self._door.requests_made

    def close(self) -> None:
        """Log out and release connections."""
        try:
            self._sign_in.sign_out()
        finally:
            self.session.close()
            self._door.close()

    def check_endpoint(self) -> None:
        """See that the site serves the endpoint in the connection's version, and that its contract is understood.

        :raises UnknownNameError: when it does not; lists what it serves.
        :raises CapabilityError: for a contract that is not understood here.
        """
        if self._checked:
            return
        wanted = (self.connection.endpoint, self.connection.version)
        site = self._listed()
        if wanted not in [(one.name, one.version) for one in site.endpoints]:
            raise UnknownNameError(
                f"The site serves no endpoint {'/'.join(wanted)} to this user.",
                candidates=[f"{one.name}/{one.version}" for one in site.endpoints],
                hint="Enter one of these in the connection; a newer version may show fields in another way.",
            )
        contract = self._contract()
        if contract != CONTRACT:
            raise CapabilityError(
                f"The endpoint {'/'.join(wanted)} speaks contract {contract}, in which drop-downs and dates are "
                f"written otherwise; contract {CONTRACT} is understood here.",
                hint="Choose a version of the endpoint before 26.200.001 in the connection.",
            )
        self._checked = True

    def records(
        self, entity: Entity[RecordT], findings: list[Finding], *, where: str = "", top: int = 0
    ) -> list[RecordT]:
        """Return records that a filter lets through; without ``top`` all of them.

        Fields that the server cannot make a list with are left out where they are not needed, and reported.

        :raises RemoteError: with the code ``OPTIMIZATION`` where a needed field stands in the way.
        """
        while True:
            unfit = self._unfit.get(entity.name, frozenset())
            try:
                options = _options(entity, unfit, where=where, top=top)
                return self._answer(entity.read, "GET", self._path(entity), options)
            except RemoteError as exc:
                self._leave_out(entity, exc, unfit, findings)

    def keys(self, entity: Entity[RecordT], *, where: str, top: int, skip: int) -> list[tuple[str, ...]]:
        """Return the keys of records and nothing else of them."""
        options = {"$filter": where, "$select": ",".join(entity.keys), "$top": str(top), "$skip": str(skip)}
        path = self._path(entity)
        return self._answer(entity.read_keys, "GET", path, {name: value for name, value in options.items() if value})

    def record(self, entity: Entity[RecordT], keys: tuple[str, ...]) -> RecordT:
        """Return a record by its keys.

        :raises NotFoundError: when there is none.
        """
        path = self._path(entity, "/".join(quote(key, safe="") for key in keys))
        return self._answer(entity.read_one, "GET", path, _options(entity, frozenset()))

    def inquire(self, entity: Entity[RecordT], parameters: Mapping[str, object]) -> RecordT:
        """Ask an inquiry; its rows come with it."""
        options = {"$expand": ",".join(entity.details)}
        return self._answer(entity.read_one, "PUT", self._path(entity), options, parameters)

    def change(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, match: Mapping[str, str] = NO_MATCH
    ) -> None:
        """Send a request that changes something, once.

        :param path: below the endpoint, such as ``JournalTransaction``.
        :param match: the header that says what has to be there, or must not.
        :raises LostAnswerError: when it may have taken effect all the same.
        :raises ConflictError: when things are otherwise, or a long operation of this session goes on.
        """
        self._once(method, path, body, match)

    def start(self, path: str, body: Mapping[str, object]) -> str:
        """Start an action, once; return the address at which :meth:`is_over` asks for its end, "" when it is over.

        Raises as :meth:`change` does.
        """
        response = self._once("POST", path, body, NO_MATCH)
        return response.headers["Location"] if response.status_code == HTTPStatus.ACCEPTED else ""

    def is_over(self, location: str) -> bool:
        """Ask whether a long operation is over, at the address that its start was answered with.

        :raises RemoteError: as it failed.
        """
        answer = self.session.request("GET", urljoin(f"{self.connection.base_url}/", location))
        return answer.status_code != HTTPStatus.ACCEPTED

    def _once(
        self, method: str, path: str, body: Mapping[str, object] | None, match: Mapping[str, str]
    ) -> requests.Response:
        self.check_endpoint()
        headers = {**self._branch, **match, "Content-Type": "application/json"}
        data = b"" if body is None else _ENCODER.encode(body)
        try:
            return self.session.request(
                method, f"{self._endpoint}/{path}", data=data, headers=headers, idempotent=False
            )
        except ServerError as exc:
            if exc.status == HTTPStatus.CONFLICT:
                raise ConflictError(exc.message, status=exc.status, path=exc.path, hint=exc.hint) from exc
            raise

    def _answer(
        self,
        read: Callable[[bytes], Result],
        method: str,
        path: str,
        options: Mapping[str, str],
        body: Mapping[str, object] | None = None,
    ) -> Result:
        """Send a request and read its answer; one that comes broken is asked for again."""
        self.check_endpoint()
        for _ in range(BROKEN_TRIES - 1):
            try:
                return read(self._request(method, path, options, body))
            except ProtocolError as exc:
                log.info("%s Asking again.", exc)
        return read(self._request(method, path, options, body))

    def _request(
        self, method: str, path: str, options: Mapping[str, str], body: Mapping[str, object] | None = None
    ) -> bytes:
        return self.session.request(method, address(path, options), json=body, headers=self._branch).content

    def _path(self, entity: Entity[RecordT], keys: str = "") -> str:
        path = f"{self._endpoint}/{entity.name}"
        return f"{path}/{keys}" if keys else path

    def _leave_out(
        self, entity: Entity[RecordT], error: RemoteError, unfit: frozenset[str], findings: list[Finding]
    ) -> None:
        """Leave fields out of the lists of an entity from now on; raise the error again where that cannot help."""
        named = [name for name in unfit_fields(error) if entity.is_optional(name) and name not in unfit]
        if error.remote_code != OPTIMIZATION or not named:
            raise error
        self._unfit[entity.name] = unfit | {*named}
        detail = "the server cannot list it; it is left empty"
        findings += [Finding(FindingKind.FALLBACK, f"{entity.name}.{name}", detail) for name in named]

    def _listed(self) -> _Site:
        body = self._request("GET", "entity", {})
        try:
            return msgspec.json.decode(body, type=_Site)
        except msgspec.DecodeError:
            pass
        try:
            return _Site(msgspec.json.decode(body, type=list[_Endpoint]))  # as old builds write it
        except msgspec.DecodeError:
            raise ProtocolError("The list of endpoints cannot be read.", path="/entity") from None

    def _contract(self) -> int:
        """Return the contract of the endpoint: that of Default by its version, that of others as their schema says."""
        if self.connection.endpoint == DEFAULT_ENDPOINT:
            return CONTRACT + (self.connection.version >= FIRST_OF_CONTRACT_5)
        path = f"{self._endpoint}/swagger.json"
        version = msgspec.json.decode(self._request("GET", path, {}), type=_Schema).info.version
        return int(version) if version.isdecimal() else CONTRACT


def _options(entity: Entity[RecordT], unfit: frozenset[str], *, where: str = "", top: int = 0) -> dict[str, str]:
    options = {
        "$filter": where,
        "$select": ",".join(entity.selected(unfit)),
        "$expand": ",".join(entity.details),
        "$custom": ",".join(entity.custom),
        "$top": str(top or ""),
    }
    return {name: value for name, value in options.items() if value}
