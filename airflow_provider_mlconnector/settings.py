# SPDX-License-Identifier: Apache-2.0
"""The ``[mlconnector]`` section of Airflow's configuration, read once per use and handed on as one value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airflow.sdk.configuration import conf

SECTION = "mlconnector"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an administrator decided for the whole deployment; the options are described in the provider info.

    :param allowed_hosts: origins that a connection may name as its own host.
    :param staging: folder or object store URL of the staging area.
    :param vault_key: Fernet key of the vault, "" for Airflow's own.
    :param proxies: by scheme, as ``requests`` takes them.
    :param verify: True, or the file of CA certificates to verify servers with; never False.
    :param grace: seconds for which a worker polls before it defers.
    :param first_poll: seconds until a trigger looks for the first time.
    """

    allowed_hosts: frozenset[str]
    trail_conn_id: str
    trail_path: Path
    staging: str
    vault_key: str
    requests_per_minute: int
    reserve: int
    read_timeout: float
    proxies: Mapping[str, str]
    verify: bool | str
    memory_limit: str
    grace: float
    first_poll: float


def airflow_home() -> Path:
    """Return Airflow's home folder."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def load_settings() -> Settings:
    """Read the section as it stands now."""
    home = airflow_home() / "mlconnector"
    return Settings(
        allowed_hosts=frozenset(origin(entry) for entry in _text("allowed_hosts").split(",") if entry.strip()),
        trail_conn_id=_text("trail_conn_id") or "mlconnector_trail",
        trail_path=Path(_text("trail_path") or home / "trail.db"),
        staging=_text("staging") or str(home / "stage"),
        vault_key=_text("vault_key"),
        requests_per_minute=conf.getint(SECTION, "requests_per_minute", fallback=600),
        reserve=conf.getint(SECTION, "reserve", fallback=60),
        read_timeout=conf.getfloat(SECTION, "read_timeout", fallback=300.0),
        proxies={scheme: url for scheme in ("http", "https") if (url := _text(f"{scheme}_proxy"))},
        verify=_text("ca_bundle") or True,
        memory_limit=_text("memory_limit") or "512MB",
        grace=conf.getfloat(SECTION, "grace", fallback=15.0),
        first_poll=conf.getfloat(SECTION, "first_poll", fallback=10.0),
    )


def origin(url: str) -> str:
    """Return ``scheme://host[:port]`` in lower case, without the scheme's usual port; https where none is given."""
    from urllib.parse import urlsplit

    parts = urlsplit(url.strip() if "://" in url else f"https://{url.strip()}")
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}".lower()


def _text(option: str) -> str:
    return (conf.get(SECTION, option, fallback="") or "").strip()
