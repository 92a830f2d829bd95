# SPDX-License-Identifier: Apache-2.0
"""The HTTP client that msal is given: a session of our own.

So time-outs, repetition, proxies and TLS are the same as everywhere. msal speaks to https addresses alone; where the
authority is this very machine and answers plain http, msal is shown https and the transport sends http.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.systems.http.session import HttpSession

if TYPE_CHECKING:
    import requests


def as_https(url: str) -> str:
    """Return the address that msal is shown."""
    return re.sub(r"^http:", "https:", url)


class _Refused(MlconnectorError):
    """A 4xx of the authority: an answer to msal, not a failure."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__("refused")
        self.status = status
        self.text = text


def refused(response: requests.Response) -> MlconnectorError | None:
    """Let the session repeat 429 and 5xx; everything else msal must see."""
    retried = response.status_code == 429 or response.status_code >= 500
    return None if retried else _Refused(response.status_code, response.text)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What msal looks at in an answer."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class MsalTransport:
    """Sends for msal, in the form that msal asks for: ``get`` and ``post`` with a status, a text and headers."""

    def __init__(self, session: HttpSession) -> None:
        self._session = session
        parts = urlsplit(session.base_url)
        self._real, self._shown = f"{parts.scheme}://{parts.netloc}", f"https://{parts.netloc}"

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> _Answer:
        """Send a GET, as msal asks for it."""
        return self._send("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> _Answer:
        """Send a POST; asking for a token twice does no harm."""
        return self._send("POST", url, params=params, data=data, headers=headers)

    def _send(self, method: str, url: str, **body: Any) -> _Answer:
        real = url.replace(self._shown, self._real, 1)
        try:
            response = self._session.request(method, real, idempotent=True, **body)
        except _Refused as refusal:
            return _Answer(refusal.status, refusal.text)
        return _Answer(response.status_code, response.text.replace(self._real, self._shown))
