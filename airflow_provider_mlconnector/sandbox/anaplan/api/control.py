# SPDX-License-Identifier: Apache-2.0
"""The sandbox's own routes: looking into the model, doing what a person would, setting switches."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ApiError, json_response
from airflow_provider_mlconnector.sandbox.anaplan.hub import Hub, ModelState
from airflow_provider_mlconnector.sandbox.anaplan.identity.grants import Decision
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.model import blueprint
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import CellKey, Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import ActionKind, Module
from airflow_provider_mlconnector.sandbox.anaplan.model.members import MemberList
from airflow_provider_mlconnector.sandbox.anaplan.site import Site
from airflow_provider_mlconnector.sandbox.anaplan.work.tasks import Task

PREFIX = "/_sandbox/anaplan"
_PLAN_MONTHS = 12

ControlHandler = Callable[[Mapping[str, Any]], object]


class Control:
    """Everything that tests and rehearsals may see and do beside the API. Nothing here asks for a login."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def _hub(self) -> Hub:
        return self._site.hub

    def routes(self) -> list[Route]:
        """Return the routes."""
        handlers: dict[str, dict[str, ControlHandler]] = {
            "/cells": {"GET": self.cells, "POST": self.set_cells},
            "/members": {"GET": self.members, "POST": self.add_members, "DELETE": self.remove_members},
            "/records": {"GET": self.records},
            "/tasks": {"GET": self.tasks, "POST": self.start_task},
            "/tasks/{task_id}/cancel": {"POST": self.cancel_task},
            "/events": {"GET": self.events},
            "/model": {"GET": self.model, "POST": self.change_model},
            "/files/{file_id}/default": {"POST": self.make_default},
            "/switches": {"GET": self.switches, "POST": self.set_switches, "DELETE": self.reset_switches},
            "/devices": {"POST": self.decide_device},
            "/tokens": {"DELETE": self.revoke_tokens},
            "/plan": {"POST": self.plan},
        }
        return [Route(PREFIX + path, _Endpoint(by_method)) for path, by_method in handlers.items()]

    def cells(self, query: Mapping[str, Any]) -> object:
        """Return the cells of a module as rows of exact text; other parameters choose members by code or name."""
        module, contents = self._module(query), self._hub.contents
        wanted = {label: value for label, value in query.items() if label != "module"}
        labels = [dimension.label for dimension in module.dimensions]
        rows = []
        for key, values in contents.rows(module).items():
            members = contents.members(module, ("", *key))
            named = dict(zip(labels, members, strict=True))
            if all(value in (named[label].code, named[label].name) for label, value in wanted.items()):
                texts = {name: format(value, "f") for name, value in values.items()}
                rows.append({**{label: member.label for label, member in named.items()}, **texts})
        return {"cells": rows}

    def set_cells(self, body: Mapping[str, Any]) -> object:
        """Set cells as a person does; each names members by code or name, and line items with their values."""
        module = self._module(body)
        changes: dict[CellKey, Decimal] = {}
        for cell in body["cells"]:
            key = self._key(module, cell)
            for item in module.line_items:
                if item.name in cell:
                    changes[item.id, *key] = Decimal(str(cell[item.name]))
        self._hub.edit(lambda contents: contents.with_cells(module, changes))
        return {"changed": len(changes)}

    def members(self, query: Mapping[str, Any]) -> object:
        """Return the members of a list."""
        members = self._list(query)
        rows = []
        for member in members:
            parent = members.by_id(member.parent_id or "")
            parent_code = parent.label if parent else ""
            rows.append({"id": member.id, "code": member.code, "name": member.name, "parent": parent_code})
        return {"members": rows}

    def add_members(self, body: Mapping[str, Any]) -> object:
        """Add members with code, name and parent."""
        members = self._list(body).copy()
        for row in body["members"]:
            parent = members.find(row["parent"]) if row.get("parent") else None
            members.add(row["name"], row.get("code", ""), parent)
        self._hub.edit(lambda contents: contents.with_list(members))
        return {"members": len(members)}

    def remove_members(self, body: Mapping[str, Any]) -> object:
        """Remove the members with these codes or names, and their cells."""
        members = self._list(body).copy()
        found = [members.find(text) for text in body["members"]]
        count = members.remove([member for member in found if member is not None])
        self._hub.edit(lambda contents: contents.with_list(members))
        return {"removed": count}

    def records(self, query: Mapping[str, Any]) -> object:
        """Return number, exact sums and the first rows of the journal lines."""
        records = self._hub.contents.records[blueprint.list_id("Journal Lines")]
        sums = {name: format(records.total(name), "f") for name in ("debitAmount", "creditAmount")}
        return {"rows": records.rows, **sums, "head": records.head(int(query.get("head", 0)))}

    def tasks(self, _: Mapping[str, Any]) -> object:
        """Return every task, the number of starts of each action, and what ran how long."""
        tasks = self._hub.queue.all()
        starts = Counter(task.action.name for task in tasks)
        return {"tasks": [_task_json(task) for task in tasks], "starts": dict(starts)}

    def start_task(self, body: Mapping[str, Any]) -> object:
        """Start an action by name, as a person in the model; ``user`` is an email, the planner's by default."""
        user = self._site.people.by_email(str(body.get("user", ""))) or self._site.people.planner
        for kind in ActionKind:
            for action in self._hub.definitions.actions(kind):
                if action.name == body.get("action"):
                    return _task_json(self._hub.start(kind, action, user, body.get("mapping", {})))
        raise ApiError(404, f"there is no action {body.get('action')!r}")

    def cancel_task(self, body: Mapping[str, Any]) -> object:
        """Cancel a task, as another person does."""
        task = self._hub.queue.get(body["task_id"])
        if task is None:
            raise ApiError(404)
        self._hub.queue.cancel(task, self._site.people.planner.id)
        return _task_json(task)

    def events(self, _: Mapping[str, Any]) -> object:
        """Return what happened to the model, and the uploads that ran into a task which reads their file."""
        journal = self._hub.journal
        return {
            "events": [asdict(event) for event in journal.events()],
            "uploads_into_running_tasks": [asdict(event) for event in journal.uploads_into_running_tasks()],
        }

    def model(self, _: Mapping[str, Any]) -> object:
        """Return the model's state."""
        hub = self._hub
        return {
            "state": hub.state,
            "busy": hub.is_busy,
            "open": hub.is_open,
            "serial": hub.serial,
            "open_read_requests": hub.reads.open_count(),
        }

    def change_model(self, body: Mapping[str, Any]) -> object:
        """Set the state, hold the model for some seconds, close it, take or restore a snapshot of its contents."""
        if "state" in body:
            self._hub.state = ModelState(body["state"])
        if "hold_seconds" in body:
            self._hub.hold(float(body["hold_seconds"]))
        if body.get("close"):
            self._hub.close()
        if "snapshot" in body:
            self._hub.snapshot(str(body["snapshot"]))
        if "restore" in body and not self._hub.restore(str(body["restore"])):
            raise ApiError(404, f"there is no snapshot {body['restore']!r}")
        return self.model({})

    def make_default(self, body: Mapping[str, Any]) -> object:
        """Let a user's private content be everyone's default, as the first import in the UI does."""
        user = self._user(body)
        if not self._hub.files.make_default(body["file_id"], user.id):
            raise ApiError(404)
        return {"default": body["file_id"]}

    def switches(self, _: Mapping[str, Any]) -> object:
        """Return all switches."""
        return asdict(self._site.switches)

    def set_switches(self, body: Mapping[str, Any]) -> object:
        """Set some switches."""
        self._site.switches = self._site.switches.changed(body)
        return asdict(self._site.switches)

    def reset_switches(self, _: Mapping[str, Any]) -> object:
        """Set all switches back."""
        self._site.switches = type(self._site.switches)()
        return asdict(self._site.switches)

    def decide_device(self, body: Mapping[str, Any]) -> object:
        """Approve or deny a device, as a person at its page does."""
        decision = Decision(body.get("decision", Decision.APPROVE))
        if not self._site.grants.decide(str(body.get("user_code")), decision, self._user(body)):
            raise ApiError(404)
        return {"decision": decision}

    def revoke_tokens(self, _: Mapping[str, Any]) -> object:
        """End every token."""
        return {"revoked": self._site.sessions.revoke_all()}

    def plan(self, body: Mapping[str, Any]) -> object:
        """Let the planners enter a budget: an amount for each leaf account and cost centre, for twelve months.

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

    def _module(self, body: Mapping[str, Any]) -> Module:
        module = self._hub.definitions.module(str(body.get("module")))
        if module is None:
            raise ApiError(404, f"there is no module {body.get('module')!r}")
        return module

    def _list(self, body: Mapping[str, Any]) -> MemberList:
        members = self._hub.contents.list_named(str(body.get("list")))
        if members is None:
            raise ApiError(404, f"there is no list {body.get('list')!r}")
        return members

    def _user(self, body: Mapping[str, Any]) -> User:
        return self._site.people.by_email(str(body.get("user", ""))) or self._site.people.integration

    def _key(self, module: Module, cell: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(_member_id(self._hub.contents, dim.list_id, cell[dim.label]) for dim in module.dimensions)


def _member_id(contents: Contents, list_id: str, text: str) -> str:
    member = contents.lists[list_id].find(text)
    if member is None:
        raise ApiError(404, f"there is no member {text!r}")
    return member.id


def _task_json(task: Task) -> dict[str, Any]:
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


class _Endpoint:
    """ASGI application of one control path: query, path and JSON body are one mapping."""

    def __init__(self, by_method: Mapping[str, ControlHandler]) -> None:
        self._by_method = by_method

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ApiError as error:
            response = json_response({"error": error.message}, error.status)
        except (KeyError, ValueError, ArithmeticError, msgspec.MsgspecError) as error:
            response = json_response({"error": f"{type(error).__name__}: {error}"}, 400)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        handler = self._by_method.get(request.method)
        if handler is None:
            raise ApiError(405)
        body = await request.body()
        values = msgspec.json.decode(body, type=dict[str, Any]) if body else {}
        # in a thread: an edit waits for the import that runs
        parameters = {**request.query_params, **values, **request.path_params}
        return json_response(await run_in_threadpool(handler, parameters))
