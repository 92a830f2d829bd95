# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to a Finance & Operations environment."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import APPLICATION, PACKAGE, TEXT

FORM: dict[str, Any] = {
    "connection-type": "dynamics_fo",
    "hook-class-name": f"{PACKAGE}.hooks.dynamics_fo.FinanceOperationsHook",
    "hook-name": "Dynamics 365 Finance & Operations",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "extra"],
        "relabeling": {
            "login": "Client id",
            "password": "Client secret, or key passphrase",
            "host": "Environment URL",
        },
        "placeholders": {
            "login": "00000000-0000-0000-0000-000000000000",
            "host": "https://contoso.operations.dynamics.com",
        },
    },
    "conn-fields": {
        "tenant": {
            "label": "Entra tenant",
            "description": "Tenant id or domain.",
            "schema": {"type": "string"},
        },
        "company": {
            "label": "Legal entity",
            "description": "Id, such as usmf, or name of the legal entity that is read when a flow names none.",
            "schema": TEXT,
        },
        **APPLICATION,
        "authority": {
            "label": "Login address",
            "description": "Empty: https://login.microsoftonline.com. Another cloud's, or a host in allowed_hosts.",
            "schema": TEXT,
        },
        "dimensions": {
            "label": "Dimensions",
            "description": "json: the lines' JSON column. display: their display value. auto: the first where it is.",
            "schema": {"type": "string", "enum": ["auto", "json", "display"], "default": "auto"},
        },
        "display_format": {
            "label": "Segments of display values",
            "description": "Such as MainAccount,Department,Project. Empty: the active format of the environment.",
            "schema": TEXT,
        },
        "delimiter": {
            "label": "Delimiter of display values",
            "description": "Where the segments are named above.",
            "schema": {"type": ["string", "null"], "default": "-"},
        },
        "headers_set": {
            "label": "Set of journal headers",
            "description": "Empty: GeneralJournalEntryBiEntities. Or the one that you publish.",
            "schema": TEXT,
        },
        "lines_set": {
            "label": "Set of journal lines",
            "description": "Empty: GeneralJournalAccountEntryBiEntities. Or the one that you publish.",
            "schema": TEXT,
        },
        "field_map": {
            "label": "Field map",
            "description": "JSON, for sets that you publish: the stock name of a field, and its name there, such as "
            '{"headers.SourceKey": "EntryRecId", "lines.SourceKey": "AccountEntryRecId"}.',
            "schema": TEXT,
        },
    },
}
