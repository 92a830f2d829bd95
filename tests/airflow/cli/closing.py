# SPDX-License-Identifier: Apache-2.0
"""A close without Airflow's tasks, for commands that look at what a close left behind."""

from airflow_provider_mlconnector import bench as tools
from airflow_provider_mlconnector.flows.plans import load_plans, read_plans
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.hooks.erps import open_erp
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import ReadMode
from airflow_provider_mlconnector.pipeline.prepare import prepare
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.trail.records import RunOutcome, RunRef, make_run_id


class NoMemory(dict):
    """A job store that is never looked into again."""

    def get(self):
        return None

    def set(self, record):
        pass


class Close:
    """One run of a flow for a period; batches by dataset and loads by import."""

    def __init__(self, flow, period, name):
        self.run = RunRef(
            run_id=make_run_id(flow.name, period, name), flow=flow.name, period=period, mode=ReadMode.CHANGES
        )
        bench, of = tools.open_bench(), flow.calendar.period(period)
        bench.trail.open_run(self.run, requested_by="anna", detail={})
        erp = open_erp(flow)
        self.batches = {plan.dataset: extract(bench, erp, plan, self.run, of) for plan in read_plans(flow)}
        erp.close()
        model = AnaplanHook().get_model("Finance", "FP&A Hub")
        self.loads = {plan.import_name: self._load(bench, plan, of, model) for plan in load_plans(flow)}
        bench.trail.close_run(self.run.run_id, RunOutcome.SUCCEEDED)

    def _load(self, bench, plan, period, model):
        def made():
            return prepare(bench, plan, self.batches[plan.dataset], period, ModelReading(model))

        deadline = (bench.clock.now() + plan.deadline).timestamp()
        names = {"owner": "a close", "store": NoMemory(), "generation": 0, "run_id": self.run.run_id}
        work = ModelWork(bench, model, **names, deadline=deadline)
        state = begin_load(bench, plan, made(), work, made)
        status = run_to_end(work, state.ref, bench.clock) if state.ref else None
        return finish_load(bench, plan, state, work, status)
