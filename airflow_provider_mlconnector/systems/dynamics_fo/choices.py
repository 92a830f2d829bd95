# SPDX-License-Identifier: Apache-2.0
"""What an environment speaks of the choices that a connection makes: the sets of journals, and where dimensions are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from airflow_provider_mlconnector.errors import ConfigurationError, NotFoundError
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.connection import DimensionSource, DisplayFormat
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import active_format, has_json
from airflow_provider_mlconnector.systems.dynamics_fo.resources import HEADERS, LINES, Resource, published
from airflow_provider_mlconnector.systems.http.json_rows import Need
from airflow_provider_mlconnector.systems.port import Choice

OWN_SETS = "generaljournal"
"""What the names have in common by which customers publish posted journals of their own."""


def probe(api: FinanceOperationsApi) -> Iterator[Choice]:
    """Yield the choices; dimensions only where the set of lines is known."""
    connection = api.connection
    headers = _set(api, published(HEADERS, connection.headers), HEADERS, "headers")
    lines = published(LINES, connection.lines)
    of_lines = _set(api, lines, LINES, "lines")
    yield headers
    yield of_lines
    if of_lines.fits:
        yield _dimensions(api, lines)


def _set(api: FinanceOperationsApi, resource: Resource, stock: Resource, role: str) -> Choice:
    """Say whether a set is there, with the columns that are needed under the names that the field map gives them."""
    field = f"Set of journal {role}"
    try:
        columns = api.columns(resource.name)
    except NotFoundError:
        return _other_set(api, resource, stock, role)
    missing = [name for name in _needed(stock) if columns and resource.field(name) not in columns]
    if not missing:
        return Choice(field, True, f"{resource.name} is public{'' if columns else ', but empty'}.")
    sentence = f"{resource.name} is public, but has no {', '.join(resource.field(name) for name in missing)}."
    return Choice("Field map", False, sentence, f"Set Field map to {_field_map(stock, role, columns)}.")


def _other_set(api: FinanceOperationsApi, resource: Resource, stock: Resource, role: str) -> Choice:
    """Look for a set that the customer publishes instead, by its columns."""
    field, sentence = f"Set of journal {role}", f"{resource.name} is not public"
    for name in api.public_sets():
        if OWN_SETS not in name.lower() or name == resource.name:
            continue
        columns = api.columns(name)
        if all(_like(wanted, columns) for wanted in _needed(stock)):
            renamed = _field_map(stock, role, columns)
            advice = f"Set {field} to {name}" + (f", and Field map to {renamed}." if renamed != "{}" else ".")
            return Choice(field, False, f"{sentence}, but {name} is.", advice)
    return Choice(field, False, f"{sentence}, nor is another like it.", f"Publish {stock.name} in the environment.")


def _needed(stock: Resource) -> list[str]:
    return [field.name for field in stock.fields if field.need is Need.NEEDED]


def _like(stock: str, columns: Sequence[str]) -> str:
    """Return the column that is called like a stock field, perhaps with something before it; "" when there is none."""
    return min((name for name in columns if name.lower().endswith(stock.lower())), key=len, default="")


def _field_map(stock: Resource, role: str, columns: Sequence[str]) -> str:
    found = {field.name: _like(field.name, columns) for field in stock.fields}
    renamed: Mapping[str, str] = {f"{role}.{name}": own for name, own in found.items() if own not in ("", name)}
    return json.dumps(renamed)


def _dimensions(api: FinanceOperationsApi, lines: Resource) -> Choice:
    wanted, given = api.connection.dimensions, api.connection.display_format
    in_json, active = has_json(api, lines), _active(api)
    if wanted is DimensionSource.JSON or (wanted is DimensionSource.AUTO and in_json):
        if in_json:
            return Choice("Dimensions", True, "Lines carry their dimensions as JSON.")
        shown = f", but ledger accounts are written {_written(active)}" if active else ""
        return Choice("Dimensions", False, f"Lines carry no JSON{shown}.", "Set Dimensions to display.")
    if given is None and active is None:
        sentence = "The environment has no single active format of ledger accounts."
        advice = "Set Segments of display values and their Delimiter" + (", or Dimensions to json." if in_json else ".")
        return Choice("Segments of display values", False, sentence, advice)
    if given is None or active is None or given == active:
        return Choice("Dimensions", True, f"Ledger accounts are written {_written(active or given)}.")
    sentence = f"Ledger accounts are written {_written(active)}, not {_written(given)}."
    advice = "Leave Segments of display values empty, or set it and Delimiter to what is written."
    return Choice("Segments of display values", False, sentence, advice)


def _active(api: FinanceOperationsApi) -> DisplayFormat | None:
    try:
        return active_format(api)
    except ConfigurationError:
        return None


def _written(display: DisplayFormat | None) -> str:
    return display.delimiter.join(display.segments) if display else "in no format that is known"
