# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector sandbox``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace


def sandbox(args: Namespace) -> None:
    """Become the sandbox: it prints one JSON line and serves until it is stopped."""
    module = "airflow_provider_mlconnector.sandbox"
    options = ["--systems", args.systems, "--port", str(args.port), "--scale", str(args.scale)]
    os.execv(sys.executable, [sys.executable, "-m", module, *options])  # noqa: S606 - our own interpreter, no shell
