# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    ConfigurationError,
    DataError,
    FencedError,
    ModelBusyError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget
from airflow_provider_mlconnector.systems.anaplan.uploads import (
    LARGEST_CHUNK,
    MEGABYTE,
    MOST_CHUNKS,
    Uploaded,
    chunk_size,
    rechunk,
)
from tests.unit.systems.anaplan.fake_anaplan import FILE, anaplan, envelope, error
from tests.unit.systems.http.scripted_server import Reply

CHUNKS = 40


@pytest.fixture(scope="module")
def csv_of_40_chunks(tmp_path_factory):
    path = tmp_path_factory.mktemp("upload") / "big.csv"
    path.write_bytes(b"".join(b"%06d" % n * (MEGABYTE // 6) + b"tail" for n in range(CHUNKS)))
    assert path.stat().st_size == CHUNKS * MEGABYTE
    return path


def upload(setting, path, **options):
    return setting.model.upload(FILE, path, chunk_bytes=MEGABYTE, **options)


def test_every_chunk_arrives_and_the_number_is_announced(csv_of_40_chunks):
    with anaplan() as at:
        assert upload(at, csv_of_40_chunks) == Uploaded(CHUNKS, CHUNKS * MEGABYTE)
        assert at.anaplan.announced == [CHUNKS]
        assert at.anaplan.completed == 1
        assert at.anaplan.content() == csv_of_40_chunks.read_bytes()


def test_a_burst_of_429_over_40_chunks_and_a_repeated_500_on_one_lose_nothing(csv_of_40_chunks):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/7", *[error(500)] * 4, at.anaplan._files)
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/.*", *[error(429, **{"Retry-After": "2"})] * 40, at.anaplan._files)
        assert upload(at, csv_of_40_chunks).chunks == CHUNKS
        assert at.anaplan.content() == csv_of_40_chunks.read_bytes()
        puts = [request.path for request in at.server.seen("PUT")]
        assert len(puts) == CHUNKS + 40 + 4  # a failed chunk is repeated alone


def test_a_burst_of_429_without_retry_after_loses_nothing_and_holds_everybody_back(csv_of_40_chunks):
    with anaplan() as at:
        budget = LocalBudget(clock=at.clock)
        at.client._budget = budget
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/.*", *[error(429)] * 40, at.anaplan._files)
        upload(at, csv_of_40_chunks)
        assert at.anaplan.content() == csv_of_40_chunks.read_bytes()


@pytest.mark.parametrize("number", [0, 11, CHUNKS - 1])
def test_a_chunk_that_fails_for_ever_fails_the_upload_and_nothing_is_completed(csv_of_40_chunks, number):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/{number}", error(500, "disk full"))
        with pytest.raises(ServerError, match="disk full"):
            upload(at, csv_of_40_chunks)
        assert at.anaplan.completed == 0
        assert len(at.server.seen("PUT", f"/chunks/{number}")) == 6
        assert number == CHUNKS - 1 or str(CHUNKS - 1) not in at.anaplan.chunks  # no more chunks were begun


def test_429_for_ever_fails_the_upload_in_the_end(csv_of_40_chunks):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/.*", error(429))
        with pytest.raises(RateLimitedError):
            upload(at, csv_of_40_chunks)
        assert at.anaplan.completed == 0


def test_chunks_are_sent_in_parallel_but_never_more_than_allowed(csv_of_40_chunks):
    with anaplan() as at:
        running, most, lock = 0, 0, threading.Lock()

        def slow(request):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1
            return at.anaplan._files(request)

        at.anaplan.on("PUT", f"/files/{FILE}/chunks/.*", slow)
        upload(at, csv_of_40_chunks, parallel=3)
        assert most == 3


def test_no_more_chunks_are_made_than_are_on_their_way():
    with anaplan() as at:
        made, stored, most = 0, 0, 0

        def count(request):
            nonlocal stored
            reply = at.anaplan._files(request)
            stored += 1
            return reply

        def blocks():
            nonlocal made, most
            for _ in range(20):
                made += 1
                most = max(most, made - stored)
                yield b"x" * MEGABYTE

        at.anaplan.on("PUT", f"/files/{FILE}/chunks/.*", count)
        at.model.upload_chunks(FILE, blocks(), chunk_bytes=MEGABYTE, parallel=2)
        assert most <= 2


def test_a_stream_is_uploaded_while_it_is_made_and_its_length_learnt_at_the_end():
    blocks = [bytes([65 + n % 26]) * 70_000 for n in range(50)]
    with anaplan() as at:
        sent = at.model.upload_chunks(FILE, iter(blocks), chunk_bytes=MEGABYTE)
        assert sent == Uploaded(4, 3_500_000)
        assert at.anaplan.announced == [-1]
        assert at.anaplan.completed == 1
        assert at.anaplan.content() == b"".join(blocks)


def test_a_small_file_and_a_short_stream_go_in_one_put(tmp_path):
    path = tmp_path / "small.csv"
    path.write_bytes(b"Code,Name\n1,A\n")
    with anaplan() as at:
        assert at.model.upload(FILE, path) == Uploaded(0, 14)
        assert at.anaplan.whole == path.read_bytes()
        assert at.model.upload_chunks(FILE, [b"Code", b",Name\n"]) == Uploaded(0, 10)
        assert at.anaplan.whole == b"Code,Name\n"
        assert at.anaplan.announced == []


def test_nothing_to_upload_is_an_error_since_the_old_content_would_be_imported(tmp_path):
    (tmp_path / "empty.csv").touch()
    with anaplan() as at:
        with pytest.raises(DataError):
            at.model.upload(FILE, tmp_path / "empty.csv")
        assert at.server.requests == []


def test_an_answer_about_another_file_is_an_error_and_no_chunk_is_sent(csv_of_40_chunks):
    with anaplan() as at:
        at.anaplan.on("POST", f"/files/{FILE}", envelope("file", {"id": "113000000099", "name": "new"}))
        with pytest.raises(ProtocolError, match="113000000099"):
            upload(at, csv_of_40_chunks)
        assert at.server.seen("PUT") == []


def test_a_chunk_that_the_server_does_not_list_fails_the_upload(csv_of_40_chunks):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/5", Reply(204))  # says stored, stores nothing
        with pytest.raises(ProtocolError, match="39 chunks after 40"):
            upload(at, csv_of_40_chunks)


def test_an_empty_chunk_list_has_no_key_and_still_fails_the_upload(csv_of_40_chunks):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/.*", Reply(204))
        with pytest.raises(ProtocolError, match="0 chunks after 40"):
            upload(at, csv_of_40_chunks)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_that_lists_no_chunks_is_trusted_in_its_answers(csv_of_40_chunks, status):
    with anaplan() as at:
        at.anaplan.on("GET", f"/files/{FILE}/chunks", error(status))
        assert upload(at, csv_of_40_chunks).chunks == CHUNKS


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_the_call_that_completes_can_do_with_the_announced_number(csv_of_40_chunks, status):
    with anaplan() as at:
        at.anaplan.on("POST", f"/files/{FILE}/complete", error(status))
        assert upload(at, csv_of_40_chunks).chunks == CHUNKS


@pytest.mark.parametrize("status", [400, 500])
def test_a_completion_that_is_refused_fails_the_upload(csv_of_40_chunks, status):
    with anaplan() as at:
        at.anaplan.on("POST", f"/files/{FILE}/complete", error(status))
        with pytest.raises((BadRequestError, ServerError)):
            upload(at, csv_of_40_chunks)


def test_a_stream_of_unknown_length_needs_its_completion():
    with anaplan() as at:
        at.anaplan.on("POST", f"/files/{FILE}/complete", error(404))
        with pytest.raises(NotFoundError):
            at.model.upload_chunks(FILE, [b"x" * MEGABYTE], chunk_bytes=MEGABYTE)


FAULTS = {
    "busy": error(429, **{"Retry-After": "1"}),
    "broken": error(500),
    "gone": Reply(silent=True),
    "half": error(503),
}


@settings(deadline=None, max_examples=25)
@given(faults=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(sorted(FAULTS))), max_size=20))
def test_whatever_goes_wrong_the_content_is_whole_or_the_upload_fails(faults):
    content = b"".join(bytes([65 + number]) * MEGABYTE for number in range(4))
    with anaplan() as at:
        for number in range(4):
            replies = [FAULTS[kind] for chunk, kind in faults if chunk == number]
            at.anaplan.on("PUT", f"/files/{FILE}/chunks/{number}", *replies, at.anaplan._files)
        try:
            at.model.upload_chunks(FILE, [content], chunk_bytes=MEGABYTE)
        except (ServerError, TransportError):
            assert at.anaplan.completed == 0
        else:
            assert at.anaplan.content() == content
            assert at.anaplan.completed == 1


def test_a_page_of_some_gateway_is_not_taken_for_a_stored_chunk(csv_of_40_chunks):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/0", Reply(200, b"<html>Please log in</html>"))
        with pytest.raises(ProtocolError, match="200 instead of 204"):
            upload(at, csv_of_40_chunks)


def test_the_fence_is_asked_before_every_request_and_one_thread_at_a_time(csv_of_40_chunks):
    asked, inside = [], threading.Lock()

    def fence():
        assert inside.acquire(blocking=False)
        asked.append(1)
        time.sleep(0.002)
        inside.release()

    with anaplan() as at:
        upload(at, csv_of_40_chunks, fence=fence)
        changing = (
            len(at.server.seen("PUT")) + len(at.server.seen("POST", FILE)) + len(at.server.seen("POST", "complete"))
        )
        assert len(asked) == changing == CHUNKS + 2


def test_a_lost_lease_stops_the_upload_before_the_next_chunk(csv_of_40_chunks):
    asked = []

    def fence():
        asked.append(1)
        if len(asked) > 10:
            raise FencedError("The lease was taken over.")

    with anaplan() as at:
        with pytest.raises(FencedError):
            upload(at, csv_of_40_chunks, fence=fence)
        assert len(at.server.seen("PUT")) == 9
        assert at.anaplan.completed == 0


def test_a_lost_lease_stops_the_repetition_of_a_chunk():
    asked = []

    def fence():
        asked.append(1)
        if len(asked) > 2:
            raise FencedError("The lease was taken over.")

    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/0", error(500))
        with pytest.raises(FencedError):
            at.model.upload_chunks(FILE, [b"x" * MEGABYTE], chunk_bytes=MEGABYTE, fence=fence)
        assert len(at.server.seen("PUT")) == 1


@pytest.mark.parametrize(("status", "state"), [(409, "busy"), (423, "locked"), (424, "offline")])
def test_a_model_that_refuses_chunks_is_busy(csv_of_40_chunks, status, state):
    with anaplan() as at:
        at.anaplan.on("PUT", f"/files/{FILE}/chunks/3", error(status))
        with pytest.raises(ModelBusyError) as caught:
            upload(at, csv_of_40_chunks)
        assert caught.value.state == state


@settings(deadline=None)
@given(blocks=st.lists(st.binary(max_size=40), max_size=30), wanted=st.integers(1, 50))
def test_chunks_joined_are_the_stream_and_all_but_the_last_are_full(blocks, wanted):
    chunks = list(rechunk(blocks, wanted))
    assert b"".join(chunks) == b"".join(blocks)
    assert all(len(chunk) == wanted for chunk in chunks[:-1])
    assert all(chunks)


@settings(deadline=None)
@given(size=st.integers(0, MOST_CHUNKS * LARGEST_CHUNK), wanted=st.integers(1, 1 << 30))
def test_a_file_of_known_size_always_fits_into_the_chunks_that_anaplan_takes(size, wanted):
    limit = chunk_size(size, wanted)
    assert MEGABYTE <= limit <= LARGEST_CHUNK
    assert -(-size // limit) <= MOST_CHUNKS


def test_a_file_beyond_the_limit_is_refused_before_anything_is_sent():
    with pytest.raises(ConfigurationError, match="1000 chunks"):
        chunk_size(MOST_CHUNKS * LARGEST_CHUNK + 1, MEGABYTE)
