# SPDX-License-Identifier: Apache-2.0
"""A logged-in client of the sandbox's Business Central, written with nothing but ``requests``."""

import json
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.business_central import tenant_of
from airflow_provider_mlconnector.sandbox.running import serve

SCOPE = "https://api.businesscentral.dynamics.com/.default"


class Client:
    """Reads entity sets of Larkfield; numbers come as Decimal."""

    def __init__(self, sandbox) -> None:
        self.sandbox = sandbox
        self.info = sandbox.info["business_central"]
        self.world = sandbox.world
        self.books = sandbox.world.books
        self.tenant = tenant_of(sandbox.world)
        self.session = requests.Session()
        self.root = f"{self.info['base_url']}/v2.0/{self.info['tenant']}/{self.info['environment']}/api/v2.0"
        self.company = f"{self.root}/companies({self.info['company_id']})"
        self.finance = self.company.replace("/api/v2.0/", "/api/microsoft/reportsFinance/beta/")
        self.log_in()

    def ask_for_token(self, **changes):
        form = {
            "grant_type": "client_credentials",
            "client_id": self.info["client_id"],
            "client_secret": self.info["client_secret"],
            "scope": SCOPE,
        } | changes
        tenant = form.pop("tenant", self.info["tenant"])
        url = f"{self.info['authority_url']}/{tenant}/oauth2/v2.0/token"
        return requests.post(url, data={name: value for name, value in form.items() if value is not None}, timeout=5)

    def log_in(self):
        self.session.headers["Authorization"] = f"Bearer {self.ask_for_token().json()['access_token']}"

    def get(self, path, **headers):
        url = path if path.startswith("http") else f"{self.company}/{path}"
        wire = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.get(url, headers=wire, timeout=10)

    def read(self, path, **headers):
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)

    def rows(self, path, **headers):
        return self.read(path, **headers)["value"]

    def pages(self, path, size=None):
        """Follow the links to the end."""
        headers = {"Prefer": f"odata.maxpagesize={size}"} if size else {}
        pages = []
        while path:
            body = self.read(path, **headers)
            pages.append(body["value"])
            path = body.get("@odata.nextLink")
        return pages


@pytest.fixture(scope="module")
def reader():
    """A client for tests that change nothing."""
    with serve(["business_central"]) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def bc():
    with serve(["business_central"]) as sandbox:
        yield Client(sandbox)
