# SPDX-License-Identifier: Apache-2.0
"""``make demo``: see a close run. Exit status 0 when the books of all periods agree."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from airflow_provider_mlconnector.demo.rehearsal import SCRIPTS, rehearse, site
from airflow_provider_mlconnector.demo.screen import Screen
from airflow_provider_mlconnector.demo.stack import USER

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Rehearse, print the tables, leave the UI up until Ctrl-C, and clear everything away."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--erp", default="business_central", choices=sorted(SCRIPTS))
    parser.add_argument("--dags", type=Path, default=_ROOT / "dags", help="folder of the DAG files")
    parser.add_argument("--no-wait", action="store_true", help="end when the runs are over")
    args = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    screen, script = Screen(), SCRIPTS[args.erp]
    folder = _ROOT / ".demo"
    folder.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    try:
        with site(script, home, args.dags, screen) as stack:
            reports = rehearse(stack, script, screen)
            for report in reports:
                screen.report(report)
            screen.door(stack.url, USER, stack.password)
            if not args.no_wait:
                screen.say("Ctrl-C ends everything.")
                stopped.wait()
    except KeyboardInterrupt:
        screen.say("\nStopping …")
        return 130
    finally:
        shutil.rmtree(home, ignore_errors=True)
    expected = script.runs * len(script.dag_ids)
    return 0 if len(reports) == expected and all(report.agrees for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
