# SPDX-License-Identifier: Apache-2.0
"""The forms of the connections, as Airflow's UI draws them; nothing but the standard library is needed here."""
