# SPDX-License-Identifier: Apache-2.0
"""What the flows of one deployment must not do to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, product

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.yaml_lines import Place
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.spec import LoadSpec


def check_together(flows: Iterable[Flow]) -> None:
    """Check what flows of one deployment must not do to each other.

    - Each has a name of its own.
    - Those that load one model write workspace and model alike and name one pool, since the pool is named after them.
    - Cells of one import come from several flows only if a constant or a mapping parameter, such as the entity or the
      version, keeps them apart. Lists may be shared: members are added to them, never taken away.

    :raises FlowError: with the lines of both flows.
    """
    for first, second in combinations(flows, 2):
        if first.name == second.name:
            raise _conflict(second, ("flow",), f"the name '{second.name}' is taken", first, ("flow",))
        _check_model(first, second)
        if _same_model(first, second):
            _check_imports(first, second)


def _check_model(first: Flow, second: Flow) -> None:
    mine, other = second.spec.anaplan, first.spec.anaplan
    if not _same_model(first, second):
        return
    for key in ("workspace", "model"):
        if getattr(mine, key) != getattr(other, key):
            sentence = f"the same {key} is written '{getattr(mine, key)}' and '{getattr(other, key)}'; write it alike"
            raise _conflict(second, ("anaplan", key), sentence, first, ("anaplan", key))
    if mine.pool != other.pool:
        sentence = "flows into one model have one pool, or their tasks would run side by side"
        raise _conflict(second, ("anaplan", "pool"), sentence, first, ("anaplan", "pool"))


def _check_imports(first: Flow, second: Flow) -> None:
    for (at, load), (other_at, other) in product(_cell_loads(second), _cell_loads(first)):
        if load.import_name == other.import_name and not _kept_apart(load, other):
            sentence = (
                f"'{load.import_name}' is loaded by two flows that no constant keeps apart, so that each would "
                "overwrite the cells of the other; let a column such as the entity be '=Text', another in each flow"
            )
            raise _conflict(second, ("load", at, "import"), sentence, first, ("load", other_at, "import"))


def _cell_loads(flow: Flow) -> Iterator[tuple[int, LoadSpec]]:
    return ((index, load) for index, load in enumerate(flow.spec.load) if load.of_period)


def _kept_apart(load: LoadSpec, other: LoadSpec) -> bool:
    mine, theirs = {**load.mapping, **load.constants}, {**other.mapping, **other.constants}
    return any(mine[name] != theirs[name] for name in mine.keys() & theirs.keys())


def _same_model(first: Flow, second: Flow) -> bool:
    """Say whether two flows load one model as far as files show it: only the model knows its name and id to be one."""

    def plain(flow: Flow) -> tuple[str, ...]:
        target = flow.spec.anaplan
        return target.conn_id, *("".join(text.split()).casefold() for text in (target.workspace, target.model))

    return plain(first) == plain(second)


def _conflict(flow: Flow, place: Place, sentence: str, other: Flow, other_place: Place) -> FlowError:
    return FlowError(f"{sentence} (see {other.document.where(other_place)}).", where=flow.document.where(place))
