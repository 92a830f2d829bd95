# SPDX-License-Identifier: Apache-2.0
"""Every operation that a connector uses, answered as the public OpenAPI documents say.

The documents are a community's; where they are wrong, contradict themselves or lack what Anaplan's own pages and
working clients show, that is written down here with the reason.
"""

import base64
import os
import time

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from tests.conformance.anaplan.documents import Document, Recorder

WORKSPACE_MODEL = "/workspaces/{workspaceId}/models/{modelId}"
FAST = {"task_seconds": 0.01, "queue_seconds": 0.0, "longest_task_seconds": 0.02, "read_request_seconds": 0.0}

LEFT_OUT = {
    **dict.fromkeys(
        [
            ("PUT", "/models/{modelId}/currentPeriod"),
            ("PUT", f"{WORKSPACE_MODEL}/currentPeriod"),
            ("PUT", "/models/{modelId}/modelCalendar/fiscalYear"),
            ("PUT", "/models/{modelId}/versions/{versionId}/switchover"),
        ],
        "changes the time scale, which deletes data when it shrinks: nothing that a connector may do",
    ),
    ("POST", "/workspaces/{workspaceId}/bulkDeleteModels"): "deletes models",
    ("GET", f"{WORKSPACE_MODEL}/dashboards"): "pages for people",
    ("GET", "/workspaces/{workspaceId}/visitors"): "other workspaces' people",
    (
        "GET",
        f"{WORKSPACE_MODEL}/optimizeActions/{{actionId}}/tasks/{{correlationId}}/solutionLogs",
    ): "the model has no optimizer",
}

_PLACE = "/workspaces/{id}/models/{id}"
NOT_IN_THE_DOCUMENT = {
    **{
        f"DELETE {_PLACE}/{kind}/{{id}}/tasks/{{id}}": "cancels: on Anaplan's pages and in Anaplan Connect"
        for kind in ("imports", "exports", "processes", "actions")
    },
    **{
        f"GET {_PLACE}/processes/{{id}}/tasks/{{id}}/dumps/{{id}}{rest}": "on Anaplan's pages and in Anaplan Connect"
        for rest in ("", "/chunks", "/chunks/{id}")
    },
    **{
        f"{method} {_PLACE}/lists/{{id}}/readRequests/{{id}}{rest}": "the document has the POST alone"
        for method, rest in (("GET", ""), ("GET", "/pages/{id}"), ("DELETE", ""))
    },
    f"GET {_PLACE}/lists/{{id}}/preview": "on Anaplan's pages",
    f"GET {_PLACE}/imports": "the document has it with a slash at its end alone",
    "GET /models/{id}/lists/{id}/items": "the form that anaplan-sdk uses",
}


def amend_integration(raw):
    """Correct the document where no answer could satisfy it, or where a better source says otherwise."""
    schemas, paths = raw["components"]["schemas"], raw["paths"]
    for person in ("User", "Admin", "Visitor"):
        # the full stops are escaped twice: no address fits
        schemas[person]["properties"]["email"].pop("pattern")
    # "nextitemIndex" is a slip of the document's: the clients read nextItemIndex
    metadata = schemas["ListMetadata"]["properties"]
    metadata["nextItemIndex"] = metadata.pop("nextitemIndex")
    metadata["usedInAppliesTo"] = {"type": "string"}
    # anaplan-sdk reads the totals of the calendar without "is": both ways are served
    totals = schemas["ModelCalendar"]["properties"]["totalsSelection"]["properties"]
    for name in [name for name in totals if name.startswith("is")]:
        totals[name[2].lower() + name[3:]] = {"type": "boolean"}
    # a task of any kind says what it is, as the document's own examples do
    schemas["Task"]["properties"] |= {"type": {"type": "string"}, "cancelledBy": {"type": "string"}}
    schemas["Process"]["properties"]["actions"] = {"type": "array"}  # in the document's example of processMetadata
    envelope = {"meta": {"$ref": "#/components/schemas/Meta"}, "status": {"$ref": "#/components/schemas/Status"}}
    many = {"tasks": {"type": "array", "items": {"$ref": "#/components/schemas/Task"}}}
    one = {"task": {"$ref": "#/components/schemas/TaskWithUrl"}}
    for kind in ("import", "export", "process", "action"):
        item = paths[f"{WORKSPACE_MODEL}/{kind}{'es' if kind == 'process' else 's'}/{{{kind}Id}}/tasks"]
        # the list is an array "tasks", as the clients read it; the document's example shows one "task"
        listing = item["get"]["responses"]["200"]["content"]["application/json"]
        listing["schema"] = {"type": "object", "properties": envelope | many}
        # a start answers with the envelope around "task", as the clients read it; the document has the bare id
        started = item["post"]["responses"]["200"]["content"]["application/json"]
        started["schema"] = {"type": "object", "properties": envelope | one}


