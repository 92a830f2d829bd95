# SPDX-License-Identifier: Apache-2.0
"""Workers that share one Anaplan: each a process with a client of its own, made by the hook as in any task.

``python -m tests.e2e.crowd`` reads lines ``PROCESSES REQUESTS``. For each it forks so many processes, lets them begin
together and make that many requests among them, and prints one JSON line: what each of them tells. Connections and
settings come from the environment, as Airflow reads them.
"""

import json
import multiprocessing
import sys
from contextlib import closing

from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook

PATIENCE = 150
CONTEXT = multiprocessing.get_context("fork")


def work(share: int, gate, results) -> None:
    """Make a share of the requests, and tell what came back."""
    with closing(AnaplanHook().get_client()) as client:
        gate.wait(PATIENCE)
        refusals = [health.sentence for health in (client.ping() for _ in range(share)) if not health.ok]
        results.put({"answered": share - len(refusals), "refusals": refusals, "logins": client.logins})


def crowd(processes: int, requests: int) -> list[dict]:
    """Run a crowd to its end."""
    gate, results = CONTEXT.Barrier(processes), CONTEXT.Queue()
    shares = [requests // processes + (number < requests % processes) for number in range(processes)]
    workers = [CONTEXT.Process(target=work, args=(share, gate, results), daemon=True) for share in shares]
    for worker in workers:
        worker.start()
    told = [results.get(timeout=PATIENCE) for _ in workers]
    for worker in workers:
        worker.join(PATIENCE)
    return told


if __name__ == "__main__":
    AnaplanHook().get_client().close()  # what a client needs is imported once, not by every worker
    for line in sys.stdin:
        print(json.dumps(crowd(*map(int, line.split()))), flush=True)
