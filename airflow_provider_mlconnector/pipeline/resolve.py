# SPDX-License-Identifier: Apache-2.0
"""The second step of the way back: the lines of an export become journals of some periods.

Everything that is wrong with the plan itself is collected, line by line, for the one report that is made before a
person is asked. Nothing is dropped in silence: a line is posted, left out by a rule that is counted with its sum, or a
problem.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload, payload_digest
from airflow_provider_mlconnector.finance.grouping import Figure, JournalRule, make_journals
from airflow_provider_mlconnector.finance.money import add_money, format_money
from airflow_provider_mlconnector.finance.periods import Period, format_period
from airflow_provider_mlconnector.pipeline.backwards import Mapper, Rules, Unclear, amount_of
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench, ModelReader
from airflow_provider_mlconnector.pipeline.draftplan import PERIOD, DraftPlan
from airflow_provider_mlconnector.pipeline.export import ExportManifest, exported_lines
from airflow_provider_mlconnector.pipeline.natures import turned_accounts
from airflow_provider_mlconnector.pipeline.plan import Sign
from airflow_provider_mlconnector.pipeline.planproblems import PlanProblem
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.trail.records import EventKind, Manifest, RunRef, StagedFile


class ResolvedManifest(Manifest, frozen=True, kw_only=True):
    """What a plan resolved to.

    :param payload: the journals; ``sha256`` is the digest of its bytes, which a person approves.
    :param problems: JSON of what is wrong with the plan itself; None when nothing is.
    :param rows: lines of the exported file; ``posted`` of them are in the journals.
    :param left_out: by rule, how many lines are not of this plan and what they add up to, as a sentence.
    """

    run: RunRef
    plan: str
    payload: StagedFile
    sha256: str
    rows: int
    posted: int
    journals: int
    debit: str
    problems: StagedFile | None = None
    left_out: dict[str, str] = msgspec.field(default_factory=dict)


def resolve(
    bench: Bench,
    plan: DraftPlan,
    exported: ExportManifest,
    periods: Sequence[Period],
    version: str,
    model: ModelReader,
) -> ResolvedManifest:
    """Turn a staged export into journals, and stage them with what is wrong.

    :param version: of the plan: lines of another one are left out, where the file names versions.
    :raises HeaderError: when the file lacks a column.
    :raises DataError: when no line is of these periods, or natural signs are asked for and no accounts were read.
    """
    sorter = _Sorter(plan, {format_period(period, plan.time_format): period for period in periods}, version, model)
    if plan.sign is Sign.NATURAL:
        sorter.turned = turned_accounts(bench, plan.flow, plan.company)
    for number, row in exported_lines(bench, plan, exported):
        sorter.take(number, row)
    sorter.see_some()
    payload = sorter.payload(periods)
    return _staged(bench, plan, exported, sorter, payload)


def read_payload(bench: Bench, resolved: ResolvedManifest) -> tuple[Payload, str]:
    """Return the journals, and the digest of the bytes they were read from."""
    data = bench.stage.fetch(resolved.payload).read_bytes()
    return Payload.decode(data), payload_digest(data)


def read_problems(bench: Bench, resolved: ResolvedManifest) -> list[PlanProblem]:
    """Return what is wrong with the plan itself."""
    if resolved.problems is None:
        return []
    return msgspec.json.decode(bench.stage.fetch(resolved.problems).read_bytes(), type=list[PlanProblem])


@dataclass(slots=True)
class _Sorter:
    """Sorts the lines of a file: into figures by period, by the rule that leaves them out, or among the problems.

    :param wanted: the periods of the run by the model's names of them.
    :param turned: of each account whether its sign is turned; None where signs are the ledger's.
    """

    plan: DraftPlan
    wanted: Mapping[str, Period]
    version: str
    model: ModelReader
    turned: Mapping[str, bool] | None = None
    rows: int = 0
    figures: dict[Period, list[Figure]] = field(default_factory=lambda: defaultdict(list))
    left_out: dict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    problems: list[PlanProblem] = field(default_factory=list)
    _rules: Rules = field(init=False)
    _mapper: Mapper = field(init=False)

    def __post_init__(self) -> None:
        self._rules = Rules.of(self.plan, self.version, frozenset(self.wanted))
        members = {column: self.model.members(of.list_name) for column, of in self.plan.members.items()}
        self._mapper = Mapper(self.plan, members)

    @property
    def posted(self) -> int:
        """How many lines became figures."""
        return sum(map(len, self.figures.values()))

    def take(self, number: int, row: Mapping[str, str]) -> None:
        """Sort one line."""
        self.rows += 1
        try:
            amount = amount_of(self.plan, row)
        except Unclear as problem:
            self._tell(number, [problem])
            return
        reason = self._rules.leave_out(row) or ("" if amount else "an amount of 0")
        if reason:
            self.left_out[reason].append(amount)
            return
        period = self.wanted[row[self.plan.from_source(PERIOD)[0]]]
        place, unclear = self._mapper.place(row, self.plan.posting_date(period))
        if not unclear and self.turned is not None and place.account not in self.turned:
            unclear = [Unclear(place.account, "is not in the book of accounts, whose categories decide its sign")]
        if unclear:
            self._tell(number, unclear)
            return
        turns = self.turned is not None and self.turned[place.account]
        group = tuple(row[name] for name in self.plan.each)
        self.figures[period].append(Figure(place, amount.copy_negate() if turns else amount, group))

    def _tell(self, number: int, unclear: Sequence[Unclear]) -> None:
        where = f"line {number} of the export"
        self.problems += [PlanProblem(where=where, subject=one.subject, sentence=one.sentence) for one in unclear]

    def see_some(self) -> None:
        """See that the file speaks of the run's periods at all.

        :raises DataError: when it does not: the model may name its periods otherwise.
        """
        if not self.figures and not self.problems and not self.left_out.get("an amount of 0"):
            names = ", ".join(self.wanted)
            raise DataError(
                f"No line of {self.plan.export} is {self.version} of {names}: {self._told() or 'the file is empty'}.",
                hint="See how the model names periods, versions and entities, and what the flow calls them.",
            )

    def _told(self) -> str:
        return "; ".join(f"{len(amounts)} lines: {reason}" for reason, amounts in self.left_out.items())

    def payload(self, periods: Sequence[Period]) -> Payload:
        """Return the journals of all periods; what is wrong with them joins the problems."""
        plan = self.plan
        journals: list[Journal] = []
        for period in sorted(periods):
            words = {"version": self.version, "period": period.key, "plan": plan.name}
            grouped = make_journals(
                self.figures.get(period, []),
                JournalRule(
                    identity=(plan.flow, plan.name, plan.company, self.version),
                    period=period.key,
                    posting_date=plan.posting_date(period),
                    description=plan.description.format(**words),
                    lines=plan.lines,
                    balancing=plan.balancing,
                    places=plan.places,
                ),
            )
            journals += grouped.journals
            self.problems += [
                PlanProblem(where=period.key, subject=f"journal {key}", sentence=sentence)
                for key, sentence in grouped.problems
            ]
        return Payload(
            flow=plan.flow,
            plan=plan.name,
            company=plan.company,
            periods=tuple(period.key for period in sorted(periods)),
            version=self.version,
            name=plan.batch,
            journals=tuple(journals),
        )


def _staged(
    bench: Bench, plan: DraftPlan, exported: ExportManifest, sorter: _Sorter, payload: Payload
) -> ResolvedManifest:
    run = exported.run
    place = folder("plans", plan.flow, run.run_id)
    data = payload.encode()
    sha256 = payload_digest(data)
    file = _publish(bench, data, f"{place}/{sha256[:16]}.json")
    problems = None
    if sorter.problems:
        problems = _publish(bench, msgspec.json.encode(sorter.problems), f"{place}/{sha256[:16]}-problems.json")
    debit = add_money(journal.debit for journal in payload.journals)
    left_out = {
        reason: f"{len(amounts)} lines, {format_money(add_money(amounts))}"
        for reason, amounts in sorter.left_out.items()
    }
    resolved = ResolvedManifest(
        run=run,
        plan=plan.name,
        payload=file,
        sha256=sha256,
        rows=sorter.rows,
        posted=sorter.posted,
        journals=len(payload.journals),
        debit=format_money(debit, plan.places),
        problems=problems,
        left_out=left_out,
    )
    files = [file, problems] if problems else [file]
    bench.trail.record(run.run_id, EventKind.RESOLVED, resolved.to_json(), files=files)
    return resolved


def _publish(bench: Bench, data: bytes, key: str) -> StagedFile:
    with scratch_file(bench.stage, ".json") as local:
        local.write_bytes(data)
        return bench.stage.publish(local, key, sha256=payload_digest(data))
