"""An operator without a flow, in DAGs that the tests trigger: a vendor list imported deferred, and on the worker."""

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, task

from airflow_provider_mlconnector.operators.anaplan import AnaplanImportOperator

FILE = str(Path(__file__).parent / "vendors.csv")

for deferrable in (True, False):
    with DAG(f"vendors_{'deferred' if deferrable else 'waiting'}", schedule=None, catchup=False) as dag:

        @task(retries=0)
        def write_file() -> None:
            """Write the file that the import takes."""
            Path(FILE).write_text("Code,Name\nV90001,Ashdown Paper\nV90002,Birch & Sons\n")

        load = AnaplanImportOperator(
            task_id="load",
            workspace="Finance",
            model="FP&A Hub",
            action="Load Vendors",
            file=FILE,
            deferrable=deferrable,
            retries=3,
            retry_delay=timedelta(seconds=2),
        )
        write_file() >> load
    globals()[dag.dag_id] = dag
