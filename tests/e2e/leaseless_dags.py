# SPDX-License-Identifier: Apache-2.0
"""Three imports side by side that never ask for the model's lease, to see what it is good for."""

from pathlib import Path

from airflow.sdk import DAG, task

from airflow_provider_mlconnector.operators.anaplan import AnaplanImportOperator

FOLDER = Path(__file__).parent


class LeaselessImport(AnaplanImportOperator):
    """An import whose process never takes the lease; every check of it passes then."""

    def execute(self, context):
        from airflow_provider_mlconnector.pipeline.leasing import ModelLease

        ModelLease.hold = lambda self: None
        return super().execute(context)


with DAG("leaseless", schedule=None, catchup=False) as dag:
    for name, header in (("Vendors", "Code,Name"), ("Employees", "Code,Name"), ("Cost Centres", "Code,Name,Parent")):
        path = FOLDER / f"{name.lower().replace(' ', '_')}_file.csv"

        @task(task_id=f"write_{path.stem}", retries=0)
        def write_file(target: str, header: str) -> None:
            """Write the file that the import takes."""
            Path(target).write_text(f"{header}\nZ900,Ashdown{',' * (header.count(',') - 1)}\n")

        load = LeaselessImport(
            task_id=f"load_{path.stem}",
            workspace="Finance",
            model="FP&A Hub",
            action=f"Load {name}",
            file=str(path),
            deferrable=False,
            retries=0,
        )
        write_file(str(path), header) >> load
