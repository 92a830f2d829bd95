# SPDX-License-Identifier: Apache-2.0
"""What stands under ``plan`` in a flow file: how an approved plan comes back to the ledger as drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX
from airflow_provider_mlconnector.finance.time_words import Span
from airflow_provider_mlconnector.finance.yaml_models import Strict
from airflow_provider_mlconnector.pipeline.draftplan import AMOUNT, PERIOD, VERSION, PostingDay
from airflow_provider_mlconnector.pipeline.plan import Source

Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Texts = Mapping[Name, Name]

ACCOUNT = "account"
FIELDS = (ACCOUNT, PERIOD, AMOUNT, VERSION)
"""What a column of the export can be, beside ``dimension.<CODE>`` and ``=Text``."""


class Start(StrEnum):
    """What starts a run: a person or an asset alone, or the close calendar, too."""

    MANUAL = "manual"
    CALENDAR = "calendar"


class BalancingSpec(Strict):
    """The account that takes what debits and credits differ by, with its dimensions as the ERP calls them."""

    account: Name
    dimensions: Texts = Field(default={})


class JournalSpec(Strict):
    """What the drafts look like in the ledger.

    :param name: of the batch, journal name or the like that they are written into; it has to be there.
    :param each: columns of the export of which each text gets journals of its own.
    :param lines: how many lines a journal has at most; a longer one is cut, if there is a balancing account.
    :param places: decimals of the company's currency.
    :param options: what only one ERP knows, such as a posting layer; the README lists them.
    """

    name: Name
    each: tuple[Name, ...] = ()
    lines: int = Field(default=1000, ge=2, le=100_000)
    balancing: BalancingSpec | None = None
    description: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "{version} {period}"
    posting_day: PostingDay = PostingDay.LAST
    places: int = Field(default=2, ge=0, le=6)
    options: Texts = Field(default={})


class ApproverSpec(Strict):
    """A user of Airflow.

    :param name: as the person logs in.
    :param id: what the auth manager calls the user: FAB counts them (``"7"``); the simple one takes the name.
    """

    name: Name
    id: Name


class ApprovalSpec(Strict):
    """Who has to agree before anything is written.

    :param approvers: the users who may answer, by name, or by name and id where Airflow's auth manager has ids of its
        own; empty: all who may answer at all.
    :param four_eyes: who asked for the run must not approve it.
    :param wait: how long an answer is waited for; without one the run fails.
    """

    approvers: tuple[Name | ApproverSpec, ...] = ()
    four_eyes: bool = True
    wait: Span = timedelta(days=7)

    @property
    def users(self) -> tuple[ApproverSpec, ...]:
        """The users who may answer, those without an id with their name as one; empty for all."""
        return tuple(ApproverSpec(name=one, id=one) if isinstance(one, str) else one for one in self.approvers)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the users who may answer; empty for all."""
        return tuple(user.name for user in self.users)


class FlagSpec(Strict):
    """A cell of the model that a planner sets when the plan may go.

    :param view: saved view with the cell.
    :param at: by dimension, the member of the line that is read; ``{period}`` is the model's name of the period.
    :param item: the line item.
    :param value: what it says then, in upper or lower case; Anaplan writes booleans ``true`` and ``false``.
    :param wait: how long it is waited for; without it the run fails.
    """

    view: Name
    at: Texts = Field(default={})
    item: Name
    value: Name = "true"
    wait: Span = timedelta(days=7)

    @field_validator("value", mode="before")
    @classmethod
    def _as_anaplan_writes_it(cls, value: Any) -> Any:
        """Take YAML's own booleans for Anaplan's."""
        return str(value).lower() if isinstance(value, bool) else value


class PostedSpec(Strict):
    """People post the drafts in the ledger, and the run waits until they have.

    :param wait: how long it waits; then it fails, and the drafts stay as they are.
    """

    wait: Span = timedelta(days=14)


class PlanSpec(Strict):
    """One plan of the model that becomes drafts.

    :param export: name or id of the export action.
    :param name: of the plan, in its DAG and on the trail; the export's unless given.
    :param version: the version that is written unless a run names another.
    :param columns: by column of the export, what it is: ``account``, ``dimension.<CODE>``, ``period``, ``amount``,
        ``version``, or ``=Text``: then only lines with that text are meant.
    :param reverse: the import whose rules are read backwards (code books, members, names of periods, signs); the first
        one that loads journal lines unless given.
    :param after: URI of an asset whose update starts a run. What a close leaves says its period by its partition; any
        other asset by ``period`` in what the event says.
    :param flag: a run waits until this cell says so.
    :param posted: a run goes on until all of its documents are posted, and tells their numbers.
    """

    export: Name
    name: Name | None = None
    version: Name
    columns: Texts = Field(min_length=1)
    reverse: Name | None = None
    journal: JournalSpec
    approval: ApprovalSpec = ApprovalSpec()
    start: Start = Start.MANUAL
    after: Name | None = None
    flag: FlagSpec | None = None
    posted: PostedSpec | None = None

    @property
    def effective_name(self) -> str:
        """The plan's name."""
        return self.name or self.export

    @property
    def sources(self) -> dict[str, Source]:
        """What each column of the export is."""
        return {
            name: Source(constant=text[1:]) if text.startswith("=") else Source(column=text)
            for name, text in self.columns.items()
        }

    @property
    def mapped(self) -> dict[str, str]:
        """The columns that say where a line is posted, and what they are."""
        return {
            name: source.column
            for name, source in self.sources.items()
            if source.column == ACCOUNT or source.column.startswith(DIMENSION_PREFIX)
        }
