# SPDX-License-Identifier: Apache-2.0
"""The plan as it was when a file was prepared, its code books in it: kept, so that a decision can be told later."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.stage import Stage, scratch_file
from airflow_provider_mlconnector.pipeline.transform import source_digest
from airflow_provider_mlconnector.trail.records import RunRef, StagedFile


@dataclass(frozen=True, slots=True)
class Recipe:
    """By what a book became cells: the plan, and the period whose name it puts into the file."""

    plan: LoadPlan
    period: Period


def plan_digest(plan: LoadPlan) -> str:
    """Return a digest of all that decides what cells a book makes, code books and the transform's source included."""
    meaning = (plan, tuple(plan.columns), source_digest(plan.transform))
    return hashlib.sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()


def stage_recipe(bench: Bench, recipe: Recipe, run: RunRef) -> StagedFile:
    """Keep a copy; the same recipe of a run has one copy."""
    content = msgspec.json.encode(recipe)
    name = f"{folder('recipes', run.flow, run.run_id)}/{hashlib.sha256(content).hexdigest()}.json"
    with scratch_file(bench.stage, ".json") as path:
        path.write_bytes(content)
        return bench.stage.publish(path, name)


def read_recipe(stage: Stage, file: StagedFile) -> Recipe:
    """Return a recipe from its copy."""
    return msgspec.json.decode(stage.fetch(file).read_bytes(), type=Recipe)
