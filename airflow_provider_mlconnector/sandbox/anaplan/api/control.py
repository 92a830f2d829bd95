# SPDX-License-Identifier: Apache-2.0
"""The sandbox's own routes: looking into the model, setting switches, and doing what people do (``acts``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airflow_provider_mlconnector.sandbox.anaplan.api.acts import Acts, list_of, model_json, module_of, task_json
from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ApiError, json_response
from airflow_provider_mlconnector.sandbox.anaplan.hub import Hub
from airflow_provider_mlconnector.sandbox.anaplan.identity.grants import Decision
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.model import blueprint
from airflow_provider_mlconnector.sandbox.anaplan.model.members import MemberError
from airflow_provider_mlconnector.sandbox.anaplan.site import Site

PREFIX = "/_sandbox/anaplan"

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
        acts = Acts(self._site)
        handlers: dict[str, dict[str, ControlHandler]] = {
            "/cells": {"GET": self.cells, "POST": acts.set_cells},
            "/members": {
                "GET": self.members,
                "POST": acts.add_members,
                "PATCH": acts.change_member,
                "DELETE": acts.remove_members,
            },
            "/lists/{list}/numbered": {"POST": acts.number_list},
            "/imports/{name}": {"PUT": acts.change_import},
            "/imports/{name}/upload": {"POST": acts.upload},
            "/records": {"GET": self.records},
            "/tasks": {"GET": self.tasks, "POST": acts.start_task},
            "/tasks/{task_id}/cancel": {"POST": acts.cancel_task},
            "/events": {"GET": self.events},
            "/model": {"GET": self.model, "POST": acts.change_model},
            "/files/{file_id}/default": {"POST": acts.make_default},
            "/switches": {"GET": self.switches, "POST": self.set_switches, "DELETE": self.reset_switches},
            "/devices": {"POST": self.decide_device},
            "/tokens": {"DELETE": self.revoke_tokens},
            "/plan": {"POST": acts.plan},
        }
        return [Route(PREFIX + path, _Endpoint(by_method)) for path, by_method in handlers.items()]

    def cells(self, query: Mapping[str, Any]) -> object:
        """Return the cells of a module as rows of exact text; other parameters choose members by code or name."""
        module, contents = module_of(self._hub, query), self._hub.contents
        wanted = {label: value for label, value in query.items() if label != "module"}
        labels = [dimension.label for dimension in module.dimensions]
        rows = []
        for key, values in contents.rows(module).items():
            members = contents.members(module, ("", *key))
            named = dict(zip(labels, members, strict=True))
            if all(value in (named[label].code, named[label].name) for label, value in wanted.items()):
                texts = {item.name: item.text(values[item.name]) for item in module.line_items if item.name in values}
                rows.append({**{label: member.label for label, member in named.items()}, **texts})
        return {"cells": rows}

    def members(self, query: Mapping[str, Any]) -> object:
        """Return the members of a list."""
        members = list_of(self._hub, query)
        rows = []
        for member in members:
            parent = members.by_id(member.parent_id or "")
            parent_code = parent.label if parent else ""
            told = {"id": member.id, "code": member.code, "name": member.name, "parent": parent_code}
            rows.append({**told, "called": members.called(member)} if members.is_numbered else told)
        return {"members": rows}

    def records(self, query: Mapping[str, Any]) -> object:
        """Return number, exact sums and the first rows of the journal lines."""
        records = self._hub.contents.records[blueprint.list_id("Journal Lines")]
        sums = {name: format(records.total(name), "f") for name in ("debitAmount", "creditAmount")}
        return {"rows": records.rows, **sums, "head": records.head(int(query.get("head", 0)))}

    def tasks(self, _: Mapping[str, Any]) -> object:
        """Return every task, the number of starts of each action, and what ran how long."""
        tasks = self._hub.queue.all()
        starts = Counter(task.action.name for task in tasks)
        return {"tasks": [task_json(task) for task in tasks], "starts": dict(starts)}

    def events(self, _: Mapping[str, Any]) -> object:
        """Return what happened to the model, and the uploads that ran into a task which reads their file."""
        journal = self._hub.journal
        return {
            "events": [asdict(event) for event in journal.events()],
            "uploads_into_running_tasks": [asdict(event) for event in journal.uploads_into_running_tasks()],
        }

    def model(self, _: Mapping[str, Any]) -> object:
        """Return the model's state."""
        return model_json(self._hub)

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

    def _user(self, body: Mapping[str, Any]) -> User:
        return self._site.people.by_email(str(body.get("user", ""))) or self._site.people.integration


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
        except (KeyError, ValueError, ArithmeticError, msgspec.MsgspecError, MemberError) as error:
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
