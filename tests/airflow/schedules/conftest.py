"""A metadata database for each module, and Airflow's own scheduling on it."""

import pytest

from tests.airflow.schedules.scheduling import Airflows, set_up_database


@pytest.fixture(scope="module")
def database():
    set_up_database()


@pytest.fixture
def airflow(tmp_path):
    made = Airflows(tmp_path)
    yield made
    made.close()
