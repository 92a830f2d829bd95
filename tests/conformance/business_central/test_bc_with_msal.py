# SPDX-License-Identifier: Apache-2.0
"""msal, as it is, logs in to the sandbox under the vendor's own host names."""

import msal
import pytest

from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.sandbox.tls import vendor_session

SCOPES = ["https://api.businesscentral.dynamics.com/.default"]


@pytest.fixture(scope="module")
def sandbox():
    with serve(["business_central"], tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def session(sandbox):
    with vendor_session(sandbox.url, sandbox.ca_file) as ready:
        yield ready


def credential(info, kind):
    return {
        "secret": info["client_secret"],
        "certificate with thumbprint": {"private_key": info["private_key_pem"], "thumbprint": info["thumbprint"]},
        "certificate": {"private_key": info["private_key_pem"], "public_certificate": info["certificate_pem"]},
        "wrong secret": "wrong",
    }[kind]


def application(sandbox, session, kind):
    info = sandbox.info["business_central"]
    return msal.ConfidentialClientApplication(
        info["client_id"],
        authority=f"https://login.microsoftonline.com/{info['tenant']}",
        client_credential=credential(info, kind),
        http_client=session,
    )


@pytest.mark.parametrize("kind", ["secret", "certificate with thumbprint", "certificate"])
def test_a_token_from_msal_opens_the_api(sandbox, session, kind):
    info = sandbox.info["business_central"]
    token = application(sandbox, session, kind).acquire_token_for_client(SCOPES)
    root = f"https://api.businesscentral.dynamics.com/v2.0/{info['tenant']}/{info['environment']}/api/v2.0"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    answer = session.get(f"{root}/companies({info['company_id']})/accounts?$top=1", headers=headers, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["@odata.context"].startswith(f"{root}/$metadata#companies(")


def test_msal_tells_why_a_secret_is_refused(sandbox, session):
    refused = application(sandbox, session, "wrong secret").acquire_token_for_client(SCOPES)
    assert refused["error_codes"] == [7000215]


def test_links_name_the_host_that_was_asked(sandbox, session):
    info = sandbox.info["business_central"]
    token = application(sandbox, session, "secret").acquire_token_for_client(SCOPES)
    url = (
        f"https://api.businesscentral.dynamics.com/v2.0/{info['tenant']}/{info['environment']}/api/v2.0"
        f"/companies({info['company_id']})/accounts"
    )
    headers = {"Authorization": f"Bearer {token['access_token']}", "Prefer": "odata.maxpagesize=50"}
    first = session.get(url, headers=headers, timeout=5).json()
    assert first["@odata.nextLink"].startswith(f"{url}?aid=FIN&$skiptoken=")
    second = session.get(first["@odata.nextLink"], headers=headers, timeout=5).json()
    assert len(first["value"]) + len(second["value"]) == 73
