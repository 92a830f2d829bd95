"""A worker in the network of a company: it serves one queue, and reaches of Airflow nothing but the api-server."""

import sys
from pathlib import Path

from airflow_provider_mlconnector.demo.stack import AirflowStack

QUEUE, NAME, EXECUTOR = "gp-site", "larkfield-site", "EdgeExecutor"

CENTRE = {
    "core": {"executor": "LocalExecutor,airflow.providers.edge3.executors.EdgeExecutor"},
    "database": {"external_db_managers": "airflow.providers.edge3.models.db.EdgeDBManager"},
    "edge": {"api_enabled": "True"},
}
"""What the centre is told of agents; tasks that name no executor stay with the one that is named first."""

AGENT = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/nowhere",
    "AIRFLOW__EDGE__JOB_POLL_INTERVAL": "1",
    "AIRFLOW__EDGE__HEARTBEAT_INTERVAL": "5",
}
"""What the agent is told besides: there is no way to Airflow's database."""


def placed(flow: str) -> str:
    """Return the text of a flow file whose ERP only the agent can reach."""
    return f"{flow}\nqueue: {QUEUE}\nexecutor: {EXECUTOR}\n"


def start_agent(stack: AirflowStack, home: Path) -> None:
    """Start the agent in a home of its own; it stops with the stack."""
    home.mkdir()
    env = {
        **stack.env,
        **AGENT,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__EDGE__API_URL": f"{stack.url}/edge_worker/v1/rpcapi",
    }
    command = ("edge", "worker", "--queues", QUEUE, "--edge-hostname", NAME, "--concurrency", "2")
    stack.processes.start(NAME, [sys.executable, "-m", "airflow", *command], env)
