# SPDX-License-Identifier: Apache-2.0
"""How far property tests look: few examples, the same in every run of the suite; many new ones when asked to.

``HYPOTHESIS_PROFILE=deep`` asks for many; what they find becomes a test of its own.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def of_the_suite(*, examples: int, deep: int) -> settings:
    """Return the settings of a property test that runs so many examples, or so many when it looks deep."""
    if DEEP:
        return settings(max_examples=deep, deadline=None, print_blob=True)
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
    )


def of_a_machine(*, examples: int, deep: int, steps: int) -> settings:
    """Return the settings of a state machine, whose rules may take long and often do not apply."""
    return settings(
        of_the_suite(examples=examples, deep=deep),
        stateful_step_count=steps,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
