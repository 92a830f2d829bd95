# SPDX-License-Identifier: Apache-2.0
"""The whole client against the sandbox, which really imports: what one of them misunderstands shows here."""

from __future__ import annotations

import csv
import time
from types import SimpleNamespace

import pytest
import requests

from airflow_provider_mlconnector.errors import (
    LostAnswerError,
    ModelBusyError,
    ModelUnavailableError,
    NotFoundError,
    UnknownNameError,
)
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.anaplan.auth import (
    BasicLogin,
    CertificateLogin,
    CertVersion,
    OAuthLogin,
    fingerprint,
)
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.dumps import read_dump
from airflow_provider_mlconnector.systems.anaplan.hosts import custom_hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget, LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.oauth import device_grant
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskState


@pytest.fixture(scope="module")
def sandbox():
    with serve(["anaplan"], scale=0.2) as running:
        yield running


@pytest.fixture
def control(sandbox):
    def call(method, path, body=None, **params):
        answer = requests.request(method, f"{sandbox.url}/_sandbox{path}", json=body, params=params, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    yield call
    call("DELETE", "/faults")
    call("DELETE", "/anaplan/switches")
    call("POST", "/anaplan/model", {"state": "UNLOCKED"})


class SandboxClock:
    """The sandbox's own clock, so that waiting costs nothing and both sides agree on the time."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        return self._clock.now()

    def monotonic(self):
        return self._clock.now().timestamp()

    def sleep(self, seconds):
        self._clock.advance(seconds)


@pytest.fixture
def clock(sandbox):
    return SandboxClock(sandbox.world.clock)


@pytest.fixture
def info(sandbox):
    return SimpleNamespace(**sandbox.info["anaplan"])


@pytest.fixture
def hosts(info):
    return custom_hosts(info.api_url, info.auth_url, info.oauth_url)


@pytest.fixture
def make_client(hosts, info, clock):
    made = []

    def make(login=None, **options):
        given = {"tokens": LocalTokenStore(clock), "budget": LocalBudget(clock=clock), "clock": clock, **options}
        made.append(AnaplanClient(hosts, login or BasicLogin(info.login, info.password), **given))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def model(client):
    return client.model(client.resolve_model("Finance", "FP&A Hub"))


def finished(model, kind, action_id, **options):
    ref = TaskRef(
        workspace_id=model.ref.workspace_id,
        model_id=model.ref.model_id,
        kind=kind,
        action_id=action_id,
        task_id=model.start(kind, action_id, **options),
    )
    return ref, when_over(model, ref)


def when_over(model, ref):
    for _ in range(500):
        status = model.task(ref)
        if status.state.over:
            return status
        time.sleep(0.01)
    raise AssertionError(status)


def loaded(model, tmp_path, name, text):
    found = model.resolve(Kind.IMPORT, name)
    path = tmp_path / "upload.csv"
    path.write_text(text)
    model.upload(found.file_id, path)
    return finished(model, ActionKind.IMPORT, found.id)


def test_ping_says_who_we_are(client, info):
    health = client.ping()
    assert health.ok
    assert info.login in health.sentence


def test_ping_with_a_wrong_password_says_what_to_do(make_client, info):
    health = make_client(BasicLogin(info.login, "wrong")).ping()
    assert not health.ok
    assert "Check the login" in health.sentence


def test_names_and_ids_lead_to_the_same_model_and_ids_may_be_in_any_case(client, info):
    by_name = client.resolve_model("Finance", "FP&A Hub")
    by_id = client.resolve_model(info.workspace_id.upper(), info.model_id.lower())
    assert (by_name.workspace_id, by_name.model_id) == (by_id.workspace_id, by_id.model_id)
    assert (by_name.workspace_id, by_name.model_id) == (info.workspace_id, info.model_id)


def test_an_unknown_model_lists_those_there_are(client):
    with pytest.raises(UnknownNameError, match="FP&A Hub"):
        client.resolve_model("Finance", "FP&A hub")


def test_every_kind_of_definition_is_found_by_name_and_by_id(model, info):
    for kind, ids in [
        (Kind.IMPORT, info.import_ids),
        (Kind.EXPORT, info.export_ids),
        (Kind.PROCESS, info.process_ids),
        (Kind.ACTION, info.action_ids),
        (Kind.VIEW, info.view_ids),
        (Kind.LIST, info.list_ids),
    ]:
        for name, id_ in ids.items():
            assert model.resolve(kind, name).id == id_
            assert model.resolve(kind, id_).id == id_
    with pytest.raises(UnknownNameError, match="Load Accounts"):
        model.resolve(Kind.IMPORT, "load accounts")


def test_smaller_pages_than_asked_for_hide_nothing(model, info, control):
    control("POST", "/anaplan/switches", {"page_size": 2})
    assert {found.id for found in model.imports()} == set(info.import_ids.values())
    assert {found.id for found in model.lists()} >= set(info.list_ids.values())


def test_fields_and_states_that_nobody_has_heard_of_do_no_harm(model, control, tmp_path):
    control("POST", "/anaplan/switches", {"extra_fields": True, "strange_task_state": "PONDERING"})
    _, status = loaded(model, tmp_path, "Load Vendors", "Code,Name\nV1,Vendor 1\n")
    assert status.outcome.successful


def test_an_import_tells_its_header_and_its_file(model, info):
    source = model.import_source(info.import_ids["Load GL Actuals"])
    assert source.header == ("Account", "Cost Centre", "Entity", "Version", "Time", "Amount")
    assert source.file_id == info.file_ids["Load GL Actuals"]
    assert (source.separator, source.header_row, source.first_data_row) == (",", 1, 2)


def test_a_list_is_loaded_and_its_members_are_read_back(model, info, tmp_path):
    _, status = loaded(model, tmp_path, "Load Vendors", "Code,Name\nV00010,Northwind\nV00020,Contoso\n")
    assert status.state is TaskState.COMPLETE
    assert not status.outcome.failed
    assert (status.outcome.sent, status.outcome.loaded) == (2, 2)
    members = model.members(info.list_ids["Vendors"])
    assert members.by_code["V00010"] == "Northwind"
    assert members.by_name["Contoso"] == "V00020"


def test_a_list_read_at_large_says_the_same_as_its_members(model, info, tmp_path, control):
    loaded(model, tmp_path, "Load Vendors", "Code,Name\nV00010,Northwind\nV00020,Contoso\n")
    control("POST", "/anaplan/switches", {"read_page_rows": 1, "page_header": "every"})
    path = model.read_list(info.list_ids["Vendors"], tmp_path / "vendors.csv")
    rows = list(csv.reader(path.open(newline="")))
    assert len(rows) == len(model.members(info.list_ids["Vendors"]).by_name) + 1
    assert control("GET", "/anaplan/model")["open_read_requests"] == 0


ACTUALS = "Account,Cost Centre,Entity,Version,Time,Amount\n"


@pytest.fixture
def members(model, tmp_path):
    loaded(model, tmp_path, "Load Accounts", "Code,Name,Parent\n4000,Sales,\n5000,Purchases,\n")
    loaded(model, tmp_path, "Load Cost Centres", "Code,Name,Parent\nSAL,Sales team,\n")


@pytest.mark.usefixtures("members")
@pytest.mark.parametrize("header_on", ["first", "every"])
def test_cells_are_loaded_exactly_and_the_view_tells_them_back(model, info, tmp_path, control, header_on):
    amount = "9007199254740993.01"  # no float holds it
    _, status = loaded(
        model,
        tmp_path,
        "Load GL Actuals",
        ACTUALS + f"4000,SAL,Larkfield,Actual,Jul 25,-{amount}\n5000,SAL,Larkfield,Actual,Jul 25,12.50\n",
    )
    assert status.outcome.loaded == 2
    control("POST", "/anaplan/switches", {"read_page_rows": 1, "page_header": header_on, "members_shown": "codes"})
    path = model.read_view(info.view_ids["GL Actuals by Period"], tmp_path / "view.csv")
    rows = list(csv.DictReader(path.open(newline="")))
    found = {(row["Account"], row["Time"]): row["Amount"] for row in rows if row["Cost Centre"] == "SAL"}
    assert found["4000", "Jul 25"] == f"-{amount}"
    assert found["5000", "Jul 25"].rstrip("0") == "12.5"
    assert control("GET", "/anaplan/model")["open_read_requests"] == 0


@pytest.mark.usefixtures("members")
def test_rejected_rows_are_counted_and_their_dump_names_line_and_reason(model, tmp_path):
    ref, status = loaded(
        model,
        tmp_path,
        "Load GL Actuals",
        ACTUALS + "4000,SAL,Larkfield,Actual,Jul 25,1\n4000,NOWHERE,Larkfield,Actual,Jul 25,2\n",
    )
    assert (status.outcome.sent, status.outcome.loaded, status.outcome.rejected) == (2, 1, 1)
    assert not status.outcome.failed
    assert model.dump(ref, tmp_path / "dump.csv")
    (row,) = read_dump(tmp_path / "dump.csv")
    assert row.line == 3
    assert row.values[:2] == ("4000", "NOWHERE")
    assert row.errors


def test_a_clean_import_has_no_dump(model, tmp_path, control):
    ref, _ = loaded(model, tmp_path, "Load Vendors", "Code,Name\nV1,Vendor 1\n")
    for status in (404, 400):
        control("POST", "/anaplan/switches", {"dump_absent_status": status})
        assert not model.dump(ref, tmp_path / "dump.csv")
    assert not (tmp_path / "dump.csv").exists()


@pytest.mark.usefixtures("members")
def test_a_process_tells_of_each_action_and_dumps_each(model, info, tmp_path):
    for name, text in [
        ("Load Accounts", "Code,Name,Parent\n4000,Sales,\n"),
        ("Load Cost Centres", "Code,Name,Parent\nSAL,Sales team,\n"),
        ("Load GL Actuals", ACTUALS + "4000,NOWHERE,Larkfield,Actual,Jul 25,2\n4000,SAL,Larkfield,Actual,Jul 25,3\n"),
    ]:
        path = tmp_path / "part.csv"
        path.write_text(text)
        model.upload(info.file_ids[name], path)
    ref, status = finished(model, ActionKind.PROCESS, info.process_ids["Load All"])
    names = ("Load Accounts", "Load Cost Centres", "Load GL Actuals")
    assert [action.object_id for action in status.outcome.nested] == [info.import_ids[name] for name in names]
    assert (status.outcome.sent, status.outcome.rejected) == (4, 1)
    assert model.dump(ref, tmp_path / "dump.csv", info.import_ids["Load GL Actuals"])
    assert [row.line for row in read_dump(tmp_path / "dump.csv")] == [2]
    assert not model.dump(ref, tmp_path / "none.csv", info.import_ids["Load Accounts"])


@pytest.mark.usefixtures("members")
def test_an_export_is_downloaded_in_chunks(model, info, tmp_path, control):
    control("POST", "/anaplan/plan", {"first": "Jul 26"})
    control("POST", "/anaplan/switches", {"export_chunk_bytes": 200})
    export = model.resolve(Kind.EXPORT, "Approved Budget")
    _, status = finished(model, ActionKind.EXPORT, export.id)
    assert status.outcome.successful
    size = model.download(export.id, tmp_path / "budget.csv")
    content = (tmp_path / "budget.csv").read_bytes()
    assert size == len(content) > 400
    assert next(csv.reader(content.decode().splitlines())) == list(model.export_layout(export.id).header)


def test_a_file_without_content_is_not_found(make_client, info, tmp_path, control):
    control("POST", "/anaplan/switches", {"others_file": "404"})
    planner = make_client(BasicLogin("paula-planner@larkfield.example", info.users["paula-planner@larkfield.example"]))
    model = planner.model(planner.resolve_model(info.workspace_id, info.model_id))
    with pytest.raises(NotFoundError):
        model.download(info.file_ids["Load Employees"], tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


def test_a_task_is_cancelled_and_cancelling_it_again_does_no_harm(model, info, control, clock):
    control("POST", "/anaplan/model", {"hold_seconds": 30})
    task_id = model.start(ActionKind.IMPORT, info.import_ids["Load Vendors"])
    ref = TaskRef(
        workspace_id=info.workspace_id,
        model_id=info.model_id,
        kind=ActionKind.IMPORT,
        action_id=info.import_ids["Load Vendors"],
        task_id=task_id,
    )
    model.cancel(ref)
    clock.sleep(31)
    assert when_over(model, ref).state is TaskState.CANCELLED
    control("POST", "/anaplan/switches", {"cancel_terminal_is_404": True})
    model.cancel(ref)
    assert task_id in [task.task_id for task in model.tasks(ActionKind.IMPORT, ref.action_id)]


@pytest.mark.parametrize("answer", ["task", "task_id", "bare"])
def test_every_form_of_the_answer_to_a_start_is_understood(model, info, control, answer):
    control("POST", "/anaplan/switches", {"start_answer": answer})
    _, status = finished(model, ActionKind.ACTION, info.action_ids["Delete Vendors"])
    assert status.outcome.successful


def test_a_model_is_ready_and_tells_its_state(model):
    model.ensure_ready()
    assert model.details().active_state == "UNLOCKED"
    assert model.status().step


@pytest.mark.parametrize("state", ["LOCKED", "MAINTENANCE", "PRODUCTION_MAINTENANCE"])
def test_a_locked_model_is_worth_waiting_for(model, control, state):
    control("POST", "/anaplan/model", {"state": state})
    with pytest.raises(ModelBusyError):
        model.ensure_ready()


def test_an_archived_model_is_not(model, control):
    control("POST", "/anaplan/model", {"state": "ARCHIVED"})
    with pytest.raises(ModelUnavailableError):
        model.ensure_ready()


def test_a_deployed_model_takes_imports(model, control, tmp_path):
    control("POST", "/anaplan/model", {"state": "PRODUCTION"})
    model.ensure_ready()


def test_a_model_that_something_changes_is_busy_and_says_so(model, control, clock):
    control("POST", "/anaplan/switches", {"reads_while_busy": "answer"})
    control("POST", "/anaplan/model", {"hold_seconds": 3600})
    with pytest.raises(ModelBusyError):
        model.ensure_ready()
    clock.sleep(3601)


def test_a_busy_model_that_does_not_answer_is_busy_not_broken(make_client, info, control, clock):
    client = make_client(read_timeout=0.2)
    model = client.model(client.resolve_model(info.workspace_id, info.model_id))
    model.imports()
    control("POST", "/anaplan/model", {"hold_seconds": 3600})
    with pytest.raises(ModelBusyError) as caught:
        model.lists()
    assert caught.value.state == "hanging"
    assert model.imports()  # definitions of actions always answer
    clock.sleep(3601)


def test_a_token_that_is_revoked_in_the_middle_costs_one_login(client, model, control):
    control("DELETE", "/anaplan/tokens")
    assert model.imports()
    assert client.logins == 2


def test_a_token_that_died_costs_one_login(client, model, clock):
    clock.sleep(36 * 60)
    assert model.imports()
    assert client.logins == 2


def test_a_token_near_its_end_is_prolonged(client, model, clock):
    for _ in range(4):
        clock.sleep(32 * 60)
        assert model.imports()
    assert client.logins == 1


@pytest.mark.parametrize("version", [CertVersion.V1, CertVersion.V2, CertVersion.V2_MILLISECONDS])
def test_a_certificate_logs_in_with_every_version(make_client, info, control, version):
    unit = "ms" if version is CertVersion.V2_MILLISECONDS else "s"
    control("POST", "/anaplan/switches", {"cert_format": version.value[:2], "cert_time_unit": unit})
    assert make_client(CertificateLogin(info.certificate_pem, info.private_key_pem, version=version)).ping().ok


@pytest.mark.parametrize("rotatable", [True, False])
def test_a_person_logs_in_on_another_device_and_the_refresh_token_serves_from_then_on(
    make_client, info, hosts, control, clock, rotatable
):
    client_id = info.oauth_rotatable_client_id if rotatable else info.oauth_client_id
    login = OAuthLogin(client_id, rotatable=rotatable)
    store = LocalTokenStore(clock)

    def confirm(prompt):
        control("POST", "/anaplan/devices", {"user_code": prompt.user_code, "decision": "approve"})

    refresh_token = device_grant(LoginService(hosts, clock=clock), client_id, confirm)
    store.put_refresh_token(fingerprint(hosts, login), refresh_token)
    client = make_client(login, tokens=store)
    for _ in range(3):
        assert client.ping().ok
        clock.sleep(36 * 60)
    assert client.logins == 3


def test_a_start_whose_answer_is_lost_is_found_in_the_task_list(model, info, control):
    before = {task.task_id for task in model.tasks(ActionKind.IMPORT, info.import_ids["Load Vendors"])}
    control("POST", "/faults", {"kind": "lost_answer", "method": "POST", "path": "/tasks"})
    with pytest.raises(LostAnswerError):
        model.start(ActionKind.IMPORT, info.import_ids["Load Vendors"])
    after = model.tasks(ActionKind.IMPORT, info.import_ids["Load Vendors"])
    assert len([task for task in after if task.task_id not in before]) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_that_is_trusted_is_not():
    with serve(["anaplan"], scale=0.1, tls=True) as secured:
        info = SimpleNamespace(**secured.info["anaplan"])
        hosts = custom_hosts(info.api_url, info.auth_url, info.oauth_url)
        for verify, expected in [(True, "is not trusted"), (secured.ca_file, "Logged in")]:
            client = AnaplanClient(
                hosts,
                BasicLogin(info.login, info.password),
                tokens=LocalTokenStore(),
                budget=LocalBudget(),
                verify=verify,
            )
            assert expected in client.ping().sentence
            client.close()
