# SPDX-License-Identifier: Apache-2.0
"""What stands between a request and its handler: login, rate limit, role, the model's state, a busy model."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from enum import Enum, auto

from starlette.requests import Request

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ApiError, not_found
from airflow_provider_mlconnector.sandbox.anaplan.hub import ModelState
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import Role, User
from airflow_provider_mlconnector.sandbox.anaplan.site import Site
from airflow_provider_mlconnector.sandbox.anaplan.switches import RetryAfter, SecondTask, WhileBusy

_LOOK_SECONDS = 0.01
_SCHEMES = ("AnaplanAuthToken", "Bearer")
_REFUSALS = {
    ModelState.LOCKED: 423,
    ModelState.ARCHIVED: 422,
    ModelState.MAINTENANCE: 424,
    ModelState.PRODUCTION_MAINTENANCE: 424,
}


class Busy(Enum):
    """How an operation meets a busy model."""

    ANSWERS = auto()
    """Definitions, tasks and dumps: never held up."""
    UPLOADS = auto()
    STARTS = auto()
    HELD = auto()
    """Everything else hangs until the model is free."""


def user_of(site: Site, request: Request) -> User:
    """Return who asks.

    :raises ApiError: 401 without a token in force.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    session = site.sessions.find(value.strip()) if scheme in _SCHEMES else None
    if session is None:
        raise ApiError(401)
    return session.user


def take_from_budget(site: Site) -> None:
    """Count the request against the tenant's limit.

    :raises ApiError: 429 when it is used up.
    """
    wait = site.bucket.take(site.switches.rate_limit)
    if wait <= 0:
        return
    seconds, headers = max(1, math.ceil(wait)), {}
    match site.switches.retry_after:
        case RetryAfter.SECONDS:
            headers = {"Retry-After": str(seconds)}
        case RetryAfter.DATE:
            # a date has no fractions: round up, or the client comes too early
            moment = site.clock.now().replace(microsecond=0) + timedelta(seconds=seconds + 1)
            headers = {"Retry-After": format_datetime(moment, usegmt=True)}
        case RetryAfter.NONE:
            pass
    raise ApiError(429, headers=headers)


def check_place(site: Site, user: User, ids: Mapping[str, str], *, is_open_to_outsiders: bool) -> None:
    """Check that the path names the workspace and the model, in the right case, and that the user may see it.

    :raises ApiError: 404 otherwise.
    """
    known = site.hub.identity
    if ids.get("workspace_id", known.workspace_id) != known.workspace_id:
        raise not_found()
    if ids.get("model_id", known.model_id) != known.model_id:
        raise not_found()
    if "model_id" in ids and user.role is Role.NO_ACCESS and not is_open_to_outsiders:
        raise not_found()


def check_state(site: Site) -> None:
    """Check that the model can be worked with.

    :raises ApiError: 422 archived, 423 locked, 424 offline.
    """
    status = _REFUSALS.get(site.hub.state)
    if status is not None:
        raise ApiError(status)


def check_not_deployed(site: Site) -> None:
    """Check that the model's structure may be changed.

    :raises ApiError: 425 when it is deployed.
    """
    if site.hub.state is ModelState.PRODUCTION:
        raise ApiError(425)


async def wait_for_model(site: Site, busy: Busy) -> None:
    """Hold a request up while the model is busy, as the switches say; a client that gives up is not noticed.

    :raises ApiError: 409 when a second task is refused.
    """
    switches = site.switches
    if busy is Busy.STARTS and switches.busy is SecondTask.CONFLICT and site.hub.is_busy:
        raise ApiError(409)
    hangs = {
        Busy.ANSWERS: False,
        Busy.UPLOADS: switches.uploads_while_busy is WhileBusy.HANG,
        Busy.STARTS: switches.busy is SecondTask.HANG,
        Busy.HELD: switches.reads_while_busy is WhileBusy.HANG,
    }
    if busy is Busy.HELD:
        site.hub.open()
    deadline = asyncio.get_running_loop().time() + switches.hang_seconds
    # the virtual clock and the task thread set no event of this loop: look again and again
    while (busy is Busy.HELD and not site.hub.is_open) or (hangs[busy] and site.hub.is_busy):
        await asyncio.sleep(_LOOK_SECONDS)
        if asyncio.get_running_loop().time() > deadline:
            return
