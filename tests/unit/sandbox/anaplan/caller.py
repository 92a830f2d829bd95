# SPDX-License-Identifier: Apache-2.0
"""A client of the sandbox's Anaplan as plain as can be: requests, and nothing of our own."""

import gzip
import time

import requests

JOURNAL_HEADER = (
    "id,entryNumber,postingDate,documentNumber,documentType,accountNumber,description,"
    "debitAmount,creditAmount,lastModifiedDateTime,department,project"
)


class Caller:
    """Logged in as a user; paths are below the model, or below the API's root with ``root=True``."""

    def __init__(self, sandbox, login="", password=""):
        self.sandbox = sandbox
        self.info = sandbox.info["anaplan"]
        self.session = requests.Session()
        self.token = ""
        self.log_in(login or self.info["login"], password)

    def log_in(self, login, password=""):
        known = password or self.info["users"][login]
        answer = requests.post(f"{self.info['auth_url']}/token/authenticate", auth=(login, known))
        assert answer.status_code == 201, answer.text
        self.use(answer.json()["tokenInfo"]["tokenValue"])

    def use(self, token, scheme="AnaplanAuthToken"):
        self.token = token
        self.session.headers["Authorization"] = f"{scheme} {token}"

    @property
    def model_path(self):
        return f"/workspaces/{self.info['workspace_id']}/models/{self.info['model_id']}"

    def call(self, method, path, *, root=False, **more):
        place = "" if root else self.model_path
        return self.session.request(method, self.info["api_url"] + place + path, timeout=20, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, **more):
        return self.call("POST", path, **more)

    def put(self, path, **more):
        return self.call("PUT", path, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def control(self, method, path, body=None, **query):
        answer = requests.request(
            method, f"{self.sandbox.url}/_sandbox/anaplan{path}", json=body, params=query, timeout=20
        )
        assert answer.ok, answer.text
        return answer.json()

    def switch(self, **changes):
        self.control("POST", "/switches", changes)

    def put_chunk(self, file_id, number, data, *, compress=True):
        headers = {"Content-Type": "application/x-gzip" if compress else "application/octet-stream"}
        body = gzip.compress(data) if compress else data
        return self.put(f"/files/{file_id}/chunks/{number}", data=body, headers=headers)

    def upload(self, name, text, *, encoding="utf-8"):
        file_id = self.info["file_ids"][name]
        answer = self.post(f"/files/{file_id}", json={"chunkCount": 1})
        assert answer.json()["file"]["id"] == file_id
        data = text if isinstance(text, bytes) else text.encode(encoding)
        assert self.put_chunk(file_id, 0, data).status_code == 204
        return file_id

    def start(self, kind, action_id, **more):
        answer = self.post(f"/{kind}/{action_id}/tasks", json={"localeName": "en_US", **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["task"]["taskId"]

    def task(self, kind, action_id, task_id):
        return self.get(f"/{kind}/{action_id}/tasks/{task_id}").json()["task"]

    def wait(self, kind, action_id, task_id, seconds=10.0):
        give_up = time.monotonic() + seconds
        while (task := self.task(kind, action_id, task_id))["taskState"] not in ("COMPLETE", "CANCELLED"):
            assert time.monotonic() < give_up, task
            time.sleep(0.005)
        return task

    def run(self, kind, action_id, **more):
        return self.wait(kind, action_id, self.start(kind, action_id, **more))

    def load(self, name, text, **more):
        """Upload a file, run its import and return the task."""
        self.upload(name, text)
        return self.run("imports", self.info["import_ids"][name], **more)

    def dump(self, name, task_id):
        return self.get(f"/imports/{self.info['import_ids'][name]}/tasks/{task_id}/dump")

    def cells(self, module, **where):
        return self.control("GET", "/cells", module=module, **where)["cells"]

    def members(self, name):
        return [
            (row["code"], row["name"], row["parent"]) for row in self.control("GET", "/members", list=name)["members"]
        ]


def counts(task):
    """Return the summary detail of a task's result as numbers."""
    values = task["result"]["details"][0]["values"]
    pairs = dict(zip(values[::2], values[1::2], strict=True))
    return {key: int(value) for key, value in pairs.items() if value.isdecimal()}


ACCOUNTS = "Code,Name,Parent\n1000,Assets,\n1100,Cash,1000\n1200,Bank,1000\n6000,Costs,\n6100,Rent,6000\n"
CENTRES = "Code,Name,Parent\nADM,Administration,\nSALES,Sales,\n"
ACTUALS = "Account,Cost Centre,Entity,Version,Time,Amount\n"


def set_up_lists(caller):
    """Load accounts and cost centres."""
    caller.load("Load Accounts", ACCOUNTS)
    caller.load("Load Cost Centres", CENTRES)


def until(condition, seconds=5.0):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)
