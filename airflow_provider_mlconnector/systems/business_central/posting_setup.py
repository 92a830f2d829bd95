# SPDX-License-Identifier: Apache-2.0
"""What accounts and dimension values allow to be posted: master data as a journal that is to be posted sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.errors import RemoteError
from airflow_provider_mlconnector.systems.business_central.answers import is_not_answered
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.cost_centres import dimension_ids
from airflow_provider_mlconnector.systems.business_central.lines import IDS_PER_REQUEST
from airflow_provider_mlconnector.systems.business_central.names import decode_name
from airflow_provider_mlconnector.systems.business_central.resources import (
    ACCOUNTS,
    DEFAULT_DIMENSIONS,
    DIMENSION_VALUES,
    DIMENSIONS,
    FINANCE_DIMENSION_VALUES,
)
from airflow_provider_mlconnector.systems.http.keyset import literal


class Demand(StrEnum):
    """What an account demands of a dimension at posting."""

    MANDATORY = "Code Mandatory"
    SAME = "Same Code"
    NONE = "No Code"


@dataclass(frozen=True, slots=True)
class DimensionRule:
    """An account's default dimension; ``demand`` is "" where it is nothing but a default."""

    code: str
    value: str
    demand: str

    def refusal(self, value: str) -> str:
        """Return why a line with this value ("" for none) cannot be posted; "" when it can."""
        match self.demand:
            case Demand.MANDATORY if not value:
                return f"the account demands a value of dimension {self.code}"
            case Demand.SAME if value != self.value:
                wanted = f"the value {self.value}" if self.value else "no value"
                return f"the account demands {wanted} of dimension {self.code}, not {value or 'none'}"
            case Demand.NONE if value:
                return f"the account allows no value of dimension {self.code}"
            case _:
                return ""


@dataclass(frozen=True, slots=True)
class PostingAccount:
    """An account as far as posting goes."""

    kind: str
    blocked: bool
    direct_posting: bool
    rules: tuple[DimensionRule, ...] = ()

    def refusals(self, dimensions: Mapping[str, str]) -> Iterator[str]:
        """Yield why a line with these dimensions cannot be posted to the account."""
        if self.kind != "Posting":
            yield f"the account is a {self.kind}, and only Posting accounts carry entries"
        if self.blocked:
            yield "the account is blocked"
        if not self.direct_posting and self.kind == "Posting":
            yield "the account does not allow direct posting"
        yield from filter(None, (rule.refusal(dimensions.get(rule.code, "")) for rule in self.rules))


def posting_accounts(api: BusinessCentralApi, numbers: Collection[str]) -> dict[str, PostingAccount]:
    """Return those of the accounts that there are, with their rules for dimensions."""
    chart = [row for rows in api.rows(ACCOUNTS, []) for row in rows.to_pylist() if row["number"] in numbers]
    rules = _rules(api, [row["id"] for row in chart])
    return {
        row["number"]: PostingAccount(
            kind=decode_name(row["accountType"]),
            blocked=bool(row["blocked"]),
            direct_posting=bool(row["directPosting"]),
            rules=tuple(rules.get(row["id"], ())),
        )
        for row in chart
    }


def posting_values(api: BusinessCentralApi, codes: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the values of those of the dimensions that there are, and why each cannot be posted to.

    That is "" when it can, or when the service does not tell.
    """
    ids = dimension_ids(api)
    finance = api.offers(FINANCE_DIMENSION_VALUES)
    read = _finance_values if finance else _plain_values
    return {code: read(api, code, ids[code]) for code in sorted(codes) if code in ids}


def _finance_values(api: BusinessCentralApi, code: str, _: str) -> dict[str, str]:
    pages = api.rows(FINANCE_DIMENSION_VALUES, [], where=f"dimensionCode eq {literal(code)}")
    values = {}
    for row in (row for rows in pages for row in rows.to_pylist()):
        kind = decode_name(row["dimensionValueType"])
        refusal = "" if kind == "Standard" else f"is a {kind}"
        values[row["dimensionValueCode"]] = "is blocked" if row["blocked"] else refusal
    return values


def _plain_values(api: BusinessCentralApi, _: str, dimension_id: str) -> dict[str, str]:
    path = f"{api.path(DIMENSIONS)}({dimension_id})/{DIMENSION_VALUES.name}"
    pages = api.rows(DIMENSION_VALUES, [], path=path)
    return {str(value): "" for rows in pages for value in rows["code"].to_pylist()}


def _rules(api: BusinessCentralApi, account_ids: list[str]) -> dict[str, list[DimensionRule]]:
    """Return the default dimensions of accounts by their ids; none where the server does not offer them."""
    rules: dict[str, list[DimensionRule]] = {}
    for at in range(0, len(account_ids), IDS_PER_REQUEST):
        where = " or ".join(f"parentId eq {account}" for account in account_ids[at : at + IDS_PER_REQUEST])
        try:
            pages = [rows.to_pylist() for rows in api.rows(DEFAULT_DIMENSIONS, [], where=where)]
        except RemoteError as exc:
            if is_not_answered(exc):
                return {}
            raise
        for row in (row for page in pages for row in page):
            demand = decode_name(row["postingValidation"] or "")
            rule = DimensionRule(row["dimensionCode"], row["dimensionValueCode"] or "", demand)
            rules.setdefault(row["parentId"], []).append(rule)
    return rules
