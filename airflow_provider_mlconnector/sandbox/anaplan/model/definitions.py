# SPDX-License-Identifier: Apache-2.0
"""What a model builder made: modules, views, actions and the files that imports read. None of it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum


class ActionKind(StrEnum):
    """Kinds of actions by their segment of the path; a task belongs to one action."""

    IMPORT = "imports"
    EXPORT = "exports"
    ACTION = "actions"
    PROCESS = "processes"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How a file is to be read. Rows count from 1; ``header_row`` 0 for a file without a header."""

    separator: str = ","
    delimiter: str = '"'
    encoding: str = "UTF-8"
    header_row: int = 1
    first_data_row: int = 2
    decimal_separator: str = "."


@dataclass(frozen=True, slots=True)
class Dimension:
    """A list that a module is counted by; ``label`` is the column that an import or a view gives it."""

    list_id: str
    label: str


@dataclass(frozen=True, slots=True)
class LineItem:
    """A number that a module keeps; a boolean is 1 or 0, and is shown as ``true`` or ``false``."""

    id: str
    name: str
    is_boolean: bool = False

    def text(self, value: Decimal) -> str:
        """Return a value as the model shows it."""
        return str(bool(value)).lower() if self.is_boolean else format(value, "f")

    def value(self, text: object) -> Decimal:
        """Read what a person types.

        :raises ArithmeticError: when it is no value of this line item.
        """
        typed = str(text)
        return Decimal(typed.lower() == "true") if self.is_boolean else Decimal(typed)


@dataclass(frozen=True, slots=True)
class Module:
    """A cube: a value for each line item and each combination of members."""

    id: str
    name: str
    dimensions: tuple[Dimension, ...]
    line_items: tuple[LineItem, ...]

    def line_item(self, name_or_id: str) -> LineItem | None:
        """Return a line item by name or id."""
        return next((item for item in self.line_items if name_or_id in (item.id, item.name)), None)

    @property
    def header(self) -> tuple[str, ...]:
        """Return the columns of a table of the module: its dimensions, then its line items."""
        return tuple(dim.label for dim in self.dimensions) + tuple(item.name for item in self.line_items)


@dataclass(frozen=True, slots=True)
class View:
    """A view of a module. A default view has the module's id and name and shows every cell.

    A saved one shows leaves only, no zeros unless its builder filters none out, and calls its columns as the module's
    import does.
    """

    id: str
    name: str
    module: Module
    is_saved: bool = False
    shows_zeros: bool = False

    @property
    def qualified_name(self) -> str:
        """Return the name in the model's list of views."""
        return f"{self.module.name}.{self.name}" if self.is_saved else self.name


@dataclass(frozen=True, slots=True)
class ListTarget:
    """Rows become members: matched by code; ``parent`` False for a flat list, or one whose parents stay.

    :param properties: further columns, of which the members keep the texts.
    """

    list_id: str
    parent: bool = False
    properties: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the file."""
        return ("Code", "Name", *(("Parent",) if self.parent else ()), *self.properties)


@dataclass(frozen=True, slots=True)
class CellTarget:
    """Rows become cells of a module; columns that the file does not name stay as they are."""

    module: Module


@dataclass(frozen=True, slots=True)
class RecordTarget:
    """Rows become records of a flat list with properties, keyed by one column; an existing key is updated."""

    list_id: str
    key: str
    numbers: tuple[str, ...]
    dates: tuple[str, ...]


Target = ListTarget | CellTarget | RecordTarget


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What a builder decides in an import's mapping, beside the columns. They concern imports into a module.

    :param clears_target: "Clear target prior to import" instead of "Only update imported cells": before the first row
        is loaded, all cells go where the dimensions' items meet; of each dimension those that are in the source.
    :param clears_all_items_of: dimensions of which all items are cleared, in the source or not.
    :param adds: a value is added to what its cell holds, and values of one cell to each other.
    :param asks_for: dimensions whose item is asked for whenever the import is started; the file has no column for them.
    """

    clears_target: bool = False
    clears_all_items_of: tuple[str, ...] = ()
    adds: bool = False
    asks_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportAction:
    """An import of a file; ``columns`` are those that the target can be given."""

    id: str
    name: str
    file_id: str
    columns: tuple[str, ...]
    target: Target
    settings: ImportSettings = field(default_factory=ImportSettings)

    @property
    def header(self) -> tuple[str, ...]:
        """Return the columns that it maps, as the metadata shows them."""
        return tuple(column for column in self.columns if column not in self.settings.asks_for)

    @property
    def import_type(self) -> str:
        """Return Anaplan's name for the kind of target."""
        return "MODULE_DATA" if isinstance(self.target, CellTarget) else "HIERARCHY_DATA"


