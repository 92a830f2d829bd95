# SPDX-License-Identifier: Apache-2.0
"""Figures of a plan become journals: added up, rounded to cents, balanced, and cut to a length. Nothing is lost.

Sums are exact: what a journal says is the sum of its figures, rounded once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Context, Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.finance.money import add_money, round_money

_EXACT = Context(prec=1000)

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a figure is posted: an account, and values of dimensions sorted by their codes."""

    account: str
    dimensions: Dimensions = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount to post; debit minus credit, exact.

    :param group: texts of the columns that each get a journal of their own, such as the entity.
    """

    place: Place
    amount: Decimal
    group: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalRule:
    """How figures become journals.

    :param identity: what makes these the journals that they are: flow, plan, company, version.
    :param lines: how many lines a journal has at most.
    :param balancing: takes what debits and credits differ by; None: they have to be equal.
    :param places: decimals of the company's currency.
    """

    identity: tuple[str, ...]
    period: str
    posting_date: date
    description: str
    lines: int = 1000
    balancing: Place | None = None
    places: int = 2


@dataclass(frozen=True, slots=True)
class Grouped:
    """The journals, and why some figures did not come to one: a sentence each, by the key of the journal meant."""

    journals: tuple[Journal, ...]
    problems: tuple[tuple[str, str], ...] = ()


def make_journals(figures: Iterable[Figure], rule: JournalRule) -> Grouped:
    """Return the journals of one period: one for each group, or several where it is longer than one may be."""
    by_group: defaultdict[tuple[str, ...], list[Figure]] = defaultdict(list)
    for figure in figures:
        by_group[figure.group].append(figure)
    journals: list[Journal] = []
    problems: list[tuple[str, str]] = []
    for group in sorted(by_group):
        for part, amounts in enumerate(_parts(rounded(added_up(by_group[group]), rule.places), rule), start=1):
            key = document_key(*rule.identity, rule.period, *group, str(part))
            journal = _journal(key, amounts, rule)
            journals.append(journal)
            problems += [(key, sentence) for sentence in _unfit(journal, rule)]
    return Grouped(tuple(journals), tuple(problems))


def added_up(figures: Iterable[Figure]) -> dict[Place, Decimal]:
    """Return the exact sum per place, sorted by place."""
    amounts: defaultdict[Place, list[Decimal]] = defaultdict(list)
    for figure in figures:
        amounts[figure.place].append(figure.amount)
    return {place: add_money(amounts[place]) for place in sorted(amounts)}


def rounded(amounts: Mapping[Place, Decimal], places: int) -> dict[Place, Decimal]:
    """Round to so many decimals, so that the sum of all is their exact sum, rounded.

    No amount moves by a whole unit of the last decimal, and one that has no more decimals than that stays as it is: all
    are rounded down, and those that lost most get a unit back until the sum is right. Amounts of 0 are left out.
    """
    unit = Decimal(1).scaleb(-places)
    down = {place: amount.quantize(unit, ROUND_FLOOR, _EXACT) for place, amount in amounts.items()}
    missing = _EXACT.subtract(round_money(add_money(amounts.values()), places), add_money(down.values()))
    lost_most = sorted(amounts, key=lambda place: (_EXACT.subtract(down[place], amounts[place]), place))
    for place in lost_most[: int(_EXACT.divide(missing, unit))]:
        down[place] = _EXACT.add(down[place], unit)
    return {place: amount for place, amount in down.items() if amount}


def _parts(amounts: Mapping[Place, Decimal], rule: JournalRule) -> list[Mapping[Place, Decimal]]:
    """Cut amounts into journals that can each be balanced; without a balancing account into one, however long.

    What is planned for the balancing account itself is part of what balances the others.
    """
    places = [place for place in amounts if place != rule.balancing]
    size = rule.lines - 1 if rule.balancing else max(len(places), 1)
    return [{place: amounts[place] for place in places[at : at + size]} for at in range(0, len(places), size)]


def _journal(key: str, amounts: Mapping[Place, Decimal], rule: JournalRule) -> Journal:
    balanced = _balanced(amounts, rule.balancing)
    lines = tuple(
        JournalLine(
            number=number,
            account=place.account,
            dimensions=place.dimensions,
            amount=amount,
            description=rule.description,
        )
        for number, (place, amount) in enumerate(balanced.items(), start=1)
    )
    return Journal(
        key=key, period=rule.period, posting_date=rule.posting_date, description=rule.description, lines=lines
    )


def _balanced(amounts: Mapping[Place, Decimal], balancing: Place | None) -> Mapping[Place, Decimal]:
    residue = add_money(amounts.values())
    return {**amounts, balancing: residue.copy_negate()} if balancing and residue else amounts


def _unfit(journal: Journal, rule: JournalRule) -> list[str]:
    sentences = []
    residue = add_money(line.amount for line in journal.lines)
    if residue:
        sentences.append(
            f"debits and credits differ by {round_money(residue, rule.places)}; plan both sides, or name a balancing "
            "account."
        )
    if len(journal.lines) > rule.lines:
        sentences.append(
            f"it has {len(journal.lines)} lines, where at most {rule.lines} are allowed; name a balancing account, so "
            "that it can be cut into several."
        )
    return sentences
