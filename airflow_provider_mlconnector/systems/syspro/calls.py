# SPDX-License-Identifier: Apache-2.0
"""Calls of e.net business objects, within one session.

A session that was lost is found out by any ERROR, since the service's texts mislead: the next call logs on again, and
the second ERROR in a row is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_mlconnector.errors import BadRequestError, ConflictError
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.syspro.enet import EnetSession
from airflow_provider_mlconnector.systems.syspro.posting_answers import Answer, Refusal, read_answer

LONGEST_QUERY = 15_500
"""Characters of a query that surely pass: http.sys refuses request lines of more than 16 KB, session and path
included, and the service takes its data in no other way."""

Asked = Mapping[str, str | bytes]
"""The query of a call, but for its session."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How the service is reached.

    :param session: logs on and off.
    :param patient: sends checks, again if need be; ``once`` sends postings, and never a second time.
    """

    session: EnetSession
    patient: HttpSession
    once: HttpSession

    def close(self) -> None:
        """Log off and release connections."""
        self.session.close()
        self.patient.close()
        self.once.close()


class Caller:
    """Calls the service. Not shared between threads."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._doubted = False

    def check(self, path: str, asked: Asked) -> tuple[Refusal, ...]:
        """Have something checked that is not to be done; return what is refused.

        :raises BadRequestError: when the call itself is refused.
        """
        try:
            return self.answer(path, asked, self.wire.patient, repeatable=True).refusals
        except ConflictError:
            return self.answer(path, asked, self.wire.patient, repeatable=True).refusals

    def answer(self, path: str, asked: Asked, over: HttpSession, *, repeatable: bool) -> Answer:
        """Call once.

        :param over: sends it.
        :raises ConflictError: at the first ERROR: the session may be gone.
        :raises BadRequestError: at the second one in a row: the call is refused.
        """
        text = self.wire.session.call(path, asked, over, repeatable=repeatable)
        try:
            answer = read_answer(text)
        except BadRequestError as error:
            if self._doubted:
                raise
            self._doubted = True
            self.wire.session.leave()
            raise ConflictError(error.message, hint="The session may be lost; a new one is begun.") from error
        self._doubted = False
        return answer
