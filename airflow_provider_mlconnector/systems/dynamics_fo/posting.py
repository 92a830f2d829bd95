# SPDX-License-Identifier: Apache-2.0
"""Posting a journal through a custom service that the customer built into the environment.

Stock OData cannot post a general journal: people post it, a batch job of the environment does, or its workflow. Whoever
has a service of their own for it (``/api/services/<Group>/<Service>/<Operation>``, around ``LedgerJournalCheckPost``)
names it in the flow. Nothing calls it unless it is named there, and nothing else in this package posts.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_mlconnector.errors import ConfigurationError, ConflictError
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company
from airflow_provider_mlconnector.systems.dynamics_fo.general_journals import journal_state

ARGUMENTS = ("dataAreaId", "journalBatchNumber")


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
        return f"api/services/{self.group}/{self.service}/{self.operation}"


class JournalPoster:
    """Has journals of one company posted by the customer's service."""

    def __init__(self, api: FinanceOperationsApi, service: PostingService) -> None:
        self._api = api
        self._service = service
        self._company = Company(api)

    def post(self, number: str) -> bool:
        """Have a journal posted, unless it is; return whether it is posted now, which may take the service a while.

        :param number: its journal batch number.
        :raises ConflictError: when there is no such journal.
        :raises LostAnswerError: when the request may have taken effect; ask again later.
        :raises RemoteError: what the service says, such as a 500 for a journal that does not balance.
        """
        company = self._company.ledger.company
        if not self._posted(company, number):
            service = self._service
            body = {service.company_argument: company, service.journal_argument: number}
            self._api.call_service(service.path, body)
        return self._posted(company, number)

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _posted(self, company: str, number: str) -> bool:
        posted = journal_state(self._api, company, number)
        if posted is None:
            raise ConflictError(f"There is no journal {number} in {company} any more.")
        return posted
