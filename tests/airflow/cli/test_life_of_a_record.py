# SPDX-License-Identifier: Apache-2.0
"""``trail show --record`` answers for a line that was loaded, rejected, quarantined, corrected and sent again."""

import pytest

from airflow_provider_mlconnector.sandbox.running import serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.life import live
from tests.unit.pipeline.sandbox_close import opened_closes

PERIOD = "FY2026-P05"
LOADED = ("mapped", "written", "started", "finished", "accepted")


@pytest.fixture
def life(home, empty_trail):
    """Let everything happen to one line, on the trail and in the staging area of this deployment."""
    (home / "mlconnector").mkdir()
    with serve(["anaplan", "business_central"], scale=0.05) as sandbox:
        control = SandboxControl({"url": sandbox.url, **sandbox.info})
        with opened_closes(home / "mlconnector", empty_trail, sandbox, control) as opened:
            yield live(opened(PERIOD), control)


def test_its_whole_way_is_told_by_run_person_file_cell_and_value(life, airflow):
    told = airflow("trail", "show", "--record", life.record, "--output", "json").rows
    way = {run: [step for step in told if step["run_id"] == run] for run in dict.fromkeys(s["run_id"] for s in told)}
    assert list(way) == [life.loaded, life.rejected, life.quarantined, life.corrected, life.replayed]
    assert [step["step"] for step in way[life.loaded]] == ["read", "booked", *LOADED]
    assert [step["step"] for step in way[life.rejected]] == [
        *("read", "booked", "mapped", "written", "started", "finished", "rejected", "accepted")
    ]
    assert [step["step"] for step in way[life.quarantined]] == ["quarantined", "mapped", "left"]
    assert [step["step"] for step in way[life.corrected]] == ["read", "booked", *LOADED]
    assert [step["step"] for step in way[life.replayed]] == ["replayed", *LOADED]
    assert {step["by"] for step in told if step["run_id"] != life.replayed} == {"ada"}
    assert {step["by"] for step in way[life.replayed]} == {"grace"}
    assert [step["at"] for step in told] == sorted(step["at"] for step in told)

    said = {(step["run_id"], step["step"]): step["sentence"] for step in told}
    assert f"account {life.account} amount 111.11" in said[life.rejected, "read"]
    assert f"Account={life.account}" in said[life.loaded, "mapped"]
    assert f"code '{life.department}' is" in said[life.loaded, "mapped"]
    assert f'Item not found in list Accounts: "{life.account}" (line 1, amount' in said[life.rejected, "rejected"]
    assert "this one is not among them" in said[life.rejected, "accepted"]
    assert f"has no Cost Centre for '{life.department}'" in said[life.quarantined, "mapped"]
    assert f"Its former cell Account={life.account}, Cost Centre=" in said[life.quarantined, "left"]
    assert "prepared/larkfield_close/" in said[life.corrected, "written"]
    assert f"asked to send records {life.record} again" in said[life.replayed, "replayed"]
    assert said[life.replayed, "written"].endswith(said[life.corrected, "written"].rpartition(", ")[2])

    table = airflow("trail", "show", "--record", life.record).out
    assert all(step["sentence"] in table and step["step"] in table for step in told)
    assert airflow("trail", "verify").status == 0
