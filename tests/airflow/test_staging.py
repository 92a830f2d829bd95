# SPDX-License-Identifier: Apache-2.0
import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_mlconnector.errors import TamperedError
from airflow_provider_mlconnector.pipeline.stage import LocalStage, scratch_file
from airflow_provider_mlconnector.settings import load_settings
from airflow_provider_mlconnector.staging import ObjectStage, open_stage
from airflow_provider_mlconnector.trail.records import StagedFile


@pytest.fixture
def root(tmp_path):
    return ObjectStoragePath(f"file://{tmp_path}/bucket")


def _publish(stage, text="hello", key="runs/one/file.csv"):
    with scratch_file(stage, ".csv") as path:
        path.write_text(text)
        return stage.publish(path, key)


def test_what_was_published_is_fetched_by_another_process(root):
    file = _publish(ObjectStage(root))
    assert ObjectStage(root).fetch(file).read_text() == "hello"
    assert file.size == 5


def test_a_published_file_needs_no_download_in_the_same_process(root):
    stage = ObjectStage(root)
    file = _publish(stage)
    stage.remove(file.key)
    assert stage.fetch(file).read_text() == "hello"


def test_a_changed_object_is_not_handed_out(root, tmp_path):
    file = _publish(ObjectStage(root))
    (tmp_path / "bucket" / file.key).write_text("hallo")
    with pytest.raises(TamperedError, match="not what was written"):
        ObjectStage(root).fetch(file)


def test_two_objects_of_one_content_are_each_looked_at(root, tmp_path):
    stage = ObjectStage(root)
    one, other = (_publish(stage, key=key) for key in ("runs/one.csv", "runs/other.csv"))
    (tmp_path / "bucket" / other.key).write_text("hallo")
    looking = ObjectStage(root)
    assert looking.fetch(one).read_text() == "hello"
    with pytest.raises(TamperedError, match=r"other\.csv"):
        looking.fetch(other)


def test_a_missing_object_says_what_to_do(root):
    with pytest.raises(TamperedError, match="Read the period whole"):
        ObjectStage(root).fetch(StagedFile(key="gone", sha256="0" * 64, size=1))


def test_removing_twice_is_no_error(root):
    stage = ObjectStage(root)
    file = _publish(stage)
    stage.remove(file.key)
    stage.remove(file.key)


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd"])
def test_a_key_stays_inside_the_area(root, key):
    with pytest.raises(TamperedError, match="leaves the staging area"):
        ObjectStage(root).fetch(StagedFile(key=key, sha256="0" * 64, size=1))


def test_a_folder_is_used_directly_and_a_url_through_object_storage(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__STAGING", f"file://{tmp_path}")
    assert isinstance(open_stage(load_settings()), LocalStage)
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__STAGING", "memory://bucket/prefix")
    assert isinstance(open_stage(load_settings()), ObjectStage)
