# SPDX-License-Identifier: Apache-2.0
"""What a plan's DAG does, told to the person who looks at it: Markdown for the pages of Airflow."""

from __future__ import annotations

from airflow_provider_mlconnector.finance.time_words import format_span
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plan_spec import JournalSpec, PlanSpec, Start


def plan_story(flow: Flow, spec: PlanSpec) -> str:
    """Return the page of the DAG."""
    erp, anaplan, journal = flow.spec.erp, flow.spec.anaplan, spec.journal
    return "\n\n".join(
        (
            f"# {spec.effective_name}",
            f"Brings **{spec.effective_name}** of the Anaplan model **{anaplan.model}** back to **{erp.company}** "
            f"({erp.system}, connection `{erp.conn_id}`), into **{journal.name}**. {_posting(journal)} The flow file "
            f"is `{flow.path.name}`.",
            "## When it runs",
            _start(flow, spec),
            "## What is asked",
            _asked(spec),
            *(["## When somebody posts", _posted(spec)] if spec.posted else []),
            "## Again",
            "The same plan again writes nothing. A changed one replaces its drafts as long as nobody has posted them, "
            "and is refused after that. A retry or a cleared *write* finishes what it began: documents have keys "
            "by which they are found in the ledger.",
        )
    )


def task_stories(flow: Flow, spec: PlanSpec) -> dict[str, str]:
    """Return the pages of the tasks by their ids."""
    erp = flow.spec.erp
    return {
        "flag": _waited_for(spec),
        "export": f"Runs the export **{spec.export}** under the model's lease, and stages its file.",
        "resolve": "Turns members back into accounts and dimensions by the code books of the close, and figures into "
        "balanced journals.",
        "preflight": f"Checks plan and {erp.system} before anybody is asked. Everything that is wrong is told at once, "
        "line by line.",
        "approve": _asked(spec),
        "write": "Brings the journals about, each exactly once, if the trail says that a person approved exactly "
        "these bytes in this run. What that does to the ledger stands in the question.",
        "verify": "Reads every document back and compares it line by line; each becomes an asset event.",
        "posted": _posted(spec),
    }


def _posting(journal: JournalSpec) -> str:
    """Say what becomes of the journals; only the ledger knows what its options come to."""
    if not journal.options:
        return "They are drafts: nothing is posted, a person does that in the ledger."
    told = ", ".join(f"`{name}: {value}`" for name, value in journal.options.items())
    return f"Its options are {told}; what approving does by them stands in the question."


def _start(flow: Flow, spec: PlanSpec) -> str:
    times = [f"{str(flow.schedule).capitalize()} ({flow.calendar.timezone})"] if spec.start is Start.CALENDAR else []
    times += [f"when the asset `{spec.after}` is updated"] if spec.after else []
    by_hand = "with *Trigger*, for the fiscal periods and the version that its form names"
    text = ", and ".join([*times, by_hand])
    return " ".join(filter(None, (f"{text[:1].upper()}{text[1:]}.", _waited_for(spec))))


def _waited_for(spec: PlanSpec) -> str:
    if spec.flag is None:
        return ""
    where = ", ".join(f"{dimension} {member}" for dimension, member in spec.flag.at.items())
    return (
        f"A run begins once **{spec.flag.item}** of **{spec.flag.view}** is `{spec.flag.value}` in the model"
        f"{f' ({where})' if where else ''}, for each of its periods; it fails after {format_span(spec.flag.wait)}."
    )


def _posted(spec: PlanSpec) -> str:
    if spec.posted is None:
        return ""
    return (
        "Looks into the ledger every few minutes until people have posted every document, and tells their numbers; "
        f"fails after {format_span(spec.posted.wait)}. It holds no worker meanwhile."
    )


def _asked(spec: PlanSpec) -> str:
    who = ", ".join(spec.approval.names) or "anybody who may answer in Airflow"
    eyes = ", but not who asked for the run" if spec.approval.four_eyes else ""
    return (
        f"**{who}**{eyes} is shown totals by account, what the ledger holds by now, and the digest of the bytes. "
        f"Without an answer within {format_span(spec.approval.wait)} the run fails; a rejection ends it."
    )
