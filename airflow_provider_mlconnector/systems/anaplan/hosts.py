# SPDX-License-Identifier: Apache-2.0
"""Where Anaplan answers: three services per region, or the hosts that a connection names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import ConfigurationError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Region(StrEnum):
    """Anaplan's regions, as the servers of its public API description name them."""

    US1 = "us1"
    US2 = "us2"
    US5 = "us5"
    US7 = "us7"
    US9 = "us9"
    EU1 = "eu1"
    EU2 = "eu2"
    EU3 = "eu3"
    EU4 = "eu4"
    EU5 = "eu5"
    GB1 = "gb1"
    AP1 = "ap1"
    CA1 = "ca1"
    SG1 = "sg1"
    AE1 = "ae1"
    IN1 = "in1"
    ID1 = "id1"
    ME1 = "me1"
    AU1 = "au1"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Roots of the three services, without a slash at the end; ``api`` goes up to and including ``/2/0``."""

    api: str
    auth: str
    oauth: str

    @property
    def name(self) -> str:
        """Host and port of the API: the part of a model's address that tells one Anaplan from another."""
        return urlsplit(self.api).netloc.lower()


GLOBAL_HOSTS = Hosts("https://api.anaplan.com/2/0", "https://auth.anaplan.com", "https://us1a.app.anaplan.com")
SHARED_REGIONS = frozenset(
    {Region.US1, Region.US2, Region.US5, Region.US7, Region.EU1, Region.EU2, Region.EU4, Region.AP1}
)
ODD_HOSTS = {
    Region.CA1: Hosts(
        "https://ca1a.api.anaplan.com/2/0", "https://ca1a.auth.anaplan.com", "https://ca1a.app.anaplan.com"
    ),
    Region.AU1: Hosts(
        "https://au1a.api2.anaplan.com/2/0", "https://au1a.app2.anaplan.com", "https://au1a.app2.anaplan.com"
    ),
}


def hosts_for(region: Region) -> Hosts:
    """Return the hosts of a region."""
    if region in SHARED_REGIONS:
        return GLOBAL_HOSTS
    if region in ODD_HOSTS:
        return ODD_HOSTS[region]
    return Hosts(
        f"https://{region}.api.anaplan.com/2/0",
        f"https://{region}.auth.anaplan.com",
        f"https://{region}.app.anaplan.com",
    )


def custom_hosts(api: str, auth: str, oauth: str) -> Hosts:
    """Return hosts that a connection names itself; plain HTTP is for loopback only.

    :raises ConfigurationError: when one is not an absolute HTTPS address, or holds credentials or a query.
    """
    return Hosts(_root(api), _root(auth), _root(oauth))


def _root(url: str) -> str:
    parts = urlsplit(url.strip())
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise ConfigurationError(f"{parts.hostname or 'An Anaplan host'}: an address with https:// is needed.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"{parts.hostname}: an address without user, query or fragment is needed.")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
