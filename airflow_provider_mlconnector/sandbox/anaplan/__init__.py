# SPDX-License-Identifier: Apache-2.0
"""Anaplan: one tenant with the workspace "Finance" and the model "FP&A Hub", on Integration API v2.

It really imports: an uploaded file becomes members and cells, what it names wrongly comes back in a failure dump, and
tasks take their turn. Where Anaplan's documents leave something open, :class:`Switches` decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.anaplan.api import (
    cells,
    definitions,
    files,
    lists,
    modules,
    reads,
    tasks,
    tenant,
)
from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ROOT
from airflow_provider_mlconnector.sandbox.anaplan.api.control import Control
from airflow_provider_mlconnector.sandbox.anaplan.api.oauth import OAuthService
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import routes
from airflow_provider_mlconnector.sandbox.anaplan.api.tokens import TokenService
from airflow_provider_mlconnector.sandbox.anaplan.ids import TIME_DIMENSION, VERSIONS_DIMENSION
from airflow_provider_mlconnector.sandbox.anaplan.site import SYSTEM, site_of
from airflow_provider_mlconnector.sandbox.state import World

__all__ = ["SYSTEM", "describe", "router"]

_PARTS = (tenant, definitions, files, tasks, lists, modules, cells, reads)


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def router(world: World) -> APIRouter:
    """Return the routes of the API, the login services and the control paths."""
    site = site_of(world)
    operations = [operation for part in _PARTS for operation in part.OPERATIONS]
    api = routes(site, operations)
    return APIRouter(routes=[*api, *TokenService(site).routes(), *OAuthService(site).routes(), *Control(site).routes()])


def describe(world: World, base_url: str) -> dict[str, Any]:
    """Return how to reach the tenant and log in to it, and the ids of what its model offers, by name."""
    site = site_of(world)
    hub, clients, user = site.hub, site.grants.clients, site.people.integration
    lists = [
        members for members in hub.contents.lists.values() if members.id not in (TIME_DIMENSION, VERSIONS_DIMENSION)
    ]
    return {
        "api_url": base_url + ROOT,
        "auth_url": base_url,
        "oauth_url": base_url,
        "login": user.email,
        "password": user.password,
        "users": {person.email: person.password for person in site.people.all},
        "certificate_pem": site.key_pair.certificate_pem,
        "private_key_pem": site.key_pair.private_key_pem,
        "oauth_client_id": clients.device.id,
        "oauth_rotatable_client_id": clients.rotating_device.id,
        "oauth_code_client_id": clients.web.id,
        "oauth_code_client_secret": clients.web.secret,
        "oauth_redirect_uri": clients.web.redirect_uri,
        "workspace_id": hub.identity.workspace_id,
        "workspace": hub.identity.workspace,
        "model_id": hub.identity.model_id,
        "model": hub.identity.model,
        "import_ids": _ids(hub.definitions.imports),
        "file_ids": {action.name: action.file_id for action in hub.definitions.imports},
        "export_ids": _ids(hub.definitions.exports),
        "process_ids": _ids(hub.definitions.processes),
        "action_ids": _ids(hub.definitions.deletions),
        "module_ids": _ids(hub.definitions.modules),
        "view_ids": _ids(view for view in hub.definitions.views if view.is_saved),
        "list_ids": _ids(lists),
    }


def _ids(things: Iterable[_Named]) -> dict[str, str]:
    return {thing.name: thing.id for thing in things}