def amend_login(raw):
    """Correct the certificate login: every client that works sends other fields than the document's."""
    payload = raw["components"]["schemas"]["CertPayload"]
    payload["properties"] = {
        name: {"type": "string"} for name in ("encodedData", "encodedSignedData", "encodedDataFormat")
    }
    payload["required"] = ["encodedData", "encodedSignedData"]
    authenticate = raw["paths"]["/token/authenticate"]["post"]
    # a login by password has no body at all, yet the document demands one
    authenticate["requestBody"]["required"] = False
    # "Basic" is told apart from the token schemes by the header's first word, which the document cannot say
    authenticate["security"] = []


def nothing(raw):
    """Leave a document as it is."""


class Walk:
    """Calls every operation once or more."""

    def __init__(self, info, url):
        self.info = info
        self.session = Recorder()
        self.workspace = f"{info['api_url']}/workspaces/{info['workspace_id']}"
        self.model = f"{self.workspace}/models/{info['model_id']}"
        self.direct = f"{info['api_url']}/models/{info['model_id']}"
        answer = requests.post(f"{info['auth_url']}/token/authenticate", auth=(info["login"], info["password"]))
        self.session.headers["Authorization"] = f"AnaplanAuthToken {answer.json()['tokenInfo']['tokenValue']}"
        self.session.headers["Content-Type"] = "application/json"
        self.url = url

    def run(self):
        self.definitions()
        self.imports()
        self.processes_exports_and_actions()
        self.lists()
        self.modules()
        self.reads()
        self.errors()
        self.session.post(f"{self.direct}/open")
        self.session.post(f"{self.direct}/close")

    def get(self, *paths, bases=None):
        for path in paths:
            for base in bases or (self.model, self.direct):
                self.session.get(base + path)

    def definitions(self):
        ids = self.info
        api = self.info["api_url"]
        for path in ("/workspaces", "/workspaces?tenantDetails=true", "/models", "/models?modelDetails=true"):
            self.session.get(api + path)
        for path in (
            "/users",
            "/users/me",
            f"/workspaces/{ids['workspace_id']}",
            f"/workspaces/{ids['workspace_id']}/models",
        ):
            self.session.get(api + path)
        me = self.session.get(f"{api}/users/me").json()["user"]["id"]
        self.session.get(f"{api}/users/{me}")
        self.session.get(f"{self.workspace}/admins")
        self.session.get(f"{self.direct}?modelDetails=true")
        self.session.get(f"{self.direct}/status")
        self.get("/actions", "/exports", "/files", "/processes", "/imports?limit=2", "/imports?limit=2&offset=2")
        self.session.get(f"{self.model}/imports/")
        self.get(f"/imports/{ids['import_ids']['Load Accounts']}", f"/exports/{ids['export_ids']['Approved Budget']}")
        self.get(f"/processes/{ids['process_ids']['Load All']}?showImportDataSource=true")

    def imports(self):
        self.upload("Load Accounts", "Code,Name,Parent\n1000,Assets,\n1100,Cash,1000\n1200,Bank,9999\n")
        self.upload("Load Cost Centres", "Code,Name,Parent\nADM,Administration,\n")
        self.task("imports", self.info["import_ids"]["Load Accounts"], dump="dump")
        self.task("imports", self.info["import_ids"]["Load Cost Centres"])
        self.upload(
            "Load GL Actuals", "Account,Cost Centre,Entity,Version,Time,Amount\n1100,ADM,Larkfield,Budget,Jul 26,1\n"
        )
        self.task("imports", self.info["import_ids"]["Load GL Actuals"])
        file = f"{self.model}/files/{self.info['file_ids']['Load Vendors']}"
        self.session.put(file, data=b"Code,Name\n", headers={"Content-Type": "application/octet-stream"})
        self.session.get(file)
        self.get(f"/files/{self.info['file_ids']['Load Vendors']}/chunks")
        self.session.get(f"{file}/chunks/0")
        self.session.delete(file)

    def upload(self, name, text):
        file = f"{self.model}/files/{self.info['file_ids'][name]}"
        self.session.post(file, json={"chunkCount": 1})
        headers = {"Content-Type": "application/octet-stream"}
        assert self.session.put(f"{file}/chunks/0", data=text.encode(), headers=headers).status_code == 204
        self.session.post(f"{file}/complete", json={"id": self.info["file_ids"][name]})

    def task(self, kind, action_id, dump=""):
        base = f"{self.model}/{kind}/{action_id}/tasks"
        task_id = self.session.post(base, json={"localeName": "en_US"}).json()["task"]["taskId"]
        give_up = time.monotonic() + 10
        while self.session.get(f"{base}/{task_id}").json()["task"]["taskState"] != "COMPLETE":
            assert time.monotonic() < give_up
            time.sleep(0.005)
        self.session.get(base)
        if dump:
            for path in (f"/{dump}", f"/{dump}/chunks", f"/{dump}/chunks/0"):
                self.session.get(f"{base}/{task_id}{path}")
        self.session.delete(f"{base}/{task_id}")
        return task_id

    def processes_exports_and_actions(self):
        import_id = self.info["import_ids"]["Load Accounts"]
        self.task("processes", self.info["process_ids"]["Load All"], dump=f"dumps/{import_id}")
        export_id = self.info["export_ids"]["Approved Budget"]
        self.task("exports", export_id)
        self.session.get(f"{self.model}/files/{export_id}/chunks/0")
        self.task("actions", self.info["action_ids"]["Delete Vendors"])

    def lists(self):
        accounts, vendors = self.info["list_ids"]["Accounts"], self.info["list_ids"]["Vendors"]
        self.get("/lists", f"/lists/{accounts}", f"/dimensions/{accounts}/items")
        self.session.get(f"{self.model}/lists/{accounts}/items?includeAll=true")
        self.session.get(f"{self.direct}/lists/{accounts}/items")
        items = f"{self.model}/lists/{vendors}/items"
        self.session.post(f"{items}?action=add", json={"items": [{"name": "Smith", "code": "V1"}, {"code": "V2"}]})
        self.session.put(items, json={"items": [{"code": "V1", "name": "Smith & Sons"}, {"code": "V9", "name": "X"}]})
        self.session.post(f"{items}?action=delete", json={"items": [{"code": "V1"}]})
        self.session.post(f"{self.model}/lists/{accounts}/resetIndex")
        self.session.post(f"{self.model}/lists/{vendors}/resetIndex")
        for base in (self.model, self.direct):
            self.session.post(f"{base}/dimensions/{accounts}/items", json={"codes": ["1100"], "names": ["Assets"]})
        self.session.get(f"{self.model}/dimensions/20000000003/items")
        self.session.get(f"{self.model}/lists/{accounts}/preview")

    def modules(self):
        module = self.info["module_ids"]["GL Actuals"]
        accounts = self.info["list_ids"]["Accounts"]
        self.get("/modules", f"/modules/{module}/lineItems?includeAll=true", f"/modules/{module}/views", "/views")
        self.get("/lineItems?includeAll=true", f"/views/{module}", "/versions", "/modelCalendar", "/currentPeriod")
        item = self.session.get(f"{self.direct}/modules/{module}/lineItems").json()["items"][0]["id"]
        self.get(f"/lineItems/{item}/dimensions", f"/lineItems/{item}/dimensions/{accounts}/items")
        self.session.get(f"{self.direct}/views/{module}/dimensions/{accounts}/items")
        self.session.get(f"{self.direct}/views/{module}/data", headers={"Accept": "text/csv"})
        json_form = {"params": {"format": "v1"}, "headers": {"Accept": "application/json"}}
        self.session.get(f"{self.direct}/views/{module}/data", **json_form)
        named = {
            "Accounts": "Cash",
            "Cost Centres": "Administration",
            "Entities": "Larkfield",
            "Versions": "Actual",
            "Time": "Jul 26",
        }
        dimensions = [{"dimensionName": name, "itemName": member} for name, member in named.items()]
        cells = [{"lineItemName": "Amount", "dimensions": dimensions, "value": 5}, {"lineItemName": "None", "value": 1}]
        self.session.post(f"{self.direct}/modules/{module}/data", json=cells)

    def reads(self):
        view, accounts = self.info["view_ids"]["GL Actuals by Period"], self.info["list_ids"]["Accounts"]
        for place, body in ((f"views/{view}", {"exportType": "TABULAR_MULTI_COLUMN"}), (f"lists/{accounts}", {})):
            base = f"{self.model}/{place}/readRequests"
            answer = self.session.post(base, json=body).json()
            request = f"{base}/{next(value for key, value in answer.items() if 'ReadRequest' in key)['requestId']}"
            for path in (request, f"{request}/pages/0"):
                self.session.get(path)
            self.session.delete(request)

    def errors(self):
        for path in ("/lists/101000009999", "/views/203000009999", "/processes/118000009999"):
            self.get(path)
        for kind in ("imports", "exports", "processes", "actions"):
            self.session.post(f"{self.model}/{kind}/999/tasks", json={"localeName": "en_US"})
            self.session.get(f"{self.model}/{kind}/999/tasks/{'0' * 32}")


