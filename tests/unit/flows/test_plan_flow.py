# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501  # one line per case of the table
"""A plan of a flow file: what it may say, and what is told of it where it is wrong."""

from datetime import date, timedelta

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.flows.plans import draft_plan
from airflow_provider_mlconnector.pipeline.draftplan import PostingDay

END = "    check: GL Actuals by Period\n"
PLAN = """\
plan:
  - export: Approved Budget
    version: Budget
    columns:
      Konto: account
      Centre: dimension.DEPARTMENT
      Entity: =Larkfield
      Month: period
      Value: amount
    journal: {name: ANAPLAN}
    approval: {approvers: [carla, {name: dora, id: 7}], wait: 2d}
    flag: {view: Approvals, at: {Time: '{period}'}, item: Approved, value: true}
"""


def load(folder, *changes):
    """Load the flow with a plan, after changes of both."""
    text = PLAN
    others = []
    for old, new in changes:
        if old in text:
            text = text.replace(old, new)
        else:
            others.append((old, new))
    return folder.load(*others, (END, END + text))


def refused(folder, *changes):
    with pytest.raises(FlowError) as caught:
        load(folder, *changes)
    return caught.value


def test_a_plan_is_read_back_by_the_rules_of_the_load_that_wrote(folder):
    flow = load(folder)
    (spec,) = flow.spec.plan
    plan = draft_plan(flow, spec)
    assert plan.inverses["Centre"].code("CC100", date(2026, 11, 30)) == "ADM"
    assert plan.members["Konto"].list_name == "Accounts"
    assert (plan.batch, plan.posting_day, plan.balancing) == ("ANAPLAN", PostingDay.LAST, None)


def test_an_approver_without_an_id_is_known_by_the_name(folder):
    approval = load(folder).spec.plan[0].approval
    assert [(user.name, user.id) for user in approval.users] == [("carla", "carla"), ("dora", "7")]
    assert approval.names == ("carla", "dora")
    assert approval.wait == timedelta(days=2)


@pytest.mark.parametrize("value", ["true", "True", "'true'"])
def test_the_booleans_of_yaml_are_those_of_anaplan(folder, value):
    flag = load(folder, ("value: true", f"value: {value}")).spec.plan[0].flag
    assert flag.value.lower() == "true"
    assert flag.wait == timedelta(days=7)


@pytest.mark.parametrize(
    ("old", "new", "part", "sentence"),
    [
        # keys and values
        ("    version: Budget\n", "", "export: Approved", "'version' is missing"),
        ("journal: {name: ANAPLAN}", "journal: {name: ANAPLAN, line: 5}", "journal:", "unknown key 'line', meant is perhaps 'lines'"),
        ("journal: {name: ANAPLAN}", "journal: {name: ANAPLAN, lines: 1}", "journal:", "greater than or equal to 2"),
        ("wait: 2d", "wait: some days", "approval:", "'some days' is not a span of time"),
        ("approvers: [carla,", "approvers: [{name: carla},", "approval:", "'id' is missing"),
        ("item: Approved, ", "", "flag:", "'item' is missing"),
        # columns
        ("Konto: account", "Konto: acount", "Konto:", "unknown part of a journal line 'acount', meant is perhaps 'account'; allowed are account, period, amount, version, dimension.<CODE>, =Text"),
        ("      Value: amount\n", "", "columns:", "exactly one column has to be the amount; 0 are"),
        ("Entity: =Larkfield", "Entity: amount", "columns:", "exactly one column has to be the amount; 2 are"),
        ("Entity: =Larkfield", "Entity: dimension.DEPARTMENT", "columns:", "2 columns are dimension.DEPARTMENT"),
        # the load that is read backwards
        ("version: Budget\n", "version: Budget\n    reverse: Load Budget\n", "reverse:", "unknown import of journal lines 'Load Budget'; allowed are Load GL Actuals"),
        ("group_by: [Account, Cost Centre, Time]", "group_by: [Account, Cost Centre, Time]\n    transform: my.module:clean", "export: Approved", "a function cannot be read backwards"),
        # journals and start
        ("journal: {name: ANAPLAN}", "journal: {name: ANAPLAN, each: [Company]}", "journal:", "unknown column of the export 'Company'; allowed are Konto, Centre, Entity, Month, Value"),
        ("journal: {name: ANAPLAN}", "journal: {name: ANAPLAN, description: '{month}'}", "journal:", "only {version}, {period} and {plan} are filled in"),
        ("journal: {name: ANAPLAN}", "journal: {name: ANAPLAN, options: {layer: '1'}}", "journal:", "option"),
        ("version: Budget\n", "version: Budget\n    start: calendar\n    after: anaplan://a/b\n", "after:", "by the calendar or by an asset, not by both"),
        ("version: Budget\n", "version: Budget\n    start: daily\n", "start:", "should be 'manual' or 'calendar', not 'daily'"),
        ("version: Budget\n", "version: Budget\n    posted: {wait: long}\n", "posted:", "'long' is not a span of time"),
        # the flag
        ("'{period}'", "'{month}'", "flag:", "only {period} is filled in; write {{ for a brace"),
        ("'{period}'", "'{'", "flag:", "only {period} is filled in"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(folder, old, new, part, sentence):
    error = refused(folder, (old, new))
    assert sentence in str(error)
    assert line_of_the_plan(folder, part) in str(error)


def line_of_the_plan(folder, part):
    """Return ``file:line`` of the first line of the plan that holds a text."""
    lines = (folder.path / "flow.yaml").read_text().splitlines()
    begin = lines.index("plan:")
    return f"flow.yaml:{next(n for n, line in enumerate(lines[begin:], begin + 1) if part in line)}:"


def test_a_plan_may_wait_for_its_documents_to_be_posted(folder):
    assert load(folder).spec.plan[0].posted is None
    posted = (
        load(folder, ("    version: Budget\n", "    version: Budget\n    posted: {wait: 3d}\n")).spec.plan[0].posted
    )
    assert posted.wait == timedelta(days=3)


def test_two_plans_of_one_name_are_told_apart_by_a_name(folder):
    second = PLAN.removeprefix("plan:\n")
    assert "two plans are called 'Approved Budget'; give them a 'name'" in str(
        refused(folder, ("plan:\n", f"plan:\n{second}"))
    )
    named = second.replace("    version: Budget\n", "    version: Budget\n    name: Again\n")
    flow = load(folder, ("plan:\n", f"plan:\n{named}"))
    assert [plan.effective_name for plan in flow.spec.plan] == ["Again", "Approved Budget"]
