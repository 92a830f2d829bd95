# SPDX-License-Identifier: Apache-2.0
"""What stands under ``compare`` in a flow file: a list of the model that is held against the ledger's own."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.yaml_models import Strict
from airflow_provider_mlconnector.flows.plan_spec import Name, Texts

KEYS = {
    Dataset.ACCOUNTS: "account",
    Dataset.COST_CENTRES: "code",
    Dataset.VENDORS: "number",
    Dataset.CUSTOMERS: "number",
}
"""Datasets that a list can be compared with, and the column of each that names a record."""


class Often(StrEnum):
    """How often a list is compared, at midnight by the clock of the flow's calendar; ``manual``: when a person asks."""

    MANUAL = "manual"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class SetupSpec(Strict):
    """The e.net business object that says what SYSPRO would make of the list's records, and never makes it.

    :param object: its name, such as APSSSP for suppliers or ARSSCS for customers.
    :param template: file of its document, with ``{column}`` of the dataset in its texts; the usual one unless given.
    """

    object: Name
    template: Name | None = None


class CompareSpec(Strict):
    """One list of the model that is compared.

    :param export: name or id of the export action that writes it.
    :param name: of the comparison, in its DAG and on the trail; the export's unless given.
    :param columns: by column of the export, the column of the dataset that says the same; one of them is its key.
    :param crosswalk: by column of the export, the file of the code book that is read backwards.
    :param only: by column of the dataset, the one value of the records that the list is to have.
    """

    export: Name
    name: Name | None = None
    dataset: Dataset
    columns: Texts = Field(min_length=1)
    crosswalk: Texts = Field(default={})
    only: Texts = Field(default={})
    often: Often = Often.MANUAL
    setup: SetupSpec | None = None

    @property
    def effective_name(self) -> str:
        """The name of the comparison."""
        return self.name or self.export

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The code of the dimension whose values are compared; none for other datasets."""
        return (self.only["dimension"],) if self.dataset is Dataset.COST_CENTRES else ()
