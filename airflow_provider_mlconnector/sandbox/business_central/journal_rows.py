# SPDX-License-Identifier: Apache-2.0
"""Journal batches, their lines and default dimensions as rows, in the order of the wire."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.business_central.journals import Batch, DraftLine, Journals
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import BLANK_GUID, enum_name
from airflow_provider_mlconnector.sandbox.odata.rows import Row

BATCH_FIELDS = (
    "id",
    "code",
    "displayName",
    "templateDisplayName",
    "lastModifiedDateTime",
    "balancingAccountId",
    "balancingAccountNumber",
)
LINE_FIELDS = (
    "id",
    "journalId",
    "journalDisplayName",
    "lineNumber",
    "accountType",
    "accountId",
    "accountNumber",
    "postingDate",
    "documentNumber",
    "externalDocumentNumber",
    "amount",
    "description",
    "comment",
    "taxCode",
    "balanceAccountType",
    "balancingAccountId",
    "balancingAccountNumber",
    "lastModifiedDateTime",
)
DEFAULT_FIELDS = (
    "id",
    "parentType",
    "parentId",
    "dimensionId",
    "dimensionCode",
    "dimensionValueId",
    "dimensionValueCode",
    "postingValidation",
    "lastModifiedDateTime",
)


def batch_row(batch: Batch) -> Row:
    """Return a batch as it is written."""
    balancing = (_account_id(batch.balancing_account), batch.balancing_account)
    cells = (batch.id, batch.code, batch.name, batch.template, batch.modified_at, *balancing)
    return dict(zip(BATCH_FIELDS, cells, strict=True))


def line_row(line: DraftLine) -> Row:
    """Return a line as it is written."""
    cells = (
        line.id,
        line.batch.id,
        line.batch.name,
        line.number,
        enum_name(line.account_type),
        _account_id(line.account),
        line.account,
        line.posting_date,
        line.document,
        line.external,
        line.amount,
        line.description,
        line.comment,
        line.tax_code,
        enum_name(line.balance_account_type),
        _account_id(line.balancing_account),
        line.balancing_account,
        line.modified_at,
    )
    return dict(zip(LINE_FIELDS, cells, strict=True))


def default_rows(journals: Journals) -> list[Row]:
    """Return the default dimensions of all accounts as they are written."""
    rows: list[Row] = []
    for default in journals.rules.defaults():
        cells = (
            record_id("default dimension", default.account, default.dimension),
            enum_name("Account"),
            _account_id(default.account),
            record_id("dimension", default.dimension),
            default.dimension,
            record_id("value", default.dimension, default.value) if default.value else BLANK_GUID,
            default.value,
            enum_name(default.validation),
            SET_UP_AT,
        )
        rows.append(dict(zip(DEFAULT_FIELDS, cells, strict=True)))
    return rows


def _account_id(number: str) -> str:
    return record_id("account", number) if number else BLANK_GUID