@pytest.fixture(scope="module")
def walked(sandbox, site, info):
    site.switches = site.switches.changed(FAST)
    walk = Walk(info, sandbox.url)
    walk.run()
    return walk.session.exchanges


@pytest.fixture(scope="module")
def integration(read_spec, info):
    return Document(read_spec("integration"), info["api_url"], amend_integration)


def told(exchanges):
    return "\n".join(
        f"{answer.request.method} {answer.url} {answer.status_code}: {problem}" for answer, problem in exchanges
    )


def test_every_answer_of_the_integration_api_satisfies_the_document(integration, walked):
    found = [
        (answer, problem)
        for answer in walked
        if integration.operation(answer.request)
        for problem in integration.problems(answer)
    ]
    assert not found, told(found)


def test_every_operation_of_the_document_was_walked_or_is_left_out_for_a_reason(integration, walked):
    met = {integration.operation(answer.request) for answer in walked}
    assert integration.operations - met == LEFT_OUT.keys()


def test_what_the_document_does_not_know_is_written_down(integration, walked):
    unknown = {
        integration.template(answer.request) for answer in walked if integration.operation(answer.request) is None
    }
    assert unknown == NOT_IN_THE_DOCUMENT.keys()


@pytest.fixture(scope="module")
def login_document(read_spec, info):
    return Document(read_spec("authentication"), info["auth_url"], amend_login)


