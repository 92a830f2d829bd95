# SPDX-License-Identifier: Apache-2.0
"""Flow files: read, checked alone and together. Every mistake is told with file, line and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import TypeAdapter

from airflow_provider_mlconnector.finance.calendar import load_calendar
from airflow_provider_mlconnector.finance.crosswalk import Crosswalk
from airflow_provider_mlconnector.finance.crosswalk_file import load_crosswalk
from airflow_provider_mlconnector.finance.inverse import invert
from airflow_provider_mlconnector.finance.yaml_lines import Document, Place
from airflow_provider_mlconnector.finance.yaml_models import flow_error, read_model
from airflow_provider_mlconnector.flows.checks import flow_mistakes
from airflow_provider_mlconnector.flows.compare_checks import compare_mistakes
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plan_checks import plan_mistakes, reversed_columns, reversed_load
from airflow_provider_mlconnector.flows.spec import FlowSpec
from airflow_provider_mlconnector.flows.together import check_together

_FLOW: TypeAdapter[FlowSpec] = TypeAdapter(FlowSpec)


def load_flow(path: Path | str) -> Flow:
    """Read and check a flow file, its calendar and its code books.

    Files that it names are looked for beside it, then in the folder above.

    :raises FlowError: with file and line of every mistake.
    """
    spec, document = read_model(Path(path), _FLOW)
    mistakes = [*flow_mistakes(spec), *plan_mistakes(spec), *compare_mistakes(spec)]
    if mistakes:
        raise flow_error(document, mistakes)
    calendar = load_calendar(named_file(document, ("calendar",), spec.calendar))
    crosswalks = dict(_crosswalks(spec, document))
    _see_inverses(spec, crosswalks, document)
    _see_templates(spec, document)
    return Flow(spec, calendar, crosswalks, document)


def load_flows(folder: Path | str) -> tuple[Flow, ...]:
    """Read all flow files of a folder, in the order of their names, and check them together.

    :raises FlowError: for the first file that is wrong.
    """
    flows = tuple(load_flow(path) for path in sorted(Path(folder).glob("*.y*ml")))
    check_together(flows)
    return flows


def _crosswalks(spec: FlowSpec, document: Document) -> Iterator[tuple[str, Crosswalk]]:
    seen: set[str] = set()
    loads = (("load", index, load.crosswalk) for index, load in enumerate(spec.load))
    compared = (("compare", index, one.crosswalk) for index, one in enumerate(spec.compare))
    for key, index, books in (*loads, *compared):
        for column, name in books.items():
            if name not in seen:
                seen.add(name)
                yield name, load_crosswalk(named_file(document, (key, index, "crosswalk", column), name))


def _see_inverses(spec: FlowSpec, crosswalks: Mapping[str, Crosswalk], document: Document) -> None:
    """See that the code books of plans and comparisons can be read backwards.

    :raises FlowError: with the line of the code book that cannot.
    """
    names = [name for one in spec.compare for name in one.crosswalk.values()]
    for plan in spec.plan:
        load = reversed_load(spec, plan)
        if load is not None:
            columns = reversed_columns(plan, load).values()
            names += [load.crosswalk[column] for column in columns if column in load.crosswalk]
    for name in dict.fromkeys(names):
        invert(crosswalks[name], file=str(named_file(document, (), name)))


def _see_templates(spec: FlowSpec, document: Document) -> None:
    """See that the templates of setup objects are there.

    :raises FlowError: with the line that names one that is not.
    """
    for index, one in enumerate(spec.compare):
        if one.setup and one.setup.template:
            named_file(document, ("compare", index, "setup", "template"), one.setup.template)


def named_file(document: Document, place: Place, name: str) -> Path:
    """Return the file that a flow file names: beside it, or in the folder above.

    :param place: where it is named, for the error.
    :raises FlowError: when it is in neither.
    """
    folder = Path(document.name).parent
    candidates = (folder / name, folder.parent / name)
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        looked = " and ".join(str(path) for path in candidates)
        raise flow_error(document, [(place, f"the file '{name}' does not exist; looked for {looked}.")])
    return found
