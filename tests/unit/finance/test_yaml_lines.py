# SPDX-License-Identifier: Apache-2.0
"""YAML is read as people mean it, and knows its lines."""

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.yaml_lines import parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0100", "0100"),
        ("18:00", "18:00"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("2026-11-20", "2026-11-20"),
        ("1.10", "1.10"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("42", 42),
        ("-7", -7),
        ("true", True),
        ("~", None),
        ("null", None),
        ("", None),
    ],
)
def test_a_scalar_is_what_it_looks_like(text, value):
    read = parse_yaml(f"key: {text}\n", "x").value["key"]
    assert read == value
    assert type(read) is type(value)


def test_every_part_knows_its_line():
    document = parse_yaml("a: 1\nb:\n  - x\n  - y: 2\n    z:\n      - 3\n", "f.yaml")
    assert document.where(("b", 1, "z", 0)) == "f.yaml:6"
    assert document.where(("b", 1, "z")) == "f.yaml:5"
    assert document.where(("b", 1, "missing")) == "f.yaml:4"
    assert document.where(()) == "f.yaml:1"


def test_anchors_and_merges_work():
    document = parse_yaml("base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n", "f.yaml")
    assert document.value["other"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3", "'a' stands twice, first in line 1"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2", "this is not YAML"),
        ("a: b: c\n", "f.yaml:1", "this is not YAML"),
        ("", "f.yaml:1", "the file is empty"),
        ("a: !!python/object/apply:os.system [echo]\n", "f.yaml:1", "this is not YAML"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2", "this is not YAML"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text, where, sentence):
    with pytest.raises(FlowError, match=sentence) as caught:
        parse_yaml(text, "f.yaml")
    assert caught.value.where == where


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(FlowError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FlowError, match="not UTF-8"):
        read_yaml(tmp_path / "binary.yaml")
