# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector login``: a person grants access once, the deployment keeps the refresh token."""

from __future__ import annotations

import hmac
import secrets
from argparse import Namespace
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from rich.console import Console

from airflow_provider_mlconnector.cli.output import command, emit
from airflow_provider_mlconnector.errors import AuthenticationError, ConfigurationError
from airflow_provider_mlconnector.hooks.acumatica import AcumaticaHook
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook, hosts_of, login_of
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.trail import open_cipher
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings
from airflow_provider_mlconnector.systems.anaplan.auth import OAuthLogin, fingerprint
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.oauth import (
    DevicePrompt,
    authorization_url,
    device_grant,
    exchange_code,
)
from airflow_provider_mlconnector.systems.anaplan.ports import Token
from airflow_provider_mlconnector.trail.vault import Vault


@command
def login(args: Namespace) -> int:
    """Show the page to open, wait for the person, store the refresh token encrypted, try it once."""
    of_acumatica = Fields.read(args.conn_id).conn_type == AcumaticaHook.conn_type
    ok, sentence = _acumatica(args) if of_acumatica else _anaplan(args)
    emit(args, "Login", [{"connection": args.conn_id, "ok": ok, "answer": sentence}])
    return 0 if ok else 1


def _acumatica(args: Namespace) -> tuple[bool, str]:
    hook = AcumaticaHook(args.conn_id)
    grant = hook.code_grant(args.redirect_uri)
    code = ask_for_code(grant.page)
    grant.keep(code)
    return hook.test_connection()


def _anaplan(args: Namespace) -> tuple[bool, str]:
    hook = AnaplanHook(args.conn_id)
    hosts, oauth = hosts_of(hook.fields), login_of(hook.fields)
    if not isinstance(oauth, OAuthLogin):
        raise ConfigurationError(
            f"Connection '{args.conn_id}' does not log in by OAuth.",
            hint="Set its authentication to oauth, or use it as it is.",
        )
    service = LoginService(hosts, deployed_transport())
    vault = Vault(hook.trail.engine, open_cipher(load_settings()), Token)
    if args.redirect_uri:
        refresh_token = _by_code(service, hosts, oauth, args.redirect_uri)
    else:
        refresh_token = device_grant(service, oauth.client_id, _show)
    vault.put_refresh_token(fingerprint(hosts, oauth), refresh_token)
    return hook.test_connection()


def _show(prompt: DevicePrompt) -> None:
    console = Console(stderr=True)
    console.print(
        f"Open [bold]{prompt.url}[/bold] and confirm the code [bold]{prompt.user_code}[/bold].", soft_wrap=True
    )
    console.print(f"Waiting, for {prompt.expires_in / 60:.0f} minutes at most.")


def _by_code(service: LoginService, hosts: Hosts, oauth: OAuthLogin, redirect_uri: str) -> str:
    """Let the person consent in a browser and paste the address that Anaplan sent it to."""
    code = ask_for_code(lambda state: authorization_url(hosts, oauth.client_id, redirect_uri, state))
    return exchange_code(service, oauth.client_id, oauth.client_secret or "", code, redirect_uri)


def ask_for_code(page: Callable[[str], str]) -> str:
    """Show the page where a person consents, and return the code of the address that the browser was sent to.

    :param page: makes the page's address of a state, which has to come back.
    :raises AuthenticationError: when the address is of another login.
    """
    console, state = Console(stderr=True), secrets.token_urlsafe(24)
    # One line, however long: an address with line breaks in it cannot be copied.
    console.print(f"Open {page(state)}", soft_wrap=True)
    answer = parse_qs(urlsplit(console.input("Paste the address that you were sent to: ").strip()).query)
    if not hmac.compare_digest(answer.get("state", [""])[0], state) or "code" not in answer:
        raise AuthenticationError("That is not the address of this login.", hint="Run the command again.")
    return answer["code"][0]
