# SPDX-License-Identifier: Apache-2.0
"""A flow that asks a ledger for what it cannot give is refused when the file is read, and told why."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.loader import load_flow

BC, FO, ACUMATICA, SYSPRO, GP = System
ALWAYS = "accounts, cost_centres, journal_lines, account_balances, vendors"
HAS = {
    BC: ("Business Central", f"{ALWAYS}, employees, periods, purchase_orders"),
    FO: ("Finance & Operations", f"{ALWAYS}, periods"),
    ACUMATICA: ("Acumatica", f"{ALWAYS}, employees, ap_invoices, periods, purchase_orders"),
    SYSPRO: ("SYSPRO", f"{ALWAYS}, customers, ap_invoices, ap_postings, ar_invoices, inventory"),
    GP: ("Dynamics GP", f"{ALWAYS}, ap_invoices, employees, periods"),
}
LACKS = {
    BC: ("customers", "ap_invoices", "ap_postings", "ar_invoices", "inventory"),
    FO: ("customers", "employees", "ap_invoices", "ap_postings", "ar_invoices", "inventory", "purchase_orders"),
    ACUMATICA: ("customers", "ap_postings", "ar_invoices", "inventory"),
    SYSPRO: ("employees", "periods", "purchase_orders"),
    GP: ("customers", "ap_postings", "ar_invoices", "inventory", "purchase_orders"),
}
LOAD = """\
load:
  - dataset: {dataset}
    import: Load Something
    columns: {columns}
"""
BALANCES = "{Account: account, Time: period, Project: dimension.PROJECT, Amount: amount}"
LINES = "{Account: account, Time: period, Amount: amount}"


@pytest.fixture
def loaded(folder):
    """Load a flow of a ledger with one load."""

    def load(system: System, dataset: str, columns: str = "{Code: record_id}", more: str = ""):
        head = (
            f"flow: one\nerp: {{system: {system}, conn_id: erp, company: X}}\n"
            "anaplan: {conn_id: anaplan, workspace: Finance, model: FP&A Hub}\ncalendar: calendar.yaml\n"
        )
        return load_flow(folder.write("flow.yaml", head + LOAD.format(dataset=dataset, columns=columns) + more))

    return load


def test_every_dataset_is_either_had_or_lacked():
    for system, (_, had) in HAS.items():
        assert sorted([*had.split(", "), *LACKS[system]]) == sorted(Dataset)


@pytest.mark.parametrize(("system", "dataset"), [(system, name) for system, names in LACKS.items() for name in names])
def test_a_dataset_that_the_ledger_lacks(folder, loaded, system, dataset):
    title, had = HAS[system]
    with pytest.raises(FlowError) as refused:
        loaded(system, dataset)
    assert f"{title} cannot be read for {dataset}; it has {had}." in str(refused.value)
    assert refused.value.where == folder.line(f"dataset: {dataset}")


@pytest.mark.parametrize("system", System)
def test_dimensions_of_balances_which_no_ledger_keeps(folder, loaded, system):
    with pytest.raises(FlowError) as refused:
        loaded(system, "account_balances", BALANCES)
    assert f"{HAS[system][0]} keeps no dimensions on account_balances." in str(refused.value)
    assert refused.value.where == folder.line("dataset: account_balances")


@pytest.mark.parametrize("system", [BC, SYSPRO])
def test_one_ledger_of_a_system_whose_lines_tell_none(folder, loaded, system):
    with pytest.raises(FlowError) as refused:
        loaded(system, "journal_lines", LINES, "    actuals: {ledger: ACTUAL}\n")
    sentence = f"{HAS[system][0]} keeps no ledgers or posting layers on journal_lines; leave out 'ledger'."
    assert sentence in str(refused.value)
    assert refused.value.where == folder.line("actuals:")


@pytest.mark.parametrize("system", [FO, ACUMATICA, GP])
def test_one_ledger_of_a_system_whose_lines_tell_theirs(loaded, system):
    flow = loaded(system, "journal_lines", LINES, "    actuals: {ledger: ACTUAL}\n")
    assert flow.spec.load[0].actuals.ledger == "ACTUAL"


@pytest.mark.parametrize(("system", "dataset"), [(one, name) for one in System for name in HAS[one][1].split(", ")])
def test_what_the_ledger_has_is_not_refused(loaded, system, dataset):
    columns = LINES if dataset in ("journal_lines", "account_balances") else "{Code: record_id}"
    more = "    only: {dimension: DEPARTMENT}\n" if dataset == "cost_centres" else ""
    assert loaded(system, dataset, columns, more).spec.load[0].dataset == dataset
