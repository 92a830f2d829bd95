# SPDX-License-Identifier: Apache-2.0
"""Links from a task to the Anaplan model it works in and to the remote task it started.

Both are pushed as soon as they are known, so that a running and a failed task show them too; a link reads back what was
pushed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class PushedLink(BaseOperatorLink):
    """A link whose address the task pushed while it ran."""

    def push(self, context: Any, url: str) -> None:
        """Make the link show from now on."""
        context["ti"].xcom_push(key=self.xcom_key, value=url)

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the pushed address, "" before there is one."""
        from airflow.sdk.execution_time.xcom import XCom

        return str(XCom.get_value(ti_key=ti_key, key=self.xcom_key) or "")


class AnaplanModelLink(PushedLink):
    """Opens the model in Anaplan."""

    name = "Anaplan model"


class AnaplanTaskLink(PushedLink):
    """The remote task in Anaplan's API, as its support asks for it."""

    name = "Anaplan task"
