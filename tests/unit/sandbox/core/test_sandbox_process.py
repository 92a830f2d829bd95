# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a process of its own."""

import json
import signal
import subprocess
import sys
import time

import requests


def start(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "airflow_provider_mlconnector.sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_it_prints_one_line_serves_and_stops_at_once_when_told_to():
    process = start("--systems", "business_central", "--seed", "3")
    try:
        told = json.loads(process.stdout.readline())
        assert told["business_central"]["company"] == "Larkfield Ltd"
        assert told["url"].startswith("http://127.0.0.1:")
        with requests.Session() as session:
            assert session.get(f"{told['url']}/_sandbox/stats", timeout=5).json() == {}
            before = time.monotonic()
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            assert process.wait(5) == 0
        assert time.monotonic() - before < 4
        assert rest == ""
    finally:
        process.kill()
        process.wait()


def test_an_unknown_system_is_named():
    process = subprocess.run(
        [sys.executable, "-m", "airflow_provider_mlconnector.sandbox", "--systems", "sap"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode != 0
    assert "no system 'sap'" in process.stderr


def test_it_serves_https_with_a_certificate_that_its_own_authority_signed(tmp_path):
    process = start("--systems", "business_central", "--tls", str(tmp_path))
    try:
        told = json.loads(process.stdout.readline())
        assert told["url"].startswith("https://127.0.0.1:")
        answer = requests.get(f"{told['url']}/_sandbox/clock", verify=told["ca_file"], timeout=5)
        assert answer.status_code == 200
        assert (tmp_path / "server.key").stat().st_mode & 0o077 == 0
    finally:
        process.kill()
        process.wait()
