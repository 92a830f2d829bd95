# SPDX-License-Identifier: Apache-2.0
"""What the hooks of all ledgers have in common: one way to open a company's books, one sentence about a connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from airflow.sdk import BaseHook

from airflow_provider_mlconnector.errors import CapabilityError, MlconnectorError
from airflow_provider_mlconnector.hooks.fields import Fields

if TYPE_CHECKING:
    from airflow_provider_mlconnector.finance.periods import Period
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.port import Erp

PeriodOf = Callable[[date], "Period"]
"""The fiscal period of a day, by a close calendar."""

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})

_LONGEST_SENTENCE = 2000


class LedgerHook(BaseHook, ABC):
    """Opens companies of one ledger; a hook of a system says how.

    :cvar conn_name_attr: name of the attribute that holds the connection's id, as Airflow wants it.
    :cvar hook_name: the ledger's name as people say it.
    """

    conn_name_attr: ClassVar[str]
    hook_name: ClassVar[str]

    @cached_property
    def fields(self) -> Fields:
        """Return what the connection says."""
        return Fields.read(getattr(self, self.conn_name_attr))

    @abstractmethod
    def get_erp(self, company: str = "", period_of: PeriodOf | None = None) -> Erp:
        """Return the books of a company, the connection's own unless another is named; the caller closes them.

        :raises ConfigurationError: when the connection lacks something.
        """

    def get_drafting(self, name: str, company: str = "", options: Mapping[str, str] = NO_OPTIONS) -> Drafting:
        """Return what writes drafts into a company's books; the caller closes it.

        :param name: of the batch or journal that they are written into, as the ledger calls it.
        :param options: what can be said about this ledger's journals alone, by name.
        :raises CapabilityError: for a ledger that takes none.
        """
        raise CapabilityError(f"{self.hook_name} takes no drafts from a plan.")

    def get_conn(self) -> Erp:
        """Return the books of the connection's own company."""
        return self.get_erp()

    def test_connection(self) -> tuple[bool, str]:
        """Log in, find the company and say in one sentence whether that works."""
        try:
            with closing(self.get_erp()) as erp:
                health = erp.ping()
        except MlconnectorError as error:
            return False, str(error)[:_LONGEST_SENTENCE]
        return health.ok, health.sentence[:_LONGEST_SENTENCE]
