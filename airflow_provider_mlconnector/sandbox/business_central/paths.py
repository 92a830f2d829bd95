# SPDX-License-Identifier: Apache-2.0
"""What the path of a request names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from airflow_provider_mlconnector.sandbox.business_central.tenant import ENVIRONMENT
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError
from airflow_provider_mlconnector.sandbox.entra.directory import TENANT_DOMAIN, TENANT_ID

V2 = "v2.0"
FINANCE = "microsoft/reportsFinance/beta"
METADATA = "$metadata"
BATCH = "$batch"

_PATH = re.compile(rf"(?:(?P<tenant>[^/]+)/)?(?P<environment>[^/]+)/api/(?P<api>{V2}|{FINANCE})(?:/(?P<resource>.*))?")
_SEGMENT = re.compile(r"(?P<name>[\w$.]+)(?:\((?P<key>[^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: ``set(key)/navigation(inner)`` of a company, or its count.

    :param above: id of the journal that ``journals(id)/journalLines(key)`` names the line's record below.
    """

    api: str
    company: str
    set: str
    key: str = ""
    navigation: str = ""
    inner: str = ""
    is_count: bool = False
    above: str = ""

    @property
    def record(self) -> str:
        """Return the id of the one record that is meant; "" for a set."""
        return self.inner if self.navigation else self.key


def read_path(path: str, company: str, *, finance: bool) -> Target:
    """Read a path.

    :param company: that of the query, for paths without one.
    :param finance: whether the finance API answers.
    :raises WireError: 404 for tenants, environments and APIs that are not there, 400 for what is no path.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise WireError(404, "BadRequest_NotFound", "The requested API was not found.")
    if (match["tenant"] or TENANT_ID).lower() not in (TENANT_ID, TENANT_DOMAIN):
        raise WireError(404, "Internal_TenantUnavailable", f"The tenant '{match['tenant']}' was not found.")
    if match["environment"].lower() != ENVIRONMENT.lower():
        raise WireError(404, "NoEnvironment", f"The environment '{match['environment']}' does not exist.")
    if match["api"] == FINANCE and not finance:
        raise WireError(404, "BadRequest_NotFound", "The requested API was not found.")
    segments = [_segment(text) for text in unquote(match["resource"] or "").split("/") if text]
    is_count = bool(segments) and segments[-1] == ("$count", "")
    if is_count:
        segments.pop()
    if segments and segments[0][0] == "companies":
        company, segments = segments[0][1], segments[1:]
    if segments and not company and segments[0][0] not in (METADATA, BATCH):
        raise WireError(400, "BadRequest_RequiredParamNotProvided", "A company must be specified in the request.")
    return _target(match["api"], company, segments, is_count)


def _target(api: str, company: str, segments: list[tuple[str, str]], is_count: bool) -> Target:
    above = ""
    if len(segments) > 1 and segments[0][0] == "journals" and segments[1][0] == "journalLines" and segments[1][1]:
        (_, above), *segments = segments
    if len(segments) > 2:
        raise WireError(404, "BadRequest_NotFound", f"Resource not found for the segment '{segments[2][0]}'.")
    (name, key), (navigation, inner) = [*segments, ("", ""), ("", "")][:2]
    return Target(api, company, name, key, navigation, inner, is_count, above)


def _segment(text: str) -> tuple[str, str]:
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise WireError(400, "BadRequest_InvalidRequestUrl", f"The segment '{text}' is not valid.")
    return match["name"], (match["key"] or "").strip("'").lower()
