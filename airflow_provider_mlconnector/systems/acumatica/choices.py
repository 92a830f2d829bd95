# SPDX-License-Identifier: Apache-2.0
"""What a site speaks of the choices that a connection makes: endpoint, ledger, branch, segments of subaccounts."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.errors import CapabilityError, UnknownNameError
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.company import Company
from airflow_provider_mlconnector.systems.acumatica.connection import FIRST_OF_CONTRACT_5
from airflow_provider_mlconnector.systems.acumatica.entities import SUBACCOUNTS
from airflow_provider_mlconnector.systems.port import Choice

SAMPLE = 50
"""Subaccounts that are looked at."""


def probe(api: AcumaticaApi, company: Company) -> Iterator[Choice]:
    """Yield the choices in the order in which they depend on each other."""
    for ask in (_endpoint, _ledger, _branch, _segments):
        choice = ask(api, company)
        yield choice
        if not choice.fits:
            return


def _endpoint(api: AcumaticaApi, _: Company) -> Choice:
    endpoint, version = api.connection.endpoint, api.connection.version
    try:
        api.check_endpoint()
    except UnknownNameError as error:
        served = [one.partition("/") for one in error.candidates]
        known = sorted(one for name, _, one in served if name == endpoint and one < FIRST_OF_CONTRACT_5)
        sentence = f"The site serves {', '.join(error.candidates)}, and no {endpoint}/{version}."
        advice = (
            f"Set Endpoint version to {known[-1]}." if known else "Set Endpoint and Endpoint version to one of these."
        )
        return Choice("Endpoint version", False, sentence, advice)
    except CapabilityError as error:
        return Choice("Endpoint version", False, error.message, error.hint)
    return Choice("Endpoint version", True, f"The site serves {endpoint}/{version}.")


def _ledger(_: AcumaticaApi, company: Company) -> Choice:
    try:
        ledger = company.ledger
    except UnknownNameError as error:
        return Choice("Ledger", False, error.message, "Set Ledger to one of these, and Branch to one that posts to it.")
    return Choice("Ledger", True, f"Ledger {company.ledger_id} is kept in {ledger.Currency.value}.")


def _branch(api: AcumaticaApi, company: Company) -> Choice:
    own = api.connection.branch
    branches = [branch.BranchID.value or "" for branch in company.ledger.Branches]
    sentence = f"{', '.join(branches) or 'No branch'} posts to ledger {company.ledger_id}."
    if own and own not in branches:
        return Choice("Branch", False, sentence, "Set Branch to one of these, or leave it empty for all.")
    return Choice("Branch", True, sentence)


def _segments(api: AcumaticaApi, _: Company) -> Choice:
    own = api.connection.segments.all
    codes = [one.SubaccountCD.value or "" for one in api.records(SUBACCOUNTS, [], top=SAMPLE)]
    longest = max(codes, key=len, default="")
    sentence = f"Subaccounts are like '{longest}', which has {len(longest)} characters."
    if not own:
        return Choice("Subaccount segments", True, f"{sentence} None of their segments is named.")
    if own[-1].end != len(longest):
        advice = f"Set Subaccount segments to lengths that add up to {len(longest)}, not {own[-1].end}."
        return Choice("Subaccount segments", False, sentence, advice)
    said = ", ".join(f"{segment.name} '{segment.of(longest)}'" for segment in own)
    return Choice("Subaccount segments", True, f"{sentence} That is {said}.")
