# SPDX-License-Identifier: Apache-2.0
"""The e.net business object that checks a journal, or posts it.

What this module guarantees: a posting is sent once, within a session that was open before, so that the time in which
it may take effect begins when its step does.
"""

from __future__ import annotations

from airflow_provider_mlconnector.errors import BadRequestError, ProtocolError
from airflow_provider_mlconnector.systems.syspro.calls import Caller, Wire
from airflow_provider_mlconnector.systems.syspro.documents import ENCODING, parameters
from airflow_provider_mlconnector.systems.syspro.enet import query_of
from airflow_provider_mlconnector.systems.syspro.posting_answers import Refusal

SLACK = 15.0
"""Seconds more than both time-outs after which a request counts as over: clocks and queues are not exact."""

_PATH = "Transaction/Post"


class JournalObject:
    """One business object of one company. Not shared between threads.

    :param name: such as GENTJL.
    :param root: name of the outermost element of its documents.
    """

    def __init__(self, wire: Wire, name: str, root: str) -> None:
        self.name = name
        self.settle = sum(wire.once.transport.timeout) + SLACK
        self._wire = wire
        self._root = root
        self._caller = Caller(wire)

    def query_length(self, document: str) -> int:
        """Return the length of the query that carries a document, but for its session."""
        return len(query_of(self._asked(document, validate_only=False)))

    def validate(self, document: str) -> tuple[Refusal, ...]:
        """Have a document checked and nothing posted; return what is refused.

        :raises BadRequestError: when the call itself is refused.
        """
        return self._caller.check(_PATH, self._asked(document, validate_only=True))

    def open(self) -> None:
        """Log on, unless that was done."""
        self._wire.session.open()

    def post(self, document: str) -> str:
        """Have a document posted, once, and return the journal's number as far as it is told.

        :raises ConflictError: when the session is gone: look whether it was posted, and begin again.
        :raises BadRequestError: when it is refused; nothing was posted.
        :raises LostAnswerError: when it may have been posted all the same.
        :raises ProtocolError: when the answer says neither; it may have been posted.
        """
        asked = self._asked(document, validate_only=False)
        answer = self._caller.answer(_PATH, asked, self._wire.once, repeatable=False)
        if answer.refusals:
            raise refused(answer.refusals)
        if not answer.processed:
            raise ProtocolError(f"{self.name} tells of no journal that was posted, and of no error.")
        return answer.number

    def close(self) -> None:
        """Log off and release connections."""
        self._wire.close()

    def _asked(self, document: str, *, validate_only: bool) -> dict[str, str | bytes]:
        return {
            "BusinessObject": self.name,
            "XmlParameters": parameters(self._root, validate_only=validate_only),
            "XmlIn": document.encode(ENCODING),
        }


def refused(refusals: tuple[Refusal, ...]) -> BadRequestError:
    """Return the error of a document that is refused, with the first reasons."""
    told = "; ".join(f"{one.value or one.field}: {one.sentence}".strip(": ") for one in refusals[:5])
    more = f", and {len(refusals) - 5} more" if len(refusals) > 5 else ""
    return BadRequestError(f"SYSPRO refuses the journal: {told}{more}.", hint="Nothing was posted; correct the plan.")
