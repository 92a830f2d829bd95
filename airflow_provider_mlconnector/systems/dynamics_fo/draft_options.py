# SPDX-License-Identifier: Apache-2.0
"""What a flow may say of the general journals that its plan becomes: ``options`` under ``plan: journal``.

layer: Operations                               posting layer, where it is not that of the journal name
workflow: allowed                               the journal name may demand approval within the ledger, too
mandatory: Department, Project 60000..69999     dimensions that lines must have, on all accounts or some
posting_service: Group/Service/Operation        the customer's own service that posts a journal; nothing else does
posting_arguments: dataAreaId, journalNumber    names of its parameters: the company's, and the journal's
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.dynamics_fo.posting import PostingService

LAYERS = ("Current", "Operations", "Tax", *(f"CustomLayer{number}" for number in range(1, 8)))
"""Posting layers that a journal can be posted to."""

_DEMAND = re.compile(r"([^\s.,]+)(?:\s+([^\s.,]+)\s*\.\.\s*([^\s.,]+))?")


@dataclass(frozen=True, slots=True)
class Demand:
    """A dimension that lines on accounts from the first to the last must have; "" leaves a side open."""

    dimension: str
    first: str = ""
    last: str = ""

    @classmethod
    def read(cls, text: str) -> Demand:
        """Read ``Department``, or ``Department 60000..69999``.

        :raises ConfigurationError: for anything else.
        """
        match = _DEMAND.fullmatch(text.strip())
        if match is None:
            raise _refused("mandatory", text, "Write a dimension, or one with its accounts: Department 60000..69999.")
        return cls(match[1], match[2] or "", match[3] or "")

    def missed_by(self, account: str, dimensions: Collection[str]) -> bool:
        """Say whether a line on an account lacks the dimension.

        :param dimensions: those that it has, in upper case.
        """
        concerned = self.first <= account and (not self.last or account <= self.last)
        return concerned and self.dimension.upper() not in dimensions


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """How the journals of a plan are to be.

    :param layer: posting layer; "" leaves that of the journal name.
    :param workflow: whether the journal name may demand an approval in the ledger.
    :param mandatory: what account structures demand, which the environment does not tell.
    :param posting: the customer's own service that posts journals; None, as nearly always: people post them.
    """

    layer: str = ""
    workflow: bool = False
    mandatory: tuple[Demand, ...] = ()
    posting: PostingService | None = None

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> JournalOptions:
        """Read the options of a flow file.

        :raises ConfigurationError: for one that there is not, or that cannot be read.
        """
        for name in texts:
            if name not in OPTIONS:
                raise _refused(name, texts[name], f"The options of journals are {', '.join(OPTIONS)}.")
        return cls(**dict(_read(texts)))


def _read(texts: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, text in texts.items():
        if name in _READERS:
            yield name, _READERS[name](text.strip())
    if "posting_service" in texts:
        arguments = texts.get("posting_arguments", "")
        yield "posting", PostingService.read(texts["posting_service"], arguments)


def _layer(text: str) -> str:
    if text not in LAYERS:
        raise _refused("layer", text, f"Posting layers are {', '.join(LAYERS)}.")
    return text


def _workflow(text: str) -> bool:
    if text != "allowed":
        raise _refused("workflow", text, "Write 'allowed', or leave it out.")
    return True


def _demands(text: str) -> tuple[Demand, ...]:
    return tuple(Demand.read(part) for part in text.split(","))


def _refused(name: str, text: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"Journal option {name} is '{text}', which is nothing known.", hint=hint)


_READERS: Mapping[str, Callable[[str], Any]] = {"layer": _layer, "workflow": _workflow, "mandatory": _demands}
OPTIONS = (*_READERS, "posting_service", "posting_arguments")
