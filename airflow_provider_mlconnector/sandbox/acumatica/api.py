# SPDX-License-Identifier: Apache-2.0
"""The contract-based REST endpoint: its versions and description, lists, records, inquiries, and drafts of journals."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from airflow_provider_mlconnector.sandbox.acumatica import inquiries
from airflow_provider_mlconnector.sandbox.acumatica.drafts import drafts_of
from airflow_provider_mlconnector.sandbox.acumatica.journals import Batches, begins_in_books
from airflow_provider_mlconnector.sandbox.acumatica.login import error_response, session_of
from airflow_provider_mlconnector.sandbox.acumatica.masters import MASTERS, bills
from airflow_provider_mlconnector.sandbox.acumatica.queries import (
    Query,
    column_of,
    description_asked,
    matching,
    ordered,
    period_asked,
    read_query,
    read_shape,
)
from airflow_provider_mlconnector.sandbox.acumatica.releases import ACTION, releases_of
from airflow_provider_mlconnector.sandbox.acumatica.schema import ENTITIES, INQUIRIES, JOURNAL, SUBACCOUNT, EntityType
from airflow_provider_mlconnector.sandbox.acumatica.seats import Session, seats_of
from airflow_provider_mlconnector.sandbox.acumatica.site import BUILD, ENDPOINT, NEXT_VERSION, PREFIX, Site, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.swagger import swagger
from airflow_provider_mlconnector.sandbox.acumatica.wire import (
    HttpError,
    Record,
    Shape,
    encode,
    unwrapped,
    wrapped,
    wrapped_list,
)

_NO_ENTITY = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
_MINUTE = 60.0


def router(site: Site) -> APIRouter:
    """Return the routes of the endpoint."""
    routes = APIRouter(prefix=PREFIX)
    api = Api(site)

    @routes.get("/entity")
    async def endpoints() -> dict[str, Any]:
        return api.endpoints()

    @routes.api_route("/entity/{path:path}", methods=["GET", "PUT", "POST", "PATCH", "DELETE"])
    async def serve(request: Request, path: str) -> Response:
        try:
            session = session_of(request, api.seats)
            await api.hold_back()
            return api.answer(request, session, path.split("/"), await request.body())
        except HttpError as error:
            return error_response(error)

    return routes


class Api:
    """Answers requests to entities. Used by the server's one event loop."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.seats = seats_of(site)
        self._drafts = drafts_of(site)
        self._releases = releases_of(site)
        self._recent: deque[float] = deque()

    def endpoints(self) -> dict[str, Any]:
        """Return the release and the endpoints that it serves."""
        listed = [
            {"name": ENDPOINT, "version": version, "href": f"{PREFIX}/entity/{ENDPOINT}/{version}/"}
            for version in self.site.switches.versions
        ]
        return {"version": {"acumaticaBuildVersion": BUILD, "databaseVersion": BUILD}, "endpoints": listed}

    async def hold_back(self) -> None:
        """Let a request wait when more than half of the license's requests of this minute are used up."""
        limit = self.site.switches.requests_per_minute
        now = self.seats.now
        while self._recent and self._recent[0] <= now - _MINUTE:
            self._recent.popleft()
        used = len(self._recent)
        if limit and used * 2 >= limit:
            left = self._recent[0] + _MINUTE - now
            await asyncio.sleep(left / max(1, limit - used))
        self._recent.append(now)

    def answer(self, request: Request, session: Session, path: list[str], body: bytes) -> Response:
        """Answer a request below ``/entity``.

        :raises HttpError: for whatever is no success.
        """
        endpoint, version, *rest = [*path, "", ""]
        if endpoint.lower() != ENDPOINT.lower() or version not in self.site.switches.versions:
            raise _not_found(request)
        name, *keys = [part for part in rest if part] or [""]
        if name == "swagger.json":
            url = f"{request.url.scheme}://{request.url.netloc}{PREFIX}/entity/{ENDPOINT}/{version}"
            return _json(swagger(ENDPOINT, version, 5 if version >= NEXT_VERSION else 4, url))
        entity = {known.lower(): entity for known, entity in ENTITIES.items()}.get(name.lower())
        if entity is None:
            raise _not_found(request)
        if entity is SUBACCOUNT and not self.site.switches.subaccounts:
            raise HttpError(403, "You have insufficient rights to access the object (GL203000).")
        handlers: Mapping[str, Callable[[], Response]] = {
            "GET": lambda: self._get(request, session.tenant, entity, keys),
            "PUT": lambda: self._put(request, session.tenant, entity, body),
            "POST": lambda: self._act(request, session, entity, keys, body),
            "DELETE": lambda: self._delete(session.tenant, entity, keys),
        }
        handler = handlers.get(request.method)
        if handler is None:
            raise _not_found(request)
        if entity is JOURNAL:
            if keys[:2] == [ACTION, "status"] and request.method == "GET":
                return self._progress(request, keys[-1])
            self._releases.check_idle(session)
        return handler()

    def _get(self, request: Request, tenant: Tenant, entity: EntityType, keys: list[str]) -> Response:
        params = dict(request.query_params)
        if keys == ["$adHocSchema"]:
            return _json({name: {"type": f"{kind}Value"} for name, kind in entity.fields.items()})
        if keys:
            record = self._record(tenant, entity, keys)
            return _json(_linked(entity, record, read_shape(params), request.url.path))
        query = read_query(entity, params)
        self._check_optimized(entity, query.shape)
        return _json(wrapped_list(entity, self._listed(tenant, entity, query), query.shape))

    def _put(self, request: Request, tenant: Tenant, entity: EntityType, body: bytes) -> Response:
        if not body:
            state = {"": ["The request body should not be empty."]}
            raise HttpError(400, body=encode({"message": "The request is invalid.", "modelState": state}))
        try:
            values = unwrapped(entity, json.loads(body, parse_float=Decimal))
        except ValueError:
            raise HttpError(400, message="The request is invalid.") from None
        query = read_query(entity, dict(request.query_params))
        if entity.name in INQUIRIES:
            return _json(wrapped(entity, inquiries.answer(tenant, entity.name, values), query.shape))
        if entity is not JOURNAL:
            raise HttpError(403, f"You have insufficient rights to change the object ({entity.screen}).")
        known = self._known(tenant, values, query)
        if request.headers.get("if-none-match" if known else "if-match") == "*":
            raise HttpError(412, message="The precondition that the request's headers state does not hold.")
        record = self._drafts.put(tenant, values, known)
        return _json(_linked(entity, record, query.shape, request.url.path))

    def _known(self, tenant: Tenant, values: Mapping[str, Any], query: Query) -> Record | None:
        """Return the journal that a client means: by its keys, else by its id, else by a filter."""
        named = [str(values[name]) for name in JOURNAL.keys if values.get(name)]
        if len(named) < len(JOURNAL.keys):
            named = [str(values["id"])] if "id" in values else []
        if named:
            return self._journal(tenant, named)
        if query.wanted is not None and self.site.switches.finds_by_filter:
            return next(iter(self._journals(tenant, query)), None)
        return None

    def _journal(self, tenant: Tenant, keys: list[str]) -> Record | None:
        try:
            return self._record(tenant, JOURNAL, keys)
        except HttpError:
            return None

    def _delete(self, tenant: Tenant, entity: EntityType, keys: list[str]) -> Response:
        if entity is not JOURNAL:
            raise HttpError(403, f"You have insufficient rights to change the object ({entity.screen}).")
        self._drafts.delete(tenant, self._record(tenant, entity, keys))
        return Response(status_code=204)

    def _act(self, request: Request, session: Session, entity: EntityType, keys: list[str], body: bytes) -> Response:
        """Start an action; the journals' release is the only one that does anything."""
        if entity is not JOURNAL or keys != [ACTION]:
            raise _not_found(request)
        meant = unwrapped(entity, json.loads(body or b"{}").get("entity", {}))
        named = [str(meant.get(name)) for name in entity.keys]
        number = self._releases.start(session, self._journal(session.tenant, named))
        if number:
            return Response(status_code=202, headers={"Location": f"{request.url.path}/status/{number}"})
        return Response(status_code=204, headers={"Location": request.url.path.removesuffix(ACTION) + "/".join(named)})

    def _progress(self, request: Request, number: str) -> Response:
        if self._releases.look(number):
            return Response(status_code=204)
        return Response(status_code=202, headers={"Location": request.url.path})

    def _record(self, tenant: Tenant, entity: EntityType, keys: list[str]) -> Record:
        """Return a record by its keys or its id.

        :raises HttpError: 500 when there is none.
        """
        parts = keys[0].split("|") if len(keys) == 1 else keys

        def is_meant(record: Record) -> bool:
            return record["id"] == parts[0] or [record.get(name) for name in entity.keys] == parts

        if entity is JOURNAL and (draft := self._drafts.find(tenant, is_meant)):
            return draft
        for record in filter(is_meant, self._candidates(tenant, entity, parts)):
            return record
        raise HttpError(500, "No entity satisfies the condition.", _NO_ENTITY)

    def _candidates(self, tenant: Tenant, entity: EntityType, keys: list[str]) -> list[Record]:
        if entity is not JOURNAL:
            return list(bills(tenant, None) if entity.name == "Bill" else MASTERS[entity.name](tenant))
        batches = Batches.of_period(tenant, None)
        numbered = np.flatnonzero(batches.column("BatchNbr") == keys[-1]) if len(keys) == len(entity.keys) else None
        places = numbered if numbered is not None else np.arange(len(batches))
        return list(batches.records(places))

    def _listed(self, tenant: Tenant, entity: EntityType, query: Query) -> list[Record]:
        order = self.site.switches.order
        if entity is JOURNAL:
            return self._journals(tenant, query)
        if entity.name in INQUIRIES:
            return []
        period = period_asked(tenant.books, query.wanted)
        records = list(bills(tenant, period) if entity.name == "Bill" else MASTERS[entity.name](tenant))
        columns = column_of(records, entity)
        found = np.flatnonzero(matching(query.wanted, columns, len(records)))
        stamped = "LastModifiedDateTime" in entity.fields
        stamps = columns("LastModifiedDateTime").astype(np.int64) if stamped else np.zeros(len(records), np.int64)
        places = found[ordered(order, stamps[found], columns(entity.keys[-1])[found])]
        return [records[place] for place in query.page(places, self.site.switches.most_rows)]

    def _journals(self, tenant: Tenant, query: Query) -> list[Record]:
        """Return posted batches and drafts; the posted ones are looked at column by column."""
        batches = _batches(tenant, query)
        drafts = self._drafts.of(tenant)
        columns = column_of(drafts, JOURNAL)
        found = np.flatnonzero(matching(query.wanted, batches.column, len(batches)))
        also = np.flatnonzero(matching(query.wanted, columns, len(drafts))) + len(batches)
        places = np.concatenate([found, also])
        if not len(places):
            return []
        edited = columns("LastModifiedDateTime").astype("datetime64[ms]").astype(np.int64)
        stamps = np.concatenate([batches.stamps, edited])[places]
        order = ordered(self.site.switches.order, stamps, places)
        page = query.page(places[order], self.site.switches.most_rows)
        posted = page[page < len(batches)]
        records = dict(zip(posted.tolist(), batches.records(posted), strict=True))
        return [records[place] if place in records else drafts[place - len(batches)] for place in page.tolist()]

    def _check_optimized(self, entity: EntityType, shape: Shape) -> None:
        """See that a list can be made with one query.

        :raises HttpError: 500 with the fields that stand in the way.
        """
        asked = {*shape.fields(entity), *shape.expand, *shape.select}
        unfit = [
            name.partition(".")[2] for name in self.site.switches.unoptimized if name.startswith(f"{entity.name}.")
        ]
        causes = [f"{name}: View {entity.name} has BQL delegate" for name in unfit if name in asked]
        if causes:
            said = "\r\n".join(["Optimization cannot be performed.The following fields cause the error:", *causes])
            raise HttpError(500, said, "PX.Api.ContractBased.OptimizationException")


def _batches(tenant: Tenant, query: Query) -> Batches:
    """Return the posted batches that a filter may let through: those of a period, those that were drafts, or all."""
    text = description_asked(query.wanted)
    if text and not begins_in_books(tenant, text):
        return Batches.of_drafts(tenant)
    return Batches.of_period(tenant, period_asked(tenant.books, query.wanted))


def _linked(entity: EntityType, record: Record, shape: Shape, path: str) -> dict[str, Any]:
    """Return a single record, which tells its own address."""
    root = path[: path.lower().index(entity.name.lower()) + len(entity.name)]
    return wrapped(entity, record, shape) | {"_links": {"self": f"{root}/{record['id']}"}}


def _json(value: Any) -> Response:
    return Response(encode(value), headers={"Content-Type": "application/json; charset=utf-8"})


def _not_found(request: Request) -> HttpError:
    said = f"No HTTP resource was found that matches the request URI '{request.url.path}'."
    return HttpError(404, message=said)
