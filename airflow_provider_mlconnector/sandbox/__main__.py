# SPDX-License-Identifier: Apache-2.0
"""``python -m airflow_provider_mlconnector.sandbox``: print one JSON line, then serve until SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_mlconnector.sandbox.app import SYSTEMS, describe_all
from airflow_provider_mlconnector.sandbox.running import listen, sandbox_server
from airflow_provider_mlconnector.sandbox.state import World
from airflow_provider_mlconnector.sandbox.tls import write_certificates


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the systems that the command line names."""
    options = _parser().parse_args(arguments)
    systems = [name.strip() for name in options.systems.split(",")]
    world = World.create(seed=options.seed, scale=options.scale)
    files = write_certificates(options.tls) if options.tls else None
    server = sandbox_server(world, systems, files)
    listener = listen(options.port)
    # uvicorn raises the signal again once it has stopped; stopping when told to is no failure
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: sys.exit(0))
    # connections made before the server runs wait in the listener's queue
    listener.listen()
    url = server.url_of(listener)
    told = {"url": url, **describe_all(world, systems, url)}
    if files:
        told["ca_file"] = str(files.ca)
    print(json.dumps(told), flush=True)  # noqa: T201  # the line is what callers wait for
    server.run([listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_mlconnector.sandbox", description=__doc__)
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="comma-separated: " + ", ".join(SYSTEMS))
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of documents in the books")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other books")
    parser.add_argument("--tls", type=Path, metavar="FOLDER", help="serve https; certificates are made in this folder")
    return parser


if __name__ == "__main__":
    main()
