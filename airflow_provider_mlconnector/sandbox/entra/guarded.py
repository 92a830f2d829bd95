# SPDX-License-Identifier: Apache-2.0
"""What the systems that Entra guards have alike: how their application logs in, and a way to revoke its tokens."""

from __future__ import annotations

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.entra.directory import TENANT_ID, Application, Directory
from airflow_provider_mlconnector.sandbox.entra.service import PREFIX


def login(application: Application, base_url: str) -> dict[str, str]:
    """Return how an application logs in, by secret or certificate."""
    return {
        "authority_url": f"{base_url}{PREFIX}",
        "tenant": TENANT_ID,
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "certificate_pem": application.certificate.certificate_pem,
        "private_key_pem": application.certificate.private_key_pem,
        "thumbprint": application.certificate.thumbprint,
    }


def add_revoking(routes: APIRouter, directory: Directory, application: Application) -> None:
    """Make all tokens of an application invalid, as an administrator may."""

    @routes.delete("/tokens")
    async def revoke() -> dict[str, str]:
        directory.revoke(application)
        return {"status": "revoked"}
