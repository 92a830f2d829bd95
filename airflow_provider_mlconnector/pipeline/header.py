# SPDX-License-Identifier: Apache-2.0
"""The import that a plan loads, and whether it takes the plan's file; asked before anything is uploaded."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_mlconnector.errors import ConfigurationError, HeaderError
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.systems.anaplan.definitions import ImportSource, Kind
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel

OUR_FORM = (",", '"', "UTF-8", 1)
"""Separator, text delimiter, encoding and line of the header in the files that are made."""


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """An import action and the file that it reads, by their ids."""

    import_id: str
    file_id: str


def check_header(model: AnaplanModel, plan: LoadPlan) -> ImportTarget:
    """Look a plan's import up and see that it takes the plan's file.

    :raises UnknownNameError: when there is no such import.
    :raises ConfigurationError: when it reads no file, or one of another form.
    :raises HeaderError: when it expects other columns, or in another order; says both headers.
    """
    found = model.resolve(Kind.IMPORT, plan.import_name)
    source = model.import_source(found.id)
    if source.file_id is None:
        raise ConfigurationError(f"The import {plan.import_name} reads from a model, not from a file.")
    _check_form(plan, source)
    sent = tuple(plan.columns)
    if source.header is not None and source.header != sent:
        raise HeaderError(
            f"The import {plan.import_name} expects the header {', '.join(source.header)}; "
            f"the flow sends {', '.join(sent)}.",
            hint="Nothing was uploaded. Bring the flow's columns into the import's order, or map the import anew.",
        )
    return ImportTarget(found.id, source.file_id)


def _check_form(plan: LoadPlan, source: ImportSource) -> None:
    if (source.separator, source.delimiter, source.encoding.upper(), source.header_row) != OUR_FORM:
        raise ConfigurationError(
            f"The import {plan.import_name} expects separator {source.separator!r}, delimiter {source.delimiter!r}, "
            f"{source.encoding} and its header in line {source.header_row}.",
            hint="Files have commas, double quotes, UTF-8 and the header first: map the import from such a file.",
        )
