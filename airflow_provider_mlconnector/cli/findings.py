# SPDX-License-Identifier: Apache-2.0
"""What a check-up found, and how one check's failure becomes a finding instead of ending the check-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.errors import MlconnectorError


class Verdict(StrEnum):
    """``WARNING`` works today and will hurt one day."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``advice`` says what to do, "" when there is nothing to do."""

    check: str
    subject: str
    verdict: Verdict
    sentence: str
    advice: str = ""


Check = Callable[[], Iterator[Finding]]


def run_check(name: str, subject: str, check: Check) -> Iterator[Finding]:
    """Yield a check's findings; an error of ours that ends it is its last finding."""
    try:
        yield from check()
    except MlconnectorError as error:
        yield Finding(name, subject, Verdict.ERROR, f"[{error.code}] {error.message}", error.hint)
