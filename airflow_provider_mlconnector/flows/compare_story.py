# SPDX-License-Identifier: Apache-2.0
"""What a comparison's DAG does, told to the person who looks at it: Markdown for the pages of Airflow."""

from __future__ import annotations

from airflow_provider_mlconnector.flows.compare_spec import CompareSpec, Often
from airflow_provider_mlconnector.flows.flow import Flow


def compare_story(flow: Flow, spec: CompareSpec) -> str:
    """Return the page of the DAG."""
    erp, anaplan = flow.spec.erp, flow.spec.anaplan
    times = "" if spec.often is Often.MANUAL else f"{spec.often.capitalize()} ({flow.calendar.timezone}), and "
    return "\n\n".join(
        (
            f"# {spec.effective_name}",
            f"Compares what the export **{spec.export}** of the Anaplan model **{anaplan.model}** lists with the "
            f"{spec.dataset} of **{erp.company}** ({erp.system}, connection `{erp.conn_id}`). Nothing is changed in "
            f"either: what differs is a report for a person. The flow file is `{flow.path.name}`.",
            "## When it runs",
            f"{times}with *Trigger*." if times else "With *Trigger*.",
        )
    )


def task_stories(flow: Flow, spec: CompareSpec) -> dict[str, str]:
    """Return the pages of the tasks by their ids."""
    erp = flow.spec.erp
    asked = spec.setup.object if spec.setup else ""
    return {
        "export": f"Runs the export **{spec.export}** under the model's lease, and stages its file.",
        "read": f"Reads the {spec.dataset} of {erp.company} as they stand now, and stages them.",
        "compare": "Holds the list against them. Differences are a warning in the log, a staged file and an event of "
        "the run; they fail nothing.",
        "ask": f"Asks the business object **{asked}** what it would say to each record of the list that differs, with "
        "ValidateOnly, so that nothing is changed. Its findings join the report.",
    }
