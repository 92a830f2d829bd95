# SPDX-License-Identifier: Apache-2.0
"""One HTTP session per remote system: authorised, budgeted, repeated only where that is safe, with typed errors.

What this module guarantees: a request that may not take effect twice is sent again only when the server refused it or
nothing of it was sent; credentials never leave the origin they were given for; errors hold neither query nor body.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from airflow_provider_mlconnector.errors import (
    MlconnectorError,
    ProtocolError,
    RateLimitedError,
)
from airflow_provider_mlconnector.systems.http.failures import (
    Failure,
    Sending,
    error_of_status,
    failure_of_exception,
)
from airflow_provider_mlconnector.systems.http.retry import Attempts, http_date, retry_after
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Timeout, Transport

if TYPE_CHECKING:
    import requests
    from requests.auth import AuthBase

Headers = Mapping[str, str]

log = logging.getLogger(__name__)

REPEATABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
COPY_BYTES = 1 << 18
POOL_SIZE = 32


class HttpSession:
    """Talks to one origin. Threads may share it; connections are kept.

    :param authorize: returns the headers that carry the credentials, called before every send.
    :param on_unauthorized: told the headers that a 401 refused; the request is then sent once more.
    :param classify: turns an answer that is not a success into an error; None from it means by status alone.
    :param before_request: called before every send; it may wait (a budget of requests).
    :param on_throttled: told the seconds that a 429 asks for, so that others can hold back too.
    :param one_at_a_time: whether a request waits here until the one before it is over; one that is repeated after a
        pause gives way meanwhile, but a download keeps its turn until its last byte.
    :param auth: logs connections in, as Windows does, instead of requests. The session then keeps one connection, and
        threads must not share it.
    :ivar server_time: the server's clock at its last answer; None before the first, and where it tells no time.
    """

    def __init__(
        self,
        base_url: str,
        transport: Transport = DIRECT,
        *,
        authorize: Callable[[], Headers] | None = None,
        on_unauthorized: Callable[[Headers], None] | None = None,
        classify: Callable[[requests.Response], MlconnectorError | None] | None = None,
        before_request: Callable[[], None] | None = None,
        on_throttled: Callable[[float], None] | None = None,
        headers: Headers | None = None,
        one_at_a_time: bool = False,
        auth: AuthBase | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._origin = origin(base_url)
        self._authorize = authorize
        self._on_unauthorized = on_unauthorized
        self._classify = classify
        self._before_request = before_request
        self._on_throttled = on_throttled
        self.transport = transport
        self.server_time: datetime | None = None
        # Reentrant, since a download holds it around its requests and the body that comes after them.
        self._turn: AbstractContextManager[object] = threading.RLock() if one_at_a_time else nullcontext()
        self._counting = threading.Lock()
        self._sent = 0
        self._auth = auth or _as_it_is
        self._session = _session(headers or {}, connections=POOL_SIZE if auth is None else 1)
        self._route = _route(self._session, self.base_url, transport)

    @property
    def requests_made(self) -> int:
        """Requests sent so far, each repetition counted."""
        return self._sent

    def request(
        self,
        method: str,
        url_or_path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Headers | None = None,
        stream: bool = False,
        idempotent: bool | None = None,
        repeat_timeouts: bool = True,
        timeout: Timeout | None = None,
        guard: Callable[[], None] | None = None,
    ) -> requests.Response:
        """Send a request, again if need be, and return the successful answer.

        :param url_or_path: a path below the base URL, or an absolute URL of the same origin.
        :param stream: leave the body on the wire; the caller reads and closes the answer.
        :param idempotent: whether it may take effect twice; by default so for all methods but POST and PATCH.
        :param repeat_timeouts: False raises LostAnswerError at the first read time-out, for a server whose silence
            says something.
        :param guard: called right before every send of this request; what it raises ends it.
        :raises LostAnswerError: the request was sent, no answer came, and it may not be repeated.
        :raises TransportError: no connection after all tries.
        :raises ProtocolError: another origin was asked for, or the server sent us there.
        :raises MlconnectorError: what ``classify`` made of the last answer, or the RemoteError of its status.
        """
        repeatable = method.upper() in REPEATABLE_METHODS if idempotent is None else idempotent
        sending = Sending(method.upper(), self.absolute(url_or_path), repeatable, not repeat_timeouts, guard)
        patience = timeout or self.transport.timeout
        body = {"params": params, "json": json, "data": data, "stream": stream, "timeout": patience}
        return self._until_answered(sending, headers or {}, body)

    def download(self, url_or_path: str, sink: BinaryIO, *, repeat_timeouts: bool = True, **options: Any) -> int:
        """Stream the body of a GET to a seekable file at its position; return its bytes.

        A body that breaks off is cut away again and the request repeated. Options are those of :meth:`request`.
        """
        import requests

        start = sink.tell()
        attempts = Attempts(self.transport.retry)
        sending = Sending("GET", self.absolute(url_or_path), repeatable=True, silence_is_final=not repeat_timeouts)
        while True:
            try:
                with (
                    self._turn,
                    self.request(
                        "GET", url_or_path, stream=True, repeat_timeouts=repeat_timeouts, **options
                    ) as response,
                ):
                    sink.writelines(response.iter_content(COPY_BYTES))
                return sink.tell() - start
            except requests.RequestException as exc:
                sink.seek(start)
                sink.truncate()
                failure = failure_of_exception(exc, sending)
            self._wait_or_raise(attempts, failure, repeatable=True)

    def absolute(self, url_or_path: str) -> str:
        """Return the address of a path below the base URL, or an absolute one of the same origin as it is.

        :raises ProtocolError: for an address of another origin.
        """
        if "://" not in url_or_path:
            return f"{self.base_url}/{url_or_path.lstrip('/')}"
        if origin(url_or_path) != self._origin:
            host = urlsplit(url_or_path).hostname
            raise ProtocolError(
                f"A link leads from {urlsplit(self.base_url).hostname} to {host}.",
                hint="Credentials are not sent to another host; check the address in the connection.",
            )
        return url_or_path

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _until_answered(self, sending: Sending, headers: Headers, body: Mapping[str, Any]) -> requests.Response:
        attempts = Attempts(self.transport.retry)
        renewed = False
        while True:
            credentials = dict(self._authorize()) if self._authorize else {}
            answer = self._exchange(sending, {**headers, **credentials}, body)
            if not isinstance(answer, Failure):
                return answer
            if answer.status == 401 and self._on_unauthorized and not renewed:
                renewed = True
                self._on_unauthorized(credentials)
                continue
            self._wait_or_raise(attempts, answer, sending.repeatable)

    def _wait_or_raise(self, attempts: Attempts, failure: Failure, repeatable: bool) -> None:
        wait = attempts.wait_after(failure.error, asked=failure.asked, repeatable=repeatable)
        if wait is None:
            raise failure.error
        if isinstance(failure.error, RateLimitedError) and self._on_throttled:
            self._on_throttled(wait)
        log.info("%s Trying again in %.1f s.", failure.error, wait)
        self.transport.clock.sleep(wait)

    def _exchange(self, sending: Sending, headers: Headers, body: Mapping[str, Any]) -> requests.Response | Failure:
        """Send once, following redirects within the origin."""
        import requests

        try:
            response = self._send(sending, headers, body)
            for _ in range(MAX_REDIRECTS):
                if response.status_code not in REDIRECTS or "Location" not in response.headers:
                    break
                response = self._send(self._redirected(sending, response), headers, {**body, "params": None})
            return response if 200 <= response.status_code < 300 else self._refusal(response)
        except requests.RequestException as exc:
            return failure_of_exception(exc, sending)

    def _refusal(self, response: requests.Response) -> Failure:
        asked = retry_after(response.headers.get("Retry-After"), self.transport.clock.now())
        with response:
            error = (self._classify and self._classify(response)) or error_of_status(response)
        if isinstance(error, RateLimitedError):
            error.retry_after = asked
        return Failure(error, status=response.status_code, asked=asked)

    def _send(self, sending: Sending, headers: Headers, body: Mapping[str, Any]) -> requests.Response:
        if self._before_request:
            self._before_request()
        if sending.guard:
            sending.guard()
        with self._counting:
            self._sent += 1
        with self._turn:
            response = self._session.request(
                sending.method,
                sending.url,
                headers=headers,
                allow_redirects=False,
                auth=self._auth,
                **self._route,
                **body,
            )
        self.server_time = http_date(response.headers.get("Date")) or self.server_time
        return response

    def _redirected(self, sending: Sending, response: requests.Response) -> Sending:
        response.close()
        if response.status_code == 303 or not sending.repeatable:
            raise ProtocolError(f"{sending.method} {urlsplit(sending.url).path} was sent elsewhere.")
        return replace(sending, url=self.absolute(urljoin(sending.url, response.headers["Location"])))


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL, so that two can be compared."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return parts.scheme, (parts.hostname or "").lower(), port


def _session(headers: Headers, *, connections: int) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.headers.update(headers)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=connections, pool_block=connections == 1))
    return session


def _route(session: requests.Session, url: str, transport: Transport) -> Mapping[str, Any]:
    """Return proxies and certificates, those of the environment beside ours: looked up once, not with every request."""
    merged = session.merge_environment_settings(url, dict(transport.proxies), None, transport.verify, None)
    session.trust_env = False
    return {"proxies": merged["proxies"], "verify": merged["verify"]}


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request alone: without this, requests puts a password from ~/.netrc over our credentials."""
    return request
