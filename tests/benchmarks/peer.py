"""The peer: what people write with requests and pandas: all pages into a list, a data frame, one CSV, one upload."""

import argparse
import json
import resource
import time

import pandas as pd
import requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in (
        "erp-url",
        "company-id",
        "anaplan-api-url",
        "anaplan-auth-url",
        "workspace-id",
        "model-id",
        "file-id",
        "import-id",
    ):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rows", type=int, required=True)
    args = parser.parse_args()
    started = time.monotonic()
    session = requests.Session()
    url = f"{args.erp_url}/companies({args.company_id})/generalLedgerEntries?$expand=dimensionSetLines"
    rows = []
    while url:
        page = session.get(url, timeout=60).json()
        rows += page["value"]
        url = page.get("@odata.nextLink")
    frame = pd.DataFrame(rows)
    for column, code in (("department", "DEPARTMENT"), ("project", "PROJECT")):
        frame[column] = [
            next((d["valueCode"] for d in dims if d["code"] == code), "") for dims in frame["dimensionSetLines"]
        ]
    names = "id entryNumber postingDate documentNumber documentType accountNumber description debitAmount creditAmount"
    body = frame[[*names.split(), "lastModifiedDateTime", "department", "project"]].to_csv(index=False).encode()
    token = session.post(f"{args.anaplan_auth_url}/token/authenticate", auth=("user", "password"), timeout=60).json()
    headers = {"Authorization": f"AnaplanAuthToken {token['tokenInfo']['tokenValue']}"}
    model = f"{args.anaplan_api_url}/workspaces/{args.workspace_id}/models/{args.model_id}"
    session.post(
        f"{model}/files/{args.file_id}", json={"chunkCount": 1}, headers=headers, timeout=60
    ).raise_for_status()
    octets = headers | {"Content-Type": "application/octet-stream"}
    session.put(f"{model}/files/{args.file_id}/chunks/0", data=body, headers=octets, timeout=60).raise_for_status()
    tasks = f"{model}/imports/{args.import_id}/tasks"
    task = session.post(tasks, json={"localeName": "en_US"}, headers=headers, timeout=60).json()["task"]["taskId"]
    state = session.get(f"{tasks}/{task}", headers=headers, timeout=60).json()["task"]["taskState"]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": len(rows),
                "state": state,
                "wall_s": round(time.monotonic() - started, 3),
                "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
                "peak_rss_mb": round(usage.ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    main()