@dataclass(frozen=True, slots=True)
class ExportAction:
    """An export of one version of a module, as a table, into the file with the export's id."""

    id: str
    name: str
    module: Module
    version: str


@dataclass(frozen=True, slots=True)
class ListExport:
    """An export of a list, as a table, into the file with the export's id."""

    id: str
    name: str
    list_id: str


@dataclass(frozen=True, slots=True)
class DeleteAction:
    """Removes every member of a list, or those that a selection names.

    :param unless: module and line item; then only members go whose values of it are all zero, written ones. A member
        without any value was not looked at yet and stays.
    """

    id: str
    name: str
    list_id: str
    unless: tuple[Module, LineItem] | None = None


@dataclass(frozen=True, slots=True)
class ProcessAction:
    """Several actions in order."""

    id: str
    name: str
    steps: tuple[ImportAction | ExportAction | ListExport | DeleteAction, ...]


Action = ImportAction | ExportAction | ListExport | DeleteAction | ProcessAction


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions of a model."""

    modules: tuple[Module, ...]
    views: tuple[View, ...]
    imports: tuple[ImportAction, ...]
    exports: tuple[ExportAction | ListExport, ...]
    deletions: tuple[DeleteAction, ...]
    processes: tuple[ProcessAction, ...]

    def action(self, kind: ActionKind, action_id: str) -> Action | None:
        """Return an action of a kind by its id."""
        return next((action for action in self.actions(kind) if action.id == action_id), None)

    def actions(self, kind: ActionKind) -> tuple[Action, ...]:
        """Return the actions of a kind."""
        match kind:
            case ActionKind.IMPORT:
                return self.imports
            case ActionKind.EXPORT:
                return self.exports
            case ActionKind.ACTION:
                return self.deletions
            case ActionKind.PROCESS:
                return self.processes

    def with_import(self, changed: ImportAction) -> Definitions:
        """Return definitions with an import replaced, in the processes too."""
        processes = (
            replace(process, steps=tuple(changed if step.id == changed.id else step for step in process.steps))
            for process in self.processes
        )
        imports = tuple(changed if action.id == changed.id else action for action in self.imports)
        return replace(self, imports=imports, processes=tuple(processes))

    def module(self, name_or_id: str) -> Module | None:
        """Return a module by name or id."""
        return next((module for module in self.modules if name_or_id in (module.id, module.name)), None)

    def view(self, view_id: str) -> View | None:
        """Return a view by its id; a line item's id stands for its module's default view."""
        for view in self.views:
            if view.id == view_id or (not view.is_saved and view.module.line_item(view_id)):
                return view
        return None


def files_read_by(action: Action) -> tuple[str, ...]:
    """Return the ids of the files that an action reads."""
    match action:
        case ImportAction():
            return (action.file_id,)
        case ProcessAction():
            return tuple(step.file_id for step in action.steps if isinstance(step, ImportAction))
        case _:
            return ()


def changes_structure(action: Action) -> bool:
    """Say whether an action adds or removes members, which a deployed model does not allow."""
    match action:
        case ImportAction():
            return not isinstance(action.target, CellTarget)
        case ProcessAction():
            return any(changes_structure(step) for step in action.steps)
        case DeleteAction():
            return True
        case ExportAction() | ListExport():
            return False
