# SPDX-License-Identifier: Apache-2.0
"""A flow as it was read: what its file says, and the calendar and code books that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_mlconnector.finance.calendar import Calendar
from airflow_provider_mlconnector.finance.crosswalk import Crosswalk
from airflow_provider_mlconnector.finance.schedule import Schedule
from airflow_provider_mlconnector.finance.yaml_lines import Document
from airflow_provider_mlconnector.flows.spec import FlowSpec


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow file with the files that it names.

    :param crosswalks: by file name as the flow writes it.
    :param document: the file with its lines, for messages.
    """

    spec: FlowSpec
    calendar: Calendar
    crosswalks: Mapping[str, Crosswalk]
    document: Document

    @property
    def name(self) -> str:
        """The flow's name."""
        return self.spec.flow

    @property
    def schedule(self) -> Schedule:
        """When the flow runs."""
        return self.spec.schedule

    @property
    def path(self) -> Path:
        """The flow's file."""
        return Path(self.document.name)
