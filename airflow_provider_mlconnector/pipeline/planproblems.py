# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a plan: collected line by line, told in one report before a person is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from airflow_provider_mlconnector.errors import PreflightError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.trail.records import Manifest, Reject, RejectKind

TOLD = 30
"""Problems that an error message names; all of them are on the trail."""
ON_TRAIL = 10_000
SHOWN = 80
"""Characters that a message shows of a subject: a text may be wrong for being long."""


class PlanProblem(Manifest, frozen=True, kw_only=True):
    """One thing that keeps a plan from becoming a draft.

    :param where: what it was found in: "line 12 of the export", or "line 3 of AP12…"; "" for the plan as a whole.
    :param subject: the member, account, value, period or name that is meant.
    """

    where: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        subject = self.subject if len(self.subject) <= SHOWN else f"{self.subject[:SHOWN]}…"
        return f"{self.where}: {subject}: {self.sentence}" if self.where else f"{subject}: {self.sentence}"


def refuse(bench: Bench, run_id: str, plan: str, problems: Sequence[PlanProblem]) -> PreflightError:
    """Put all problems on the trail and return the error that tells them."""
    bench.trail.add_rejects(
        run_id,
        [
            Reject(
                kind=RejectKind.QUARANTINED,
                dataset="plan",
                import_name=plan,
                reason=problem.sentence,
                cell={"where": problem.where, "subject": problem.subject},
            )
            for problem in problems[:ON_TRAIL]
        ],
    )
    counts = Counter(problem.sentence for problem in problems)
    more = f"\n… and {len(problems) - TOLD} more, {len(counts)} kinds in all" if len(problems) > TOLD else ""
    listed = "\n".join(f"- {problem}" for problem in problems[:TOLD])
    return PreflightError(
        f"{plan} has {len(problems)} problems; nothing was written:\n{listed}{more}\n",
        hint="Correct the plan, the code book or the ledger, and run it again. "
        f"All of them: airflow mlconnector trail rejects {run_id}",
    )
