# SPDX-License-Identifier: Apache-2.0
"""Modules, line items, views, dimensions, versions and the calendar: what the cells are counted by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ApiError, Call, not_found, sorted_leniently
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import Busy
from airflow_provider_mlconnector.sandbox.anaplan.api.lists import dimension_items_json
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.model import blueprint
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import LineItem, Module, View
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member, MemberList
from airflow_provider_mlconnector.sandbox.anaplan.model.tables import Table
from airflow_provider_mlconnector.sandbox.anaplan.switches import ViewNames

CALENDAR_TYPE = "Calendar Months/Quarters/Years"
_CURRENT_MONTH, _CURRENT_LAST_DAY = "Nov 26", "2026-11-30"
_TOTALS = ("QuarterTotals", "HalfYearTotals", "YearToDateSummary", "YearToGoSummary", "TotalOfAllPeriods")
"""Fields of the calendar, which the public document and anaplan-sdk write differently: both ways are served."""
_NUMBER_FORMAT = {
    "dataType": "NUMBER",
    "minimumSignificantDigits": 4,
    "decimalPlaces": -1,
    "negativeNumberNotation": "MINUS_SIGN",
    "unitsType": "NONE",
    "unitsDisplayType": "NONE",
    "zeroFormat": "ZERO",
    "comparisonIncrease": "GOOD",
    "groupingSeparator": "COMMA",
    "decimalSeparator": "FULL_STOP",
}


def table_of_view(call: Call, view: View) -> Table:
    """Return a view of what the model holds now."""
    return Table(call.hub.contents, view, call.switches.members_shown)


def module_of(call: Call) -> Module:
    """Return the module of the path."""
    module = next((module for module in call.hub.definitions.modules if module.id == call.path("module_id")), None)
    if module is None:
        raise not_found()
    return module


def view_of(call: Call) -> View:
    """Return the view of the path; a line item's id stands for its module's default view."""
    view = call.hub.definitions.view(call.path("view_id"))
    if view is None:
        raise not_found()
    return view


def modules(call: Call) -> Response:
    """List the modules."""
    found = [{"id": module.id, "name": module.name} for module in call.hub.definitions.modules]
    return call.listing("module", "modules", sorted_leniently(call, found))


def module_line_items(call: Call) -> Response:
    """List the line items of a module."""
    return _line_items(call, [module_of(call)])


def line_items(call: Call) -> Response:
    """List the line items of all modules."""
    return _line_items(call, call.hub.definitions.modules)


def _line_items(call: Call, modules: Iterable[Module]) -> Response:
    with_all = call.flag("includeAll")
    found = [_line_item(call, module, item, with_all=with_all) for module in modules for item in module.line_items]
    return call.listing("lineItem", "items", found, whole=True)


def _line_item(call: Call, module: Module, item: LineItem, *, with_all: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"id": item.id, "name": item.name, "moduleId": module.id, "moduleName": module.name}
    if not with_all:
        return body
    special = (ids.TIME_DIMENSION, ids.VERSIONS_DIMENSION)
    applies_to = [dimension for dimension in _dimensions(call, module) if dimension["id"] not in special]
    return {
        **body,
        "format": "BOOLEAN" if item.is_boolean else "NUMBER",
        "formatMetadata": {"dataType": "BOOLEAN"} if item.is_boolean else _NUMBER_FORMAT,
        "summary": "Sum",
        "appliesTo": applies_to,
        "dataTags": [],
        "referencedBy": [],
        "timeScale": "Month",
        "timeRange": "Model Calendar",
        "version": {"id": ids.ALL_VERSIONS, "name": "All"},
        "style": "Normal",
        "cellCount": len(call.hub.contents.cells[module.id]),
        "notes": "",
        "code": "",
        "isSummary": False,
        "formulaScope": "All Versions",
        "useSwitchover": False,
        "breakback": False,
        "broughtForward": False,
        "startOfSection": False,
    }


def _dimensions(call: Call, module: Module) -> list[dict[str, Any]]:
    lists = call.hub.contents.lists
    return [{"id": dim.list_id, "name": lists[dim.list_id].name} for dim in module.dimensions]


def _module_of_line_item(call: Call) -> Module:
    wanted = call.path("line_item_id")
    for module in call.hub.definitions.modules:
        if any(item.id == wanted for item in module.line_items):
            return module
    raise not_found()


def line_item_dimensions(call: Call) -> Response:
    """List the dimensions of a line item."""
    return call.listing("dimension", "dimensions", _dimensions(call, _module_of_line_item(call)))


def views(call: Call) -> Response:
    """List the views of all modules; a saved one is named ``Module.View``."""
    qualified = call.switches.view_names is ViewNames.QUALIFIED
    found = [_view(view, view.qualified_name if qualified else view.name) for view in call.hub.definitions.views]
    return call.listing("view", "views", sorted_leniently(call, found))


def module_views(call: Call) -> Response:
    """List the views of a module."""
    module = module_of(call)
    own = [view for view in call.hub.definitions.views if view.module == module]
    found = [_view(view, view.name if view.is_saved else "default") for view in own]
    return call.listing("view", "views", sorted_leniently(call, found))


def _view(view: View, name: str) -> dict[str, Any]:
    return {"code": "", "id": view.id, "name": name, "moduleId": view.module.id}


def view_metadata(call: Call) -> Response:
    """Show where a view has its dimensions; an axis without any is left out."""
    view = view_of(call)
    layout = table_of_view(call, view).layout()
    axes = {"rows": layout.rows, "columns": layout.columns, "pages": layout.pages}
    shown = {name: [{"id": axis.id, "name": axis.name} for axis in found] for name, found in axes.items() if found}
    return call.success("view", viewName=view.name, viewId=view.id, **shown)


def _dimension(call: Call) -> MemberList:
    members = call.hub.contents.lists.get(call.path("dimension_id"))
    if members is None:
        raise not_found()
    return members


def dimension_items(call: Call) -> Response:
    """List the items of a dimension; not of Time."""
    members = _dimension(call)
    if members.id == ids.TIME_DIMENSION:
        raise ApiError(400, "Items of Time cannot be read by this call.")
    return _items(call, members)


def _items(call: Call, members: Iterable[Member]) -> Response:
    found = dimension_items_json(members)
    return call.listing("dimension", "items", found, whole=True)


def look_up_items(call: Call) -> Response:
    """Return those items of a dimension that the body names or gives the codes of."""
    members, body = _dimension(call), call.json_object()
    names, codes = (set(map(str, body.get(key) or ())) for key in ("names", "codes"))
    return _items(call, [member for member in members if member.name in names or member.code in codes])


def view_dimension_items(call: Call) -> Response:
    """List the items that a view shows of a dimension."""
    layout = table_of_view(call, view_of(call)).layout()
    for axis in layout.axes:
        if axis.id == call.path("dimension_id"):
            found = [{"id": place.id, "name": place.label} for place in axis.places]
            return call.listing("dimension", "items", found, whole=True)
    raise not_found()


def line_item_dimension_items(call: Call) -> Response:
    """List the items of a dimension that a line item has."""
    members = _dimension(call)
    if members.id not in [dimension["id"] for dimension in _dimensions(call, _module_of_line_item(call))]:
        raise not_found()
    return _items(call, members)


def versions(call: Call) -> Response:
    """List the versions."""
    first, last = {"periodText": "Start of Timescale", "date": "1900-01-01"}, "2399-12-31"
    found = [
        {
            "id": member.id,
            "name": member.name,
            "isCurrent": member.name == blueprint.FORECAST,
            "isActual": member.name == blueprint.ACTUAL,
            "editFrom": first,
            "editTo": {"periodText": "End of Timescale", "date": last},
            "notes": "",
        }
        for member in call.hub.contents.lists[ids.VERSIONS_DIMENSION]
    ]
    return call.listing("version", "versionMetadata", found)


def current_period(call: Call) -> Response:
    """Show the current period."""
    period = {"periodText": _CURRENT_MONTH, "lastDay": _CURRENT_LAST_DAY, "calendarType": CALENDAR_TYPE}
    return call.success("currentPeriod", currentPeriod=period)


def calendar(call: Call) -> Response:
    """Show the time scale: the fiscal year from July, two years before it and one after."""
    year = {"year": "FY27", "startDate": str(date(2026, 7, 1)), "endDate": str(date(2027, 6, 30))}
    body = {
        "calendarType": CALENDAR_TYPE,
        "currentPeriod": {"periodText": _CURRENT_MONTH, "lastDay": _CURRENT_LAST_DAY},
        "fiscalYear": year,
        "pastYearsCount": 2,
        "futureYearsCount": 1,
        "totalsSelection": {
            written: False for name in _TOTALS for written in (f"is{name}", name[0].lower() + name[1:])
        },
    }
    return call.success("modelCalendar", modelCalendar=body)


OPERATIONS: tuple[Operation, ...] = (
    on_model("GET", "/modules", modules, Busy.HELD),
    on_model("GET", "/modules/{module_id}/lineItems", module_line_items, Busy.HELD),
    on_model("GET", "/modules/{module_id}/views", module_views, Busy.HELD),
    on_model("GET", "/lineItems", line_items, Busy.HELD),
    on_model("GET", "/lineItems/{line_item_id}/dimensions", line_item_dimensions, Busy.HELD),
    on_model("GET", "/lineItems/{line_item_id}/dimensions/{dimension_id}/items", line_item_dimension_items, Busy.HELD),
    on_model("GET", "/views", views, Busy.HELD),
    on_model("GET", "/views/{view_id}", view_metadata, Busy.HELD),
    on_model("GET", "/views/{view_id}/dimensions/{dimension_id}/items", view_dimension_items, Busy.HELD),
    on_model("GET", "/dimensions/{dimension_id}/items", dimension_items, Busy.HELD),
    on_model("POST", "/dimensions/{dimension_id}/items", look_up_items, Busy.HELD),
    on_model("GET", "/versions", versions, Busy.HELD),
    on_model("GET", "/currentPeriod", current_period, Busy.HELD),
    on_model("GET", "/modelCalendar", calendar, Busy.HELD),
)
