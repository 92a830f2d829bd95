# SPDX-License-Identifier: Apache-2.0
"""What OpenLineage is told of a flow: the ledger's dataset, and what it becomes in the model.

The provider for OpenLineage asks for this, so that nothing here is called where it is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.flows.plans import asset_uri

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_mlconnector.finance.datasets import Dataset
    from airflow_provider_mlconnector.flows.flow import Flow

    Lineage = OperatorLineage[Any, Any]


def read_lineage(flow: Flow, dataset: Dataset, rows: int | None) -> Lineage:
    """Return what an extract did: a dataset of the company became one of the flow's book."""
    return _lineage(_ledger(flow, dataset), _book(flow, dataset), rows)


def load_lineage(flow: Flow, dataset: Dataset, rows: int | None) -> Lineage:
    """Return what a load did: a dataset of the flow's book became one of the model."""
    namespace, _, name = asset_uri(flow, dataset).rpartition("/")
    return _lineage(_book(flow, dataset), (namespace, name), rows)


def _ledger(flow: Flow, dataset: Dataset) -> tuple[str, str]:
    erp = flow.spec.erp
    return f"{erp.system}://{erp.conn_id}", f"{erp.company}/{dataset}"


def _book(flow: Flow, dataset: Dataset) -> tuple[str, str]:
    return "mlconnector://book", f"{flow.name}/{dataset}"


def _lineage(source: tuple[str, str], target: tuple[str, str], rows: int | None) -> Lineage:
    """Make the edge; ``rows`` is known once the task is over."""
    from airflow.providers.common.compat.openlineage.facet import (
        InputDataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    facets: dict[str, Any] = {}
    if rows is not None:
        facets["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=rows)
    return OperatorLineage(
        inputs=[InputDataset(namespace=source[0], name=source[1])],
        outputs=[OutputDataset(namespace=target[0], name=target[1], outputFacets=facets)],
    )
