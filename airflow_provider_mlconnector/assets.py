# SPDX-License-Identifier: Apache-2.0
"""What a close produces, as Airflow sees it: ``anaplan://<model>/<dataset>``, with the fiscal period as partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, unquote

from airflow.sdk import Asset

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset as LineageDataset

SCHEME = "anaplan"


def create_asset(*, model: str, dataset: str, extra: dict[str, Any] | None = None) -> Asset:
    """Return the asset of a dataset in a model, both as their authors wrote them."""
    return Asset(uri=f"{SCHEME}://{quote(model, safe='')}/{quote(dataset, safe='')}", extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Check that a URI names a model and a dataset.

    :raises ValueError: when it does not.
    """
    if not uri.netloc or not uri.path.strip("/") or "/" in uri.path.strip("/"):
        raise ValueError("Write it as anaplan://<model>/<dataset>, with blanks and the like percent-encoded.")
    return uri


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> LineageDataset:
    """Return the asset as OpenLineage names it: the model is the namespace, the dataset the name."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    host, _, dataset = asset.uri.removeprefix(f"{SCHEME}://").partition("/")
    return Dataset(namespace=f"{SCHEME}://{host}", name=unquote(dataset))
