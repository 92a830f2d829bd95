# SPDX-License-Identifier: Apache-2.0
"""Puts together what brings a company's journals about, as a flow's options say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.http.entra import require_tls
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.calls import Wire
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.draft_options import Coding, DraftOptions, Way
from airflow_provider_mlconnector.systems.syspro.drafts import Delivery, Posting, SysproDrafts
from airflow_provider_mlconnector.systems.syspro.enet import EnetSession
from airflow_provider_mlconnector.systems.syspro.hand_over import FileHandOver, Shelf, Workflow, WorkflowHandOver
from airflow_provider_mlconnector.systems.syspro.posted_journals import posted_journal
from airflow_provider_mlconnector.systems.syspro.posting import JournalObject

ONCE = RetryPolicy(attempts=1, patience=0.0)


def open_wire(connection: SysproConnection, transport: Transport = DIRECT) -> Wire:
    """Return the way to a company's e.net service; nobody logs on yet.

    :raises ConfigurationError: when its address is not safe to send a password to.
    """

    def session(how: Transport = transport) -> HttpSession:
        return HttpSession(require_tls(connection.enet_url), how)

    return Wire(EnetSession(connection, session()), patient=session(), once=session(replace(transport, retry=ONCE)))


def open_drafts(
    api: SysproApi,
    wire: Wire,
    options: DraftOptions,
    *,
    shelf: Shelf | None = None,
    workflow: Workflow | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> SysproDrafts:
    """Return what brings journals about: in a shelf, through a workflow that is noted there, or by posting.

    :param shelf: the folder of the options; only who posts needs none.
    :param workflow: the webhook of the options, if they name one.
    :raises ConfigurationError: when the options need one that is not given; nothing is posted instead.
    """
    company = api.connection.company
    coding = Coding(api.connection.gl_code, options.segments)
    render = partial(options.template.fill, company=company, code_of=coding.code)
    through = JournalObject(wire, options.business_object, options.template.root)
    delivery: Delivery
    if options.way is Way.POSTING:
        delivery = Posting(through, render, partial(posted_journal, api, coding), clock)
    elif shelf is None or (options.way is Way.WORKFLOW and workflow is None):
        raise ConfigurationError("Journals are to be handed over, and what takes them was not opened.")
    elif workflow is None:
        delivery = FileHandOver(shelf, render)
    else:
        delivery = WorkflowHandOver(shelf, render, workflow, company)
    return SysproDrafts(api, coding, render, delivery, through if options.validates else None)
