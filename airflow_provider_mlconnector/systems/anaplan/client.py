# SPDX-License-Identifier: Apache-2.0
"""The client: one login, one budget, any number of models."""

from __future__ import annotations

import logging
from dataclasses import replace

from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.systems.anaplan.access import Access
from airflow_provider_mlconnector.systems.anaplan.auth import Login, fingerprint
from airflow_provider_mlconnector.systems.anaplan.definitions import (
    HEX_ID,
    ModelInfo,
    ModelRef,
    Workspace,
    find,
    parse_model,
    parse_workspace,
)
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.ports import Budget, TokenStore
from airflow_provider_mlconnector.systems.anaplan.wire import ModelApi, classify, collection, json_of, object_of
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Health

RETRIES = RetryPolicy(patience=300.0)  # whoever meets 429s for longer leaves, and comes back
LONG_WAIT = 5.0  # seconds of waiting for the budget that are worth a line in the log

log = logging.getLogger(__name__)


class AnaplanClient:
    """Talks to one Anaplan as one user; threads may share it.

    :param tokens: keeps the token, shared with whoever shares the store.
    :param budget: the tenant's requests per minute, kept per host.
    :param transport: an idle model may take minutes to wake up, so that its patience has to last for them.
    """

    def __init__(
        self,
        hosts: Hosts,
        login: Login,
        transport: Transport = DIRECT,
        *,
        tokens: TokenStore,
        budget: Budget,
    ) -> None:
        self._hosts = hosts
        self._budget = budget
        self._clock = transport.clock
        self._service = LoginService(hosts, transport, before_request=self._take_from_budget)
        access = Access(login, self._service, tokens, fingerprint(hosts, login))
        self._session = HttpSession(
            hosts.api,
            replace(transport, retry=RETRIES),
            authorize=access.headers,
            on_unauthorized=access.refused,
            classify=classify,
            before_request=self._take_from_budget,
            on_throttled=self._hold_others_back,
            headers={"Accept": "application/json"},
        )

    @property
    def hosts(self) -> Hosts:
        """Where it talks to."""
        return self._hosts

    @property
    def requests_made(self) -> int:
        """Requests sent so far to all services, repetitions counted."""
        return self._session.requests_made + self._service.requests_made

    @property
    def logins(self) -> int:
        """Logins made so far; a token that was found in the store or prolonged is none."""
        return self._service.logins

    def ping(self) -> Health:
        """Log in and ask who we are; an error becomes the sentence."""
        try:
            user = object_of(json_of(self._session.request("GET", "users/me")), "user")
        except MlconnectorError as exc:
            return Health(False, str(exc))
        name = user.get("email") or user.get("id") or "a user without a name"
        sentence = f"Logged in to Anaplan at {self._hosts.name} as {name}."
        return Health(True, sentence, server_time=self._session.server_time)

    def workspaces(self) -> tuple[Workspace, ...]:
        """List the workspaces that the user may see."""
        return tuple(parse_workspace(row) for row in collection(self._session, "workspaces", "workspaces"))

    def models(self, workspace_id: str | None = None) -> tuple[ModelInfo, ...]:
        """List the models that the user may see, of one workspace or of all."""
        path = f"workspaces/{workspace_id}/models" if workspace_id else "models"
        return tuple(parse_model(row) for row in collection(self._session, path, "models"))

    def resolve_model(self, workspace: str, model: str) -> ModelRef:
        """Find a model by names or ids, each exactly as written; ids may be in any case.

        Two ids are taken as they are, without asking.

        :raises UnknownNameError: when a name fits none or several; lists what there is.
        """
        if HEX_ID.fullmatch(workspace) and HEX_ID.fullmatch(model):
            return ModelRef(workspace.lower(), model.upper(), workspace.lower(), model.upper())
        wanted = workspace.lower() if HEX_ID.fullmatch(workspace) else workspace
        home = find("workspace", self.workspaces(), wanted, within=f"Anaplan at {self._hosts.name}")
        wanted = model.upper() if HEX_ID.fullmatch(model) else model
        found = find("model", self.models(home.id), wanted, within=f"Workspace {home.name!r}")
        return ModelRef(home.id, found.id, home.name, found.name)

    def model(self, ref: ModelRef) -> AnaplanModel:
        """Return the model to work with; nothing is asked yet."""
        return AnaplanModel(ref, ModelApi(self._session, ref.workspace_id, ref.model_id, self._clock))

    def close(self) -> None:
        """Close the kept connections. The token stays: others use it."""
        self._session.close()
        self._service.close()

    def _take_from_budget(self) -> None:
        while (wait := self._budget.take(self._hosts.name)) > 0:
            if wait >= LONG_WAIT:
                log.info("The budget of requests to %s is used up; waiting %.0f s.", self._hosts.name, wait)
            self._clock.sleep(wait)

    def _hold_others_back(self, seconds: float) -> None:
        self._budget.pause(self._hosts.name, seconds)
