# SPDX-License-Identifier: Apache-2.0
"""Numbers as an import reads them: exact decimals from text, in the file's own way of writing them."""

from __future__ import annotations

import re
from decimal import Decimal

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)$"
_NUMBER = re.compile(NUMBER)


def parse_number(text: str, decimal_separator: str = ".") -> Decimal | None:
    """Return the number that a text is, with every digit it has; None when it is none."""
    if decimal_separator != ".":
        text = text.replace(".", "x").replace(decimal_separator, ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None
