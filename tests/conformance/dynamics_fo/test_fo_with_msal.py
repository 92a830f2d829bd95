# SPDX-License-Identifier: Apache-2.0
"""msal, as it is, logs in to the sandbox's environment under the vendor's own host names."""

import msal
import pytest

from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.sandbox.tls import vendor_session

HOST = "https://larkfield.operations.dynamics.com"


@pytest.fixture(scope="module")
def sandbox():
    with serve(["business_central", "dynamics_fo"], tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def session(sandbox):
    with vendor_session(sandbox.url, sandbox.ca_file) as ready:
        yield ready


def token_of(sandbox, session, credential, scope):
    info = sandbox.info["dynamics_fo"]
    application = msal.ConfidentialClientApplication(
        info["login"],
        authority=f"https://login.microsoftonline.com/{info['tenant']}",
        client_credential=credential,
        http_client=session,
    )
    return application.acquire_token_for_client([scope])


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_a_token_from_msal_opens_the_environment(sandbox, session, kind):
    info = sandbox.info["dynamics_fo"]
    pem = {"private_key": info["private_key_pem"], "public_certificate": info["certificate_pem"]}
    token = token_of(sandbox, session, info["password"] if kind == "secret" else pem, f"{HOST}/.default")
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    answer = session.get(f"{HOST}/data/LegalEntities?$top=2", headers=headers, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["@odata.context"] == f"{HOST}/data/$metadata#LegalEntities"


def test_a_token_for_another_service_is_refused_where_it_is_asked_for(sandbox, session):
    password = sandbox.info["dynamics_fo"]["password"]
    refused = token_of(sandbox, session, password, "https://elsewhere.operations.example/other/.default")
    assert refused["error_codes"] == [500011]
