# SPDX-License-Identifier: Apache-2.0
"""What a flow does, told to the person who looks at its DAG: Markdown for the pages of Airflow."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plans import erp_pool_name, pool_of
from airflow_provider_mlconnector.flows.spec import LatePostings, LoadSpec
from airflow_provider_mlconnector.pipeline.plan import Send, Shape, Unmapped


def flow_story(flow: Flow) -> str:
    """Return the flow's own page."""
    parts = (_introduction(flow), _loads(flow), _times(flow), _again(flow), _looking(flow))
    return "\n\n".join("\n".join(part) for part in parts)


def extract_story(flow: Flow, dataset: str) -> str:
    """Return the page of a task that reads."""
    return (
        f"Reads **{dataset}** of {flow.spec.erp.company} and brings the period's book up to date. A run "
        "reads what changed since the last load; a backfilled, cleared or `full` one reads the period whole."
    )


def prepare_story(load: LoadSpec) -> str:
    """Return the page of a task that prepares an import file."""
    unmapped = "fail the task" if load.unmapped is Unmapped.FAIL else "are quarantined with their reason"
    return (
        f"Turns the book's **{load.dataset}** into the file of **{load.import_name}**: "
        f"{_content(load)}. Rows that do not map {unmapped}."
    )


def load_story(load: LoadSpec) -> str:
    """Return the page of a task that loads."""
    return (
        f"Loads the file by **{load.import_name}**, under the model's lease. Clearing this task sends its cells again; "
        "a retry takes up the import that runs already."
    )


def remove_story(load: LoadSpec) -> str:
    """Return the page of a task that removes records."""
    return (
        f"Runs **{load.delete}** when records of {load.dataset} are gone. The load before it has set their figures to "
        "0; the action removes those."
    )


def sweep_story(flow: Flow) -> str:
    """Return the page of the task that looks for late postings."""
    then = "start a run of their period" if flow.spec.late_postings is LatePostings.RELOAD else "are reported"
    return (
        "Asks the ledger, in runs of the newest open period, what was posted or changed in closed periods after their "
        f"last load. Such lines {then}: in this log, on the trail, and in XCom."
    )


def reload_story() -> str:
    """Return the page of the tasks that load late postings."""
    return "Starts a run of each closed period that has late postings, once for each set of them."


def reconcile_story() -> str:
    """Return the page of the last task."""
    return (
        "Compares the ERP's own totals, the book, what was sent, loaded and rejected, and what the model holds. "
        "The table is in the log and on the trail; the task fails where they differ."
    )


def _introduction(flow: Flow) -> Iterator[str]:
    erp, anaplan = flow.spec.erp, flow.spec.anaplan
    yield f"# {flow.name}"
    yield ""
    yield (
        f"Brings the books of **{erp.company}** ({erp.system}, connection `{erp.conn_id}`, pool "
        f"`{erp_pool_name(erp.conn_id)}`) into the Anaplan model **{anaplan.model}** of workspace "
        f"**{anaplan.workspace}** (connection `{anaplan.conn_id}`, pool `{pool_of(flow)}`). "
        f"The flow file is `{flow.path.name}`."
    )


def _loads(flow: Flow) -> Iterator[str]:
    yield "| dataset | import | file columns | what is sent |"
    yield "|---|---|---|---|"
    for load in flow.spec.load:
        columns = ", ".join(f"{name} ← {source.lstrip('=')}" for name, source in load.columns.items())
        yield f"| {load.dataset} | {load.import_name} | {_cell(columns)} | {_content(load)} |"


def _content(load: LoadSpec) -> str:
    if load.effective_shape is Shape.RECORDS:
        return "changed records" if load.send is Send.TOUCHED else "all records"
    which = "changed totals" if load.send is Send.TOUCHED else "all totals"
    return f"{which} by {', '.join(load.address)}"


def _times(flow: Flow) -> Iterator[str]:
    yield "## When it runs"
    yield ""
    yield (
        f"{str(flow.schedule).capitalize()} ({flow.calendar.timezone}), once for every open period of the calendar "
        f"`{flow.calendar.calendar}`. A period is open from its first day until its last close event."
    )
    if flow.spec.sweeps:
        then = "loaded" if flow.spec.late_postings is LatePostings.RELOAD else "reported"
        yield ""
        yield f"Lines that are posted to a closed period later are {then} by the runs of the newest open one."
    yield from _limits(flow)


def _limits(flow: Flow) -> Iterator[str]:
    hours, queue = flow.spec.erp.hours, flow.spec.queue
    if hours:
        yield ""
        span = f"{hours.start:%H:%M} to {hours.end:%H:%M}"
        yield f"The ledger is read from {span}; a run outside waits, holding no worker."
    if queue:
        yield ""
        yield f"What talks to the ledger is in the queue `{queue}`; a worker that can reach it has to serve that."


def _again(flow: Flow) -> Iterator[str]:
    yield "## Load a period again"
    yield ""
    yield "- One period: *Trigger*, with its key, such as `FY2026-P05`, as the partition key."
    yield (
        "- Several: *Trigger, Backfill*, or the command below. The dates choose the periods that start within them. "
        "A period that was backfilled before is left alone unless *Reprocess Behavior* is *All Runs*."
    )
    yield (
        "- A backfilled or cleared run, and one with the parameter `full`, reads its period whole and sends all cells; "
        "any other sends what changed."
    )
    yield ""
    yield "```"
    yield (
        f"airflow backfill create --dag-id {flow.name} --from-date 2025-07-01 --to-date 2025-09-30 "
        "--reprocess-behavior completed"
    )
    yield "```"


def _looking(flow: Flow) -> Iterator[str]:
    yield "## What happened"
    yield ""
    yield "```"
    yield f"airflow mlconnector trail runs --flow {flow.name}"
    yield f"airflow mlconnector trail show --flow {flow.name} --record <the ERP's id of a line>"
    yield "```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