def test_the_authentication_service_satisfies_its_document(login_document, info):
    session, auth = Recorder(), info["auth_url"]
    data = os.urandom(100)
    key = serialization.load_pem_private_key(info["private_key_pem"].encode(), None)
    signature = key.sign(data, PKCS1v15(), hashes.SHA512())
    proof = {"encodedData": base64.b64encode(data).decode(), "encodedSignedData": base64.b64encode(signature).decode()}
    header = {"Authorization": f"CACertificate {base64.b64encode(info['certificate_pem'].encode()).decode()}"}
    assert session.post(f"{auth}/token/authenticate", json=proof, headers=header).status_code == 201
    login = session.post(f"{auth}/token/authenticate", auth=(info["login"], info["password"]))
    session.post(f"{auth}/token/authenticate", auth=(info["login"], "wrong"))
    token = {"Authorization": f"AnaplanAuthToken {login.json()['tokenInfo']['tokenValue']}"}
    bearer = {"Authorization": f"Bearer {login.json()['tokenInfo']['tokenValue']}"}
    for headers in (token, bearer):
        session.post(f"{auth}/token/refresh", headers=headers)
        session.get(f"{auth}/token/validate", headers=headers)
    for _ in range(2):
        session.post(f"{auth}/token/logout", headers=token)
    session.get(f"{auth}/token/validate", headers=token)
    found = [(answer, problem) for answer in session.exchanges for problem in login_document.problems(answer)]
    assert not found, told(found)
    assert {login_document.operation(answer.request) for answer in session.exchanges} == login_document.operations


@pytest.fixture(scope="module")
def oauth_document(read_spec, info):
    return Document(read_spec("oauth"), info["oauth_url"], nothing)


def test_the_oauth_service_satisfies_its_document(oauth_document, sandbox, info):
    session, oauth = Recorder(), info["oauth_url"]
    client = info["oauth_rotatable_client_id"]
    device = session.post(
        f"{oauth}/oauth/device/code", json={"client_id": client, "scope": "openid offline_access"}
    ).json()
    poll = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device["device_code"],
        "client_id": client,
    }
    for _ in range(2):
        session.post(f"{oauth}/oauth/token", json=poll)
    requests.post(f"{sandbox.url}/_sandbox/anaplan/devices", json={"user_code": device["user_code"]})
    token = session.post(f"{oauth}/oauth/token", json=poll).json()["refresh_token"]
    refresh = {"grant_type": "refresh_token", "client_id": client, "refresh_token": token}
    for _ in range(2):
        session.post(f"{oauth}/oauth/token", json=refresh)
    query = {
        "response_type": "code",
        "client_id": info["oauth_code_client_id"],
        "redirect_uri": info["oauth_redirect_uri"],
        "scope": "openid",
    }
    session.get(f"{oauth}/auth/authorize", params=query, allow_redirects=False)
    assert [answer.status_code for answer in session.exchanges] == [200, 403, 400, 200, 200, 403, 302]
    found = [(answer, problem) for answer in session.exchanges for problem in oauth_document.problems(answer)]
    assert not found, told(found)
    assert {oauth_document.operation(answer.request) for answer in session.exchanges} == oauth_document.operations
