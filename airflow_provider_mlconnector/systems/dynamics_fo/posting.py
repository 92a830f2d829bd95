# SPDX-License-Identifier: Apache-2.0
"""Posting a journal through a custom service that the customer built into the environment.

Stock OData cannot post a general journal: people post it, a batch job of the environment does, or its workflow. Whoever
has a service of their own for it (``/api/services/<Group>/<Service>/<Operation>``, around ``LedgerJournalCheckPost``)
names it in the flow, and it is called once the draft stands. Without that name nothing here posts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat

from airflow_provider_mlconnector.errors import ConfigurationError, LostAnswerError, TransportError
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.general_journals import journal_state

ARGUMENTS = ("dataAreaId", "journalBatchNumber")

POST_SECONDS = 900.0
"""How long a journal is waited for to be posted after the service answered."""
POLLS = (1.0, 2.0, 5.0, 10.0)
"""Seconds between two looks whether it is; the last one from then on."""


@dataclass(frozen=True, slots=True)
class PostingService:
    """The customer's service; the arguments are the names of its parameters."""

    group: str
    service: str
    operation: str
    company_argument: str = ARGUMENTS[0]
    journal_argument: str = ARGUMENTS[1]

    @classmethod
    def read(cls, text: str, arguments: str = "") -> PostingService:
        """Read ``Group/Service/Operation``, and the names of its two parameters: the company's, then the journal's.

        :raises ConfigurationError: for anything else.
        """
        parts = [part.strip() for part in text.split("/")]
        names = [name.strip() for name in arguments.split(",")] if arguments else list(ARGUMENTS)
        if len(parts) != 3 or len(names) != 2 or not all([*parts, *names]):
            raise ConfigurationError(
                f"'{text}' with parameters '{arguments}' is no custom service.",
                hint="Write Group/Service/Operation as the environment serves it, and two names of parameters.",
            )
        return cls(*parts, *names)

    @property
    def path(self) -> str:
        """The path below the environment's address."""
        return f"api/services/{self}"

    def __str__(self) -> str:
        return f"{self.group}/{self.service}/{self.operation}"


class JournalPoster:
    """Has journals of one company posted by the customer's service."""

    def __init__(self, api: FinanceOperationsApi, service: PostingService, company: str) -> None:
        self._api = api
        self._service = service
        self._company = company

    def post(self, number: str) -> None:
        """Call the service for a journal, once, and wait until it is posted: the service may leave that to a batch job.

        :param number: its journal batch number.
        :raises LostAnswerError: when it may still be posted: no answer came, or it was not posted for a long time.
        :raises RemoteError: what the service says, such as a 500 for a journal that does not balance.
        """
        service = self._service
        body = {service.company_argument: self._company, service.journal_argument: number}
        self._api.call_service(service.path, body)
        waits, deadline = chain(POLLS, repeat(POLLS[-1])), self._api.session.transport.clock.monotonic() + POST_SECONDS
        while not self._is_over(number):
            if self._api.session.transport.clock.monotonic() >= deadline:
                raise LostAnswerError(
                    f"Journal {number} was not posted {POST_SECONDS:.0f} s after {service} was called.",
                    hint="See in the ledger what became of it; the service may say more in its own log.",
                )
            self._api.session.transport.clock.sleep(next(waits))

    def _is_over(self, number: str) -> bool:
        """Say whether a journal is posted, or gone since; without an answer it may still be posted."""
        try:
            return journal_state(self._api, self._company, number) is not False
        except TransportError as error:
            raise LostAnswerError(error.message, path=error.path) from error
