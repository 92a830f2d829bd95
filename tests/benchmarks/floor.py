"""The floor: download, exact decode, CSV, gzip, PUT and nothing else, as parallel as two cores allow.

No staging, no book, no trail, no checks: what a close cannot be faster than.
"""

import argparse
import json
import queue
import resource
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import requests
from isal import igzip

MONEY = pa.decimal128(38, 6)
DIMENSION = pa.list_(pa.struct([("code", pa.string()), ("valueCode", pa.string())]))
ENTRY = pa.struct(
    [
        ("id", pa.string()),
        ("entryNumber", pa.int64()),
        ("postingDate", pa.string()),
        ("documentNumber", pa.string()),
        ("documentType", pa.string()),
        ("accountNumber", pa.string()),
        ("description", pa.string()),
        ("debitAmount", MONEY),
        ("creditAmount", MONEY),
        ("lastModifiedDateTime", pa.string()),
        ("dimensionSetLines", DIMENSION),
    ]
)
PAGE = pa.schema([("@odata.nextLink", pa.string()), ("value", pa.list_(ENTRY))])
CHUNK = 10 << 20


def pages(session: requests.Session, url: str):
    """Yield page bodies, the next one already on its way."""
    bodies: queue.Queue[bytes | None] = queue.Queue(maxsize=3)

    def download() -> None:
        following: str | None = url
        while following:
            body = session.get(following, timeout=60).content
            tail = body[body.rfind(b"]") :]
            mark = tail.find(b'"@odata.nextLink":"')
            following = tail[mark + 19 : tail.find(b'"', mark + 19)].decode() if mark >= 0 else None
            bodies.put(body)
        bodies.put(None)

    threading.Thread(target=download, daemon=True).start()
    while (body := bodies.get()) is not None:
        yield body


def decode(body: bytes) -> bytes:
    """Turn a page into CSV lines, exactly."""
    table = pyarrow.json.read_json(
        pa.BufferReader(body),
        read_options=pyarrow.json.ReadOptions(block_size=len(body) + 1, use_threads=False),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=PAGE, unexpected_field_behavior="ignore"),
    )
    entries = pa.Table.from_struct_array(table["value"].combine_chunks().flatten())
    dims = entries["dimensionSetLines"].combine_chunks()
    values = dims.flatten().field("valueCode")
    columns = [entries[field.name] for field in ENTRY if field.name != "dimensionSetLines"]
    offsets = dims.offsets.slice(0, len(dims))
    columns += [pc.take(values, offsets), pc.take(values, pc.add(offsets, 1))]
    names = [field.name for field in ENTRY if field.name != "dimensionSetLines"] + ["department", "project"]
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False)
    pyarrow.csv.write_csv(pa.table(columns, names=names), sink, options)
    return sink.getvalue().to_pybytes()


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
    token = session.post(f"{args.anaplan_auth_url}/token/authenticate", auth=("user", "password"), timeout=60).json()
    headers = {"Authorization": f"AnaplanAuthToken {token['tokenInfo']['tokenValue']}"}
    model = f"{args.anaplan_api_url}/workspaces/{args.workspace_id}/models/{args.model_id}"
    sending: list[Future[None]] = []

    def put(number: int, block: bytes) -> None:
        session.put(
            f"{model}/files/{args.file_id}/chunks/{number}",
            data=igzip.compress(block, 1),
            headers=headers | {"Content-Type": "application/x-gzip"},
            timeout=60,
        ).raise_for_status()

    url = f"{args.erp_url}/companies({args.company_id})/generalLedgerEntries?$expand=dimensionSetLines"
    with ThreadPoolExecutor(2) as decoders, ThreadPoolExecutor(2) as senders:
        waiting: list[Future[bytes]] = []
        block = bytearray(
            b"id,entryNumber,postingDate,documentNumber,documentType,accountNumber,description,debitAmount,"
        )
        block += b"creditAmount,lastModifiedDateTime,department,project\n"

        def collect(keep: int) -> None:
            nonlocal block
            while len(waiting) > keep:
                block += waiting.pop(0).result()
                if len(block) >= CHUNK:
                    if len(sending) > 2:
                        sending[-3].result()
                    sending.append(senders.submit(put, len(sending), bytes(block)))
                    block = bytearray()

        for body in pages(session, url):
            waiting.append(decoders.submit(decode, body))
            collect(2)
        collect(0)
        sending.append(senders.submit(put, len(sending), bytes(block)))
        for future in sending:
            future.result()
    tasks = f"{model}/imports/{args.import_id}/tasks"
    task = session.post(tasks, json={"localeName": "en_US"}, headers=headers, timeout=60).json()["task"]["taskId"]
    state = session.get(f"{tasks}/{task}", headers=headers, timeout=60).json()["task"]["taskState"]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": args.rows,
                "state": state,
                "wall_s": round(time.monotonic() - started, 3),
                "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
                "peak_rss_mb": round(usage.ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    main()
