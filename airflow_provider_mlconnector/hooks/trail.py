# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the trail, and from Airflow's keys to the vault's.

A missing connection means the SQLite file of a single machine, and only if that file was set up before: a deployment
whose secrets backend fails for a moment must not start a second memory.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_mlconnector.errors import MlconnectorError, TrailError
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.settings import Settings, load_settings

if TYPE_CHECKING:
    from airflow_provider_mlconnector.trail.cipher import Cipher
    from airflow_provider_mlconnector.trail.store import Trail

_UPGRADE = "Run: airflow mlconnector db upgrade"
_SQLITE = "sqlite"


class TrailHook(BaseHook):
    """Opens the trail, the project's own database."""

    conn_name_attr = "trail_conn_id"
    default_conn_name = "mlconnector_trail"
    conn_type = "mlconnector_trail"
    hook_name = "mlconnector trail"

    def __init__(self, trail_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trail_conn_id = trail_conn_id or load_settings().trail_conn_id

    def get_url(self) -> str:
        """Return the database's URL for SQLAlchemy; it holds the password."""
        try:
            return url_of(Fields.read(self.trail_conn_id))
        except AirflowNotFoundException:
            return sqlite_url(load_settings())

    async def aget_url(self) -> str:
        """Return the database's URL, in a trigger."""
        try:
            return url_of(await Fields.aread(self.trail_conn_id))
        except AirflowNotFoundException:
            return sqlite_url(load_settings())

    def get_conn(self) -> Trail:
        """Return the trail, checked to be of this version."""
        return open_trail(self.get_url())

    def upgrade(self) -> tuple[str | None, str]:
        """Bring the tables to this version; return the revision they had, None for none, and the one they have now."""
        trail = _trail(self.get_url())
        before, head = trail.check()
        trail.upgrade()
        return before, head

    def test_connection(self) -> tuple[bool, str]:
        """Say whether the database answers and has this version's tables."""
        try:
            revision, head = _trail(self.get_url()).check()
        except MlconnectorError as error:
            return False, str(error)[:2000]
        except Exception as error:  # a driver's own errors have no common base, and may quote the URL
            return False, f"The trail's database does not answer ({type(error).__name__})."
        if revision != head:
            return False, f"The trail's tables are of revision {revision or 'none'}, not {head}. {_UPGRADE}"
        return True, f"The trail answers, with revision {head}."


@lru_cache(maxsize=8)
def open_trail(url: str) -> Trail:
    """Return the trail behind a URL, one engine per process, with tables of this version (seen once).

    :raises TrailError: when its tables are missing or of another version.
    """
    if url.startswith(f"{_SQLITE}:///") and not Path(url.removeprefix(f"{_SQLITE}:///")).exists():
        raise TrailError("The trail was never set up.", hint="Run: airflow mlconnector setup")
    trail = _trail(url)
    revision, head = trail.check()
    if revision != head:
        raise TrailError(f"The trail's tables are of revision {revision or 'none'}, not {head}.", hint=_UPGRADE)
    return trail


@lru_cache(maxsize=8)
def _trail(url: str) -> Trail:
    """Keep one engine per database in a process; it survives a fork of the process."""
    from airflow_provider_mlconnector.trail.store import Trail

    return Trail(url)


def url_of(fields: Fields) -> str:
    """Return SQLAlchemy's URL for a connection of type mlconnector_trail, postgres or sqlite.

    :raises ConfigurationError: for any other type.
    """
    if fields.conn_type == _SQLITE:
        return f"{_SQLITE}:///{fields.host or fields.schema}"
    if fields.conn_type not in (TrailHook.conn_type, "postgres", "postgresql"):
        raise fields.error(
            f"is of type {fields.conn_type}.", hint="The trail needs mlconnector_trail, postgres or sqlite."
        )
    login = f"{quote(fields.login, safe='')}:{quote(fields.secret, safe='')}@" if fields.login else ""
    port = f":{fields.port}" if fields.port else ""
    mode = f"?sslmode={fields.text('sslmode')}" if fields.text("sslmode") else ""
    return f"postgresql+psycopg2://{login}{fields.host}{port}/{fields.schema or 'mlconnector'}{mode}"


def sqlite_url(settings: Settings) -> str:
    """Return the URL of the single machine's file."""
    return f"{_SQLITE}:///{settings.trail_path}"


def open_cipher(settings: Settings) -> Cipher:
    """Return what encrypts the vault: the keys of ``[mlconnector] vault_key``, else Airflow's own Fernet keys.

    :raises VaultError: when there is no key, or it is none.
    """
    from airflow.sdk.configuration import conf

    from airflow_provider_mlconnector.trail.cipher import FernetCipher

    return FernetCipher(settings.vault_key or conf.get("core", "fernet_key", fallback="") or "")
