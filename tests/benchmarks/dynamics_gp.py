"""``make bench ERP=dynamics_gp``: reading journal lines from Dynamics GP, beside the least that its service allows.

The service lists transactions without lines, so both sides ask for each by its key, over one NTLM connection. The floor
sends ready-made envelopes and adds up the amounts by a regular expression: no types, no checks, no columns. Fails when
the sums differ, or the reader needs more than twice the floor's time.
"""

import argparse
import re
import sys
import time
from decimal import Decimal

import requests
from requests_ntlm import HttpNtlmAuth
from rich.console import Console
from rich.table import Table

from airflow_provider_mlconnector.demo.sandbox import sandbox_process
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection
from airflow_provider_mlconnector.systems.dynamics_gp.erp import DynamicsGp
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount
from airflow_provider_mlconnector.systems.port import Scope

PERIOD = MONTHS_FROM_JULY.period_of_key("FY2027-P04")
LINES_AT_SCALE_1 = 339
GP, BASE = "http://schemas.microsoft.com/dynamics/gp/2006/01", "http://schemas.microsoft.com/dynamics/2006/01"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CONTEXT = (
    f'<context><OrganizationKey xmlns="{BASE}" xsi:type="d:CompanyKey"><Id>1</Id></OrganizationKey>'
    f'<CurrencyType xmlns="{BASE}">Local</CurrencyType></context>'
)
NIL = "".join(f'<{name} xsi:nil="true"/>' for name in ("EqualValue", "NotEqualValue"))
NO_BOUNDS = '<GreaterThan xsi:nil="true"/><LessThan xsi:nil="true"/>'
KEY = re.compile(r"<Key xsi:type=\"tns:GLTransactionPostedKey\">(.*?)</Key>", re.DOTALL)
AMOUNT = re.compile(r"<DebitAmount [^>]*>.*?<Value>([^<]+)</Value>", re.DOTALL)


def floor(told: dict[str, str]) -> tuple[int, Decimal]:
    """Return lines and debits by the least work."""
    session = requests.Session()
    session.auth = HttpNtlmAuth(told["login"], told["password"])

    def ask(body: str) -> str:
        spaces = f'xmlns="{GP}" xmlns:d="{BASE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        envelope = f'<s:Envelope xmlns:s="{SOAP}" {spaces}><s:Body>{body}</s:Body></s:Envelope>'
        return session.post(told["soap_url"], data=envelope, headers={"Content-Type": "text/xml"}, timeout=600).text

    dates = f"{NIL}<From>{PERIOD.start}T00:00:00</From><To>{PERIOD.end}T23:59:59</To>{NO_BOUNDS}"
    listed = ask(f"<GetGLTransactionList><criteria><Date>{dates}</Date></criteria>{CONTEXT}</GetGLTransactionList>")
    amounts: list[Decimal] = []
    for key in KEY.findall(listed):
        one = ask(f"<GetGLPostedTransactionByKey><key>{key}</key>{CONTEXT}</GetGLPostedTransactionByKey>")
        amounts += [Decimal(text) for text in AMOUNT.findall(one)]
    return len(amounts), add_money(amounts)


def reader(told: dict[str, str]) -> tuple[int, Decimal]:
    """Return lines and debits by our reader."""
    account = WindowsAccount(told["login"], told["password"])
    erp = DynamicsGp(
        GpConnection(company=told["company"], account=account, soap_url=told["soap_url"]), MONTHS_FROM_JULY.period_of
    )
    batches = list(erp.read(Dataset.JOURNAL_LINES, Scope(PERIOD, dimensions=("Department",))).batches)
    erp.close()
    return sum(batch.num_rows for batch in batches), add_money(
        amount for batch in batches for amount in batch["debit"].to_pylist()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    figures = {}
    with sandbox_process(["dynamics_gp"], scale=rows / LINES_AT_SCALE_1) as info:
        for name, program in (("floor", floor), ("reader", reader)):
            began = time.monotonic()
            figures[name] = (program(info["dynamics_gp"]), time.monotonic() - began)
    table = Table(title="Journal lines of Dynamics GP", title_justify="left")
    for name in ("program", "lines", "wall s", "lines/s"):
        table.add_column(name)
    for name, ((lines, _), seconds) in figures.items():
        table.add_row(name, f"{lines:,}", f"{seconds:.1f}", f"{lines / seconds:,.0f}")
    Console().print(table)
    same = figures["floor"][0] == figures["reader"][0]
    ratio = figures["reader"][1] / figures["floor"][1]
    Console().print(f"same lines and debits: {same}; the reader needs {ratio:.2f} of the floor's time")
    sys.exit(0 if same and ratio <= 2 else 1)


if __name__ == "__main__":
    main()
