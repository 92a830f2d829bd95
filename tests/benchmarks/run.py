"""``make bench``: the close beside the fastest floor and a plain peer, on one bare server, in one run.

Fails when a claim does not hold: half of the floor's rows per second, exact sums, the same peak memory at both sizes,
most of a delay of 20 ms per page hidden.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from isal import igzip
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
SMALL, LARGE = 200_000, 1_000_000
DELAY = 0.02
PAGE = 20_000
REPEATS = 3
ADDRESSES = ("erp_url", "company_id", "anaplan_api_url", "anaplan_auth_url")
ADDRESSES += ("workspace_id", "model_id", "file_id", "import_id")


@contextmanager
def bare_server(rows: int, delay: float = 0.0):
    """Serve the books of one period; yield the addresses and the folder that uploads land in."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, str(HERE / "bare_server.py"), "--rows", str(rows)]
        command += ["--folder", folder, "--delay", str(delay)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            yield json.loads(process.stdout.readline()), Path(folder)
        finally:
            process.terminate()
            process.wait()


def measure(program: str, rows: int, told: dict[str, str]) -> dict[str, object]:
    """Run one program as a process of its own and return what it says of itself."""
    command = [sys.executable, str(HERE / f"{program}.py"), "--rows", str(rows)]
    for name in ADDRESSES:
        command += [f"--{name.replace('_', '-')}", told[name]]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(f"{program} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def best(program: str, rows: int, told: dict[str, str]) -> dict[str, object]:
    """Return the fastest of some runs: the others were disturbed."""
    return min((measure(program, rows, told) for _ in range(REPEATS)), key=lambda figures: figures["wall_s"])


def uploaded(folder: Path) -> tuple[int, Decimal]:
    """Return lines and debits of the file that was uploaded last."""
    chunks = sorted(folder.glob("chunk.*"))
    content = b"".join(igzip.decompress(c.read_bytes()) if c.suffix == ".gz" else c.read_bytes() for c in chunks)
    lines, debits = 0, Decimal(0)
    for lines, line in enumerate(csv.DictReader(io.StringIO(content.decode())), 1):  # noqa: B007 - the last one counts
        debits += Decimal(line["debitAmount"])
    return lines, debits


def bench(rows: int, programs: tuple[str, ...], delay: float = 0.0) -> dict[str, dict[str, object]]:
    """Measure programs against one server; the close runs last and what it uploaded is checked to the cent."""
    with bare_server(rows, delay) as (told, folder):
        figures = {program: best(program, rows, told) for program in programs}
        for chunk in folder.glob("chunk.*"):
            chunk.unlink()
        measure("close", rows, told)
        lines, debits = uploaded(folder)
    require((lines, debits) == (rows, Decimal(told["debits"])), f"{rows} lines uploaded exactly ({lines}, {debits})")
    return figures


READERS = ("acumatica", "dynamics_fo", "dynamics_gp", "syspro")
"""Ledgers of which the read is measured, by a program of their own; what comes after it is the same for all."""


def require(holds: bool, claim: str) -> None:
    Console().print(f"[{'green' if holds else 'red'}]{'holds' if holds else 'FAILS'}[/] {claim}", highlight=False)
    FAILED.extend([] if holds else [claim])


FAILED: list[str] = []


def show(rows: int, figures: dict[str, dict[str, object]]) -> None:
    table = Table(title=f"{rows:,} journal lines", title_justify="left")
    for name in ("program", "wall s", "rows/s", "cpu s", "peak MB", "of the floor"):
        table.add_column(name, justify="left" if name == "program" else "right")
    floor = figures["floor"]["wall_s"]
    for program, told in figures.items():
        wall = told["wall_s"]
        cells = (
            f"{wall:.2f}",
            f"{rows / wall:,.0f}",
            f"{told['cpu_s']:.2f}",
            str(told["peak_rss_mb"]),
            f"{floor / wall:.2f}",
        )
        table.add_row(program, *cells)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--erp", default="business_central", choices=["business_central", *READERS])
    erp = parser.parse_args().erp
    if erp in READERS:
        environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
        sys.exit(subprocess.run([sys.executable, str(HERE / f"{erp}.py")], check=False, env=environment).returncode)
    small = bench(SMALL, ("floor", "close", "peer"))
    show(SMALL, small)
    large = bench(LARGE, ("floor", "close"))
    show(LARGE, large)
    slow = bench(LARGE, ("floor", "close"), DELAY)
    show(LARGE, slow)
    for rows, figures in ((SMALL, small), (LARGE, large)):
        ratio = figures["floor"]["wall_s"] / figures["close"]["wall_s"]
        require(ratio >= 0.5, f"at {rows:,} lines at least half of the floor's rows/s ({ratio:.2f})")
    growth = large["close"]["peak_rss_mb"] / small["close"]["peak_rss_mb"]
    require(0.8 <= growth <= 1.2, f"the same peak memory at both sizes ({growth:.2f})")
    delay = LARGE / PAGE * DELAY
    visible = slow["close"]["wall_s"] - large["close"]["wall_s"]
    require(visible < delay / 2, f"of {delay:.1f} s of delay {visible:.1f} s show")
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
