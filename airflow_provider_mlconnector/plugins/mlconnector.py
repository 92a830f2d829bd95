# SPDX-License-Identifier: Apache-2.0
"""What Airflow loads into each of its processes: the timetable of the close calendar."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable


class MlconnectorPlugin(AirflowPlugin):
    """Registers the project's timetable."""

    name = "mlconnector"
    timetables = [CloseCalendarTimetable]  # noqa: RUF012 - the base class declares it so
