# SPDX-License-Identifier: Apache-2.0
"""What people do to the model by hand: type, load, lock, restore, build. Control routes, without a login."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ApiError
from airflow_provider_mlconnector.sandbox.anaplan.hub import Hub, ModelState
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.journal import Happening
from airflow_provider_mlconnector.sandbox.anaplan.model import blueprint
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import CellKey, Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import (
    ActionKind,
    ImportAction,
    ImportSettings,
    Module,
)
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member, MemberList
from airflow_provider_mlconnector.sandbox.anaplan.site import Site
from airflow_provider_mlconnector.sandbox.anaplan.work.tasks import Task

Body = Mapping[str, Any]
_PLAN_MONTHS = 12


class Acts:
    """What planners, builders and administrators may do."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def _hub(self) -> Hub:
        return self._site.hub

    # planners

    def set_cells(self, body: Body) -> object:
        """Set cells; each names members by code or name, and line items with their values."""
        module = module_of(self._hub, body)
        changes: dict[CellKey, Decimal] = {}
        for cell in body["cells"]:
            key = tuple(_member_id(self._hub.contents, dim.list_id, cell[dim.label]) for dim in module.dimensions)
            for item in module.line_items:
                if item.name in cell:
                    changes[item.id, *key] = item.value(cell[item.name])
        self._hub.edit(lambda contents: contents.with_cells(module, changes))
        return {"changed": len(changes)}

    def upload(self, body: Body) -> object:
        """Choose another ``text`` for an import's file, as the import's dialog does.

        The text is private to ``user`` (the planner by default), or everyone's with ``default`` true.
        """
        action, user = self._import(body), self._user(body)
        self._hub.files.put_whole(action.file_id, user.id, [str(body["text"]).encode()])
        if body.get("default"):
            self._hub.files.make_default(action.file_id, user.id)
        self._hub.journal.note(Happening.UPLOAD, action.file_id, user.email)
        return {"file_id": action.file_id}

    def start_task(self, body: Body) -> object:
        """Start an action by name; ``user`` is an email, the planner's by default."""
        for kind in ActionKind:
            for action in self._hub.definitions.actions(kind):
                if action.name == body.get("action"):
                    return task_json(self._hub.start(kind, action, self._user(body), body.get("mapping", {})))
        raise ApiError(404, f"there is no action {body.get('action')!r}")

    def cancel_task(self, body: Body) -> object:
        """Cancel a task that somebody else started."""
        task = self._hub.queue.get(body["task_id"])
        if task is None:
            raise ApiError(404)
        self._hub.queue.cancel(task, self._site.people.planner.id)
        return task_json(task)

    def plan(self, body: Body) -> object:
        """Enter a budget: an amount for each leaf account and cost centre, for twelve months.

        ``first`` is the first month, such as ``Jul 26``.
        """
        contents = self._hub.contents
        module = next(iter(self._hub.definitions.modules))
        accounts, centres, entities, _, time = (contents.lists[dimension.list_id] for dimension in module.dimensions)
        names = [month.name for month in time]
        start = names.index(str(body.get("first", "Jul 26")))
        months = names[start : start + _PLAN_MONTHS]
        entity = next(iter(entities))
        places = itertools.product(accounts.leaves(), centres.leaves(), months)
        rows = [
            {
                "Account": account.label,
                "Cost Centre": centre.label,
                "Entity": entity.label,
                "Version": blueprint.BUDGET,
                "Time": month,
                "Amount": Decimal(10_000 + 731 * (number % 977)) / 100,
            }
            for number, (account, centre, month) in enumerate(places)
        ]
        return self.set_cells({"module": module.name, "cells": rows})

    # builders

    def add_members(self, body: Body) -> object:
        """Add members with code, name and parent."""
        members = list_of(self._hub, body).copy()
        for row in body["members"]:
            parent = members.find(row["parent"]) if row.get("parent") else None
            members.add(row["name"], row.get("code", ""), parent)
        self._hub.edit(lambda contents: contents.with_list(members))
        return {"members": len(members)}

    def change_member(self, body: Body) -> object:
        """Rename, recode or move the ``member`` of a code or name: ``name``, ``code``, ``parent`` ("" for the top)."""
        members = list_of(self._hub, body).copy()
        member = _found(members, str(body["member"]))
        parent = members.by_id(member.parent_id or "")
        if "parent" in body:
            parent = _found(members, body["parent"]) if body["parent"] else None
        name, code = str(body.get("name", members.called(member))), str(body.get("code", member.code))
        changed = members.change(member, name=name, code=code, parent=parent)
        self._hub.edit(lambda contents: contents.with_list(members))
        return {"code": changed.code, "name": changed.name}

    def remove_members(self, body: Body) -> object:
        """Remove the members with these codes or names, and their cells."""
        members = list_of(self._hub, body).copy()
        found = [members.find(text) for text in body["members"]]
        count = members.remove([member for member in found if member is not None])
        self._hub.edit(lambda contents: contents.with_list(members))
        return {"removed": count}

    def number_list(self, body: Body) -> object:
        """Make a list a numbered one."""
        members = list_of(self._hub, body).copy()
        members.become_numbered()
        self._hub.edit(lambda contents: contents.with_list(members))
        return {"members": len(members)}

    def change_import(self, body: Body) -> object:
        """Change an import's settings, those of :class:`ImportSettings`; what is not named is set back."""
        action = self._import(body)
        settings = {name: value for name, value in body.items() if name != "name"}
        unknown = settings.keys() - asdict(ImportSettings()).keys()
        if unknown:
            raise ValueError(f"an import has no setting {', '.join(sorted(unknown))}")
        self._hub.build(replace(action, settings=msgspec.convert(settings, ImportSettings)))
        return settings

    # administrators

    def change_model(self, body: Body) -> object:
        """Set the ``state`` (for some ``seconds``), hold or close the model, ``snapshot`` or ``restore`` its contents.

        ``hold_seconds`` is a person's long transaction. All seconds are virtual.
        """
        hub = self._hub
        if "state" in body:
            hub.put_into(ModelState(body["state"]), float(body.get("seconds", math.inf)))
        if "hold_seconds" in body:
            hub.hold(float(body["hold_seconds"]))
        if body.get("close"):
            hub.close()
        if "snapshot" in body:
            hub.snapshot(str(body["snapshot"]))
        if "restore" in body and not hub.restore(str(body["restore"])):
            raise ApiError(404, f"there is no snapshot {body['restore']!r}")
        return model_json(hub)

    def make_default(self, body: Body) -> object:
        """Let a user's private content be everyone's default, as the first import in the UI does."""
        user = self._site.people.by_email(str(body.get("user", ""))) or self._site.people.integration
        if not self._hub.files.make_default(body["file_id"], user.id):
            raise ApiError(404)
        return {"default": body["file_id"]}

    def _import(self, body: Body) -> ImportAction:
        found = next((action for action in self._hub.definitions.imports if action.name == body["name"]), None)
        if found is None:
            raise ApiError(404, f"there is no import {body['name']!r}")
        return found

    def _user(self, body: Body) -> User:
        return self._site.people.by_email(str(body.get("user", ""))) or self._site.people.planner


