# SPDX-License-Identifier: Apache-2.0
"""Where an import puts its cells, beside their address: the constants of the file, and what is chosen at the start.

Cells that were accepted elsewhere, when the flow named another version or the model's months were called otherwise, say
nothing of what is here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow.parquet as pq
from msgspec.structs import replace

from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.stage import Stage
from airflow_provider_mlconnector.trail.records import Accepted

KEY = "destination"
"""Key of the note in the footer of a file of cells."""


def destination(plan: LoadPlan, constants: Mapping[str, str]) -> dict[str, str]:
    """Return the note for the footer of a file of cells.

    :param constants: by column, what is the same in every line of the import file.
    """
    return {KEY: json.dumps({**plan.mapping, **constants}, sort_keys=True)}


def accepted_at(stage: Stage, accepted: Accepted, here: Mapping[str, str]) -> Accepted:
    """Return accepted cells, without their file when it is of another destination; one without a note counts as here.

    :param here: note of a :func:`destination`.
    """
    if accepted.file is None:
        return accepted
    footer = pq.read_metadata(stage.fetch(accepted.file)).metadata or {}
    noted = footer.get(KEY.encode())
    return accepted if noted in (None, here[KEY].encode()) else replace(accepted, file=None)
