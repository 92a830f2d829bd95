# SPDX-License-Identifier: Apache-2.0
"""A custom service of the customer's that posts a journal, at ``/api/services``: stock environments have none."""

from __future__ import annotations

import json

from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import all_journals
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_posting import PostingError, post
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import rules_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import WireError, bad_request

COMPANY, JOURNAL = "dataAreaId", "journalBatchNumber"
"""Names of the operation's parameters."""


def call(environment: Environment, path: str, body: bytes) -> str:
    """Post the journal that a request names, by ``Group/Service/Operation``; return what the operation says.

    :raises WireError: 404 when there is no such service, 500 with its exception when the journal cannot be posted.
    """
    if path != environment.switches.posting_service:
        raise WireError(404)
    try:
        given = json.loads(body)
    except ValueError:
        raise bad_request("The request body is no JSON.") from None
    for journals in all_journals(environment.world):
        header = journals.headers.get(given.get(JOURNAL, ""))
        if journals.area == given.get(COMPANY) and header is not None:
            journals.post_calls += 1
            try:
                post(journals, rules_of(environment.world, journals.books), header)
            except PostingError as error:
                raise WireError(500, "An exception occurred when invoking the operation.", str(error)) from error
            return header.number
    raise WireError(500, "An exception occurred when invoking the operation.", "There is no such journal.")
