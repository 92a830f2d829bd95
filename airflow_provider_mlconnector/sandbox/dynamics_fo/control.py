# SPDX-License-Identifier: Apache-2.0
"""Control routes of the environment: its switches, its tokens, and faults with the bodies that it really sends."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.dynamics_fo.draft_control import add_journals
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import SYSTEM, Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import error_body
from airflow_provider_mlconnector.sandbox.entra.guarded import add_revoking
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.switching import add_presets, add_switches, answering

_ONLY_API = "^/dynamics_fo/"
_INFOLOG = (
    "Read failed for table row of type 'GeneralJournalEntryBiEntity'. Infolog: Info: Record 5637144576.; "
    "Warning: The record has been changed by another session; "
    "Error: validateField failed on field 'Ledger' of data source 'GeneralJournalEntry'."
)
_INFOLOG_TYPE = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataReadException"


_BUSY = "This request could not be processed at this time due to system experiencing high resource utilization."


def _answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Fault:
    return answering(SYSTEM, _ONLY_API, status, body, headers)


PRESETS = {
    "throttled": _answer(429, error_body(_BUSY), {"Retry-After": "30"}),
    "unavailable": _answer(503, "<html><body><h1>Service Unavailable</h1></body></html>"),
    "failed": _answer(500, error_body("An error has occurred.", _INFOLOG, _INFOLOG_TYPE)),
    "refused": _answer(400, error_body("An error has occurred.", _INFOLOG, _INFOLOG_TYPE)),
    "waking": Fault(FaultKind.DELAY, SYSTEM, path=_ONLY_API, seconds=2.0),
}
"""Faults by name: 429 as busy web servers send it, 503 as around a restart, errors with what happened behind
``Infolog:``, and a first call that takes long."""


def router(environment: Environment) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, environment)
    add_journals(routes, environment.world)
    add_presets(routes, environment.world, PRESETS)
    add_revoking(routes, environment.directory, environment.application)
    return routes
