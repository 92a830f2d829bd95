# SPDX-License-Identifier: Apache-2.0
"""A folder with a flow file, its calendar and a code book, for tests to change."""

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow

FLOW = """\
flow: close
erp: {system: business_central, conn_id: bc, company: Larkfield Ltd}
anaplan: {conn_id: anaplan, workspace: Finance, model: FP&A Hub}
calendar: calendar.yaml
schedule: {nightly: 02:00}
load:
  - dataset: accounts
    import: Load Accounts
    columns: {Code: account, Name: name, Parent: parent}
  - dataset: cost_centres
    import: Load Cost Centres
    columns: {Code: code, Name: name}
    only: {dimension: DEPARTMENT}
    crosswalk: {Code: codes.csv}
    add: [{Code: NONE, Name: No department}]
  - dataset: journal_lines
    import: Load GL Actuals
    columns:
      Account: account
      Cost Centre: dimension.DEPARTMENT
      Entity: =Larkfield
      Time: period
      Amount: amount
    group_by: [Account, Cost Centre, Time]
    crosswalk: {Cost Centre: codes.csv}
    members: {Account: Accounts}
    check: GL Actuals by Period
"""


class Folder:
    """The folder of a flow."""

    def __init__(self, path):
        self.path = path
        self.write("calendar.yaml", "calendar: months\nkind: monthly\nfirst_month: 7\n")
        self.write("codes.csv", "code,member\nADM,CC100\n,NONE\n")

    def write(self, name, text):
        (self.path / name).write_text(text, encoding="utf-8")
        return self.path / name

    def load(self, *changes, name="flow.yaml"):
        """Load the flow after changes, each (old text, new text); every old text has to be there."""
        text = FLOW
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        return load_flow(self.write(name, text))

    def line(self, part, name="flow.yaml"):
        """Return ``file:line`` of the first line that holds a text."""
        lines = (self.path / name).read_text().splitlines()
        return f"{self.path / name}:{next(n for n, line in enumerate(lines, 1) if part in line)}"


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
