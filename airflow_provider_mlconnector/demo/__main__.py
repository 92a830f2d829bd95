# SPDX-License-Identifier: Apache-2.0
"""``make demo``: see closes, and a plan that comes home. Exit status 0 when all books agree and all drafts stand."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from airflow_provider_mlconnector.demo.rehearsal import SCRIPTS, plans_come_home, rehearse, site
from airflow_provider_mlconnector.demo.screen import Screen

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
        with site(script, home, args.dags, screen) as (stack, sandbox):
            reports = rehearse(stack, script, screen)
            for report in reports:
                screen.report(report)
            home_again = plans_come_home(stack, sandbox, script, screen)
            screen.door(stack.url, stack.passwords())
            if not args.no_wait:
                screen.say("Ctrl-C ends everything.")
                stopped.wait()
    except KeyboardInterrupt:
        screen.say("\nStopping …")
        return 130
    finally:
        shutil.rmtree(home, ignore_errors=True)
    expected = script.runs * len(script.dag_ids)
    agree = len(reports) == expected and all(report.agrees for report in reports)
    return 0 if agree and home_again else 1


if __name__ == "__main__":
    sys.exit(main())
