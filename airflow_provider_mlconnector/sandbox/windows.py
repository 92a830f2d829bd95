# SPDX-License-Identifier: Apache-2.0
"""Integrated Windows authentication as IIS does it: a connection is challenged, and stays logged in until it is closed.

The acceptors are those of pyspnego: NTLM, and SPNEGO over NTLM or, where a keytab is at hand, Kerberos.
"""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import spnego
    from spnego.channel_bindings import GssChannelBindings

NEGOTIATE, NTLM = "Negotiate", "NTLM"
MOST_FAILURES = 5
"""Refused logons after which a domain locks an account."""

_USER, _CONTEXT = "windows_user", "windows_context"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Why a request is answered 401: the values of its ``WWW-Authenticate`` headers."""

    headers: tuple[str, ...]


@dataclass
class Domain:
    r"""Accounts of a domain, as ``DOMAIN\user``, and what became of their logons. Safe for threads.

    :param schemes: what a server of the domain offers, in this order.
    :param service: the Kerberos service of its host, and ``keytab`` the file of the service's keys, if it has any.
    :param bindings: what ties a logon to the TLS connection (extended protection); None lets any pass.
    """

    passwords: dict[str, str]
    schemes: Sequence[str] = (NEGOTIATE, NTLM)
    service: str = "HTTP"
    host: str = "127.0.0.1"
    keytab: str = ""
    bindings: GssChannelBindings | None = None
    logons: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    _era: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, connection: MutableMapping[str, Any], authorization: str) -> str | Challenge:
        """Return who is logged in on a connection, or the next leg of the handshake."""
        user, era = connection.get(_USER, ("", self._era))
        if not authorization:
            return str(user) if user and era == self._era else Challenge(tuple(self.schemes))
        scheme, _, text = authorization.partition(" ")
        known = {name.lower(): name for name in self.schemes}.get(scheme.lower())
        if known is None:
            return Challenge(tuple(self.schemes))
        try:
            token = base64.b64decode(text, validate=True)
        except binascii.Error:
            return Challenge(tuple(self.schemes))
        return self._step(connection, known, token)

    def log_off(self) -> None:
        """Forget who is logged in, as a server does that is started again behind its connections."""
        self._era += 1

    def _step(self, connection: MutableMapping[str, Any], scheme: str, token: bytes) -> str | Challenge:
        from spnego.exceptions import SpnegoError

        with self._lock, _environment(self._store(), self.keytab):
            try:
                context = connection.get(_CONTEXT) or self._acceptor(scheme)
                connection[_CONTEXT] = context
                answer = context.step(token)
            except (SpnegoError, ValueError) as error:
                self.failures[type(error).__name__] += 1
                connection.pop(_CONTEXT, None)
                return Challenge(tuple(self.schemes))
            if not context.complete:
                return Challenge((f"{scheme} {base64.b64encode(answer or b'').decode()}",))
            connection.pop(_CONTEXT)
            user = str(context.client_principal)
            self.logons[f"{context.negotiated_protocol} {user}"] += 1
            connection[_USER] = user, self._era
            return user

    def _acceptor(self, scheme: str) -> spnego.ContextProxy:
        import spnego

        ntlm = scheme == NTLM
        options = spnego.NegotiateOptions.use_ntlm if ntlm else spnego.NegotiateOptions.use_negotiate
        return spnego.server(
            hostname=self.host,
            service=self.service,
            protocol="ntlm" if ntlm else "negotiate",
            options=options,
            channel_bindings=self.bindings,
        )

    def _store(self) -> Mapping[str, str]:
        """Return the accounts that are not locked."""
        if sum(self.failures.values()) >= MOST_FAILURES:
            return {}
        return self.passwords


@contextmanager
def _environment(passwords: Mapping[str, str], keytab: str) -> Iterator[None]:
    """Give pyspnego and Kerberos the files that they look for by the environment."""
    lines = [":".join((*name.split("\\", 1), password)) for name, password in passwords.items()]
    with tempfile.TemporaryDirectory(prefix="sandbox-domain-") as folder:
        store = Path(folder) / "accounts"
        store.write_text("\n".join(lines) + "\n", encoding="utf-8")
        values = {"NTLM_USER_FILE": str(store), **({"KRB5_KTNAME": keytab} if keytab else {})}
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name)
                else:
                    os.environ[name] = value
