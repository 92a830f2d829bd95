# SPDX-License-Identifier: Apache-2.0
"""A caller of the web services that knows nothing of ours: zeep, on the description that the server gives."""

from __future__ import annotations

from typing import Any

import requests
import zeep
from requests_ntlm import HttpNtlmAuth
from zeep.transports import Transport

from airflow_provider_mlconnector.sandbox.running import Sandbox

GP = "{http://schemas.microsoft.com/dynamics/gp/2006/01}"
BASE = "{http://schemas.microsoft.com/dynamics/2006/01}"


class Caller:
    """zeep, logged in by requests-ntlm."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.told = sandbox.info["dynamics_gp"]
        self.books = sandbox.world.books
        self.session = requests.Session()
        self.session.auth = HttpNtlmAuth(self.told["login"], self.told["password"])
        self.client = zeep.Client(f"{self.told['soap_url']}?wsdl", transport=Transport(session=self.session))
        self.service = self.client.create_service(f"{GP}LegacyDynamicsGP", self.told["soap_url"])

    def make(self, name: str, *values: Any, **members: Any) -> Any:
        return self.client.get_type(name)(*values, **members)

    def context(self, company: int = 1) -> Any:
        return self.make(
            f"{BASE}Context", CurrencyType="Local", OrganizationKey=self.make(f"{BASE}CompanyKey", Id=company)
        )

    def post(self, body: str) -> requests.Response:
        """Send an envelope with a body of our own."""
        spaces = f'xmlns="{GP[1:-1]}" xmlns:d="{BASE[1:-1]}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        text = f'<s:Envelope xmlns:s="{soap}" {spaces}><s:Body>{body}</s:Body></s:Envelope>'
        return self.session.post(self.told["soap_url"], data=text.encode(), headers={"Content-Type": "text/xml"})