def module_of(hub: Hub, body: Body) -> Module:
    """Return the module that a request names.

    :raises ApiError: when there is none.
    """
    module = hub.definitions.module(str(body.get("module")))
    if module is None:
        raise ApiError(404, f"there is no module {body.get('module')!r}")
    return module


def list_of(hub: Hub, body: Body) -> MemberList:
    """Return the list that a request names.

    :raises ApiError: when there is none.
    """
    members = hub.contents.list_named(str(body.get("list")))
    if members is None:
        raise ApiError(404, f"there is no list {body.get('list')!r}")
    return members


def task_json(task: Task) -> dict[str, Any]:
    """Return what is told of a task."""
    return {
        "task_id": task.id,
        "kind": task.kind,
        "action": task.action.name,
        "user": task.user.email,
        "state": task.state,
        "mapping": dict(task.mapping),
        "created_at": task.created_at.isoformat(),
        "result": task.result.to_json() if task.result else None,
    }


def model_json(hub: Hub) -> dict[str, Any]:
    """Return what is told of the model."""
    return {
        "state": hub.state,
        "busy": hub.is_busy,
        "open": hub.is_open,
        "serial": hub.serial,
        "open_read_requests": hub.reads.open_count(),
    }


def _member_id(contents: Contents, list_id: str, text: str) -> str:
    return _found(contents.lists[list_id], text).id


def _found(members: MemberList, text: str) -> Member:
    member = members.find(text)
    if member is None:
        raise ApiError(404, f"there is no member {text!r}")
    return member
