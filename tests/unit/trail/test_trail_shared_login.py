# SPDX-License-Identifier: Apache-2.0
"""Many processes, one OAuth login whose refresh token rotates, over real HTTP: killed, crowded, answers lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pytest
import requests
from cryptography.fernet import Fernet

from airflow_provider_mlconnector.clock import SystemClock
from airflow_provider_mlconnector.sandbox.anaplan.site import site_of
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.anaplan.auth import OAuthLogin, fingerprint
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.hosts import custom_hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget
from airflow_provider_mlconnector.systems.anaplan.login_service import Grant, LoginService
from airflow_provider_mlconnector.systems.anaplan.ports import Token
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.trail.cipher import FernetCipher
from airflow_provider_mlconnector.trail.store import Trail
from airflow_provider_mlconnector.trail.vault import Vault
from tests.unit.trail.support import in_processes

CLAIM_SECONDS = 30.0
SHORT_CLAIM = 0.5
"""Seconds of waiting for a holder that was killed, where nobody else could take it for dead while it lives."""
PROCESSES = 20
REFRESH = "/oauth/token"
LOGIN_COMMAND = "airflow mlconnector login"


class SandboxTime(SystemClock):
    """The sandbox's time of day, in which waiting takes as long as it takes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._clock = sandbox.world.clock

    def now(self) -> datetime:
        return self._clock.now()


@dataclass
class Deployment:
    """Processes that share a vault; a person logged in once."""

    sandbox: Sandbox
    trail: Trail
    cipher: FernetCipher
    claim_seconds: float = SHORT_CLAIM

    def client(self) -> AnaplanClient:
        clock = SandboxTime(self.sandbox)
        vault = Vault(self.trail.engine, self.cipher, Token, clock, claim_seconds=self.claim_seconds)
        budget = LocalBudget(per_minute=100_000)
        return AnaplanClient(self.hosts, self.login, Transport(clock=clock), tokens=vault, budget=budget)

    @property
    def hosts(self) -> object:
        told = self.sandbox.info["anaplan"]
        return custom_hosts(told["api_url"], told["auth_url"], told["oauth_url"])

    @property
    def login(self) -> OAuthLogin:
        return OAuthLogin(self.sandbox.info["anaplan"]["oauth_rotatable_client_id"], rotatable=True)

    def person_logs_in(self) -> None:
        """Store what ``airflow mlconnector login`` stores."""
        site = site_of(self.sandbox.world)
        refresh_token = site.grants.issue(site.grants.clients.rotating_device, site.people.integration)
        vault = Vault(self.trail.engine, self.cipher, Token)
        vault.put_refresh_token(fingerprint(self.hosts, self.login), refresh_token)

    def ping(self, number: int = 0) -> str:
        """Ask who we are, as a process of its own does; return "" or what was wrong."""
        client = self.client()
        health = client.ping()
        client.close()
        return "" if health.ok else health.sentence

    def let_tokens_expire(self) -> None:
        self.sandbox.world.clock.advance(36 * 60)

    def revoke_tokens(self) -> None:
        requests.delete(f"{self.sandbox.url}/_sandbox/anaplan/tokens", timeout=30).raise_for_status()

    def refreshes(self) -> int:
        return self.sandbox.world.stats.count("anaplan", method="POST", path=REFRESH)

    def fault(self, kind: str) -> None:
        body = {"kind": kind, "method": "POST", "path": REFRESH}
        requests.post(f"{self.sandbox.url}/_sandbox/faults", json=body, timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan"], scale=0.05) as running:
        yield running


@pytest.fixture
def deployment(sandbox: Sandbox, trail: Trail) -> Deployment:
    made = Deployment(sandbox, trail, FernetCipher(Fernet.generate_key().decode()))
    sandbox.world.stats.clear()
    made.person_logs_in()
    return made


def killed(work: Callable[[], object]) -> None:
    """Run work in a process that kills itself in the middle of it."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def dying(owner: type, name: str, *, after: bool) -> Callable[[Deployment], None]:
    """Return what makes this process kill itself right before or right after a method's work."""

    def arm(deployment: Deployment) -> None:
        method = getattr(owner, name)

        def dies(*args: object, **options: object) -> Grant | None:
            if after:
                method(*args, **options)
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
            return None

        setattr(owner, name, dies)
        deployment.ping()

    return arm


DIES_BEFORE_REFRESH = dying(LoginService, "oauth_token", after=False)
DIES_BETWEEN_REFRESH_AND_SAVE = dying(LoginService, "oauth_token", after=True)
DIES_AFTER_SAVE = dying(Vault, "_store", after=True)


def test_a_process_killed_between_refresh_and_save_leaves_an_error_that_says_what_to_do(deployment: Deployment) -> None:
    killed(partial(DIES_BETWEEN_REFRESH_AND_SAVE, deployment))
    assert deployment.refreshes() == 1
    told = deployment.ping()
    assert deployment.refreshes() == 2, "it was tried: it might never have been sent"
    assert "invalid_grant" in told
    assert "Its last use was cut off before the answer was stored" in told
    assert LOGIN_COMMAND in told
    assert LOGIN_COMMAND in deployment.ping()
    deployment.person_logs_in()
    assert deployment.ping() == ""


def test_a_process_killed_right_before_the_refresh_loses_nothing(deployment: Deployment) -> None:
    killed(partial(DIES_BEFORE_REFRESH, deployment))
    assert deployment.refreshes() == 0
    assert deployment.ping() == ""


def test_a_process_killed_right_after_the_save_loses_nothing(deployment: Deployment) -> None:
    killed(partial(DIES_AFTER_SAVE, deployment))
    assert deployment.ping() == ""
    assert deployment.refreshes() == 1, "the others use the token that the dead one stored"
    deployment.let_tokens_expire()
    assert deployment.ping() == ""


def test_a_refresh_whose_answer_gets_lost_is_explained_by_the_next_try(deployment: Deployment) -> None:
    deployment.fault("lost_answer")
    assert "broke off" in deployment.ping()
    told = deployment.ping()
    assert "Its last use was cut off" in told
    assert LOGIN_COMMAND in told


def test_a_refresh_that_never_arrived_loses_nothing(deployment: Deployment) -> None:
    deployment.fault("reset")
    assert "broke off" in deployment.ping()
    assert deployment.ping() == ""


@pytest.mark.parametrize("end", [Deployment.let_tokens_expire, Deployment.revoke_tokens])
def test_twenty_processes_with_a_dead_token_refresh_once_and_the_next_twenty_can_again(
    deployment: Deployment, end: Callable[[Deployment], None]
) -> None:
    deployment.claim_seconds = CLAIM_SECONDS
    assert deployment.ping() == ""
    for crowds in (2, 3):
        end(deployment)
        assert in_processes(PROCESSES, deployment.ping) == [""] * PROCESSES
        assert deployment.refreshes() == crowds
