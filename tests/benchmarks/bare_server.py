"""The barest servers that a close can run against: ledger pages from disk, an upload that is kept, a finished task.

It answers nothing beyond paging, login, upload, start and status, so that its own cost stays small beside the client's.
Prints one JSON line with its addresses, then serves until it is ended. ``--delay`` is a pause before every page, in
seconds.
"""

import argparse
import json
import re
import sys
import time
import uuid
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMPANY = "0f0e0d0c-0000-0000-0000-000000000001"
WORKSPACE = "8a81b09c5e8c6f27015ece3402487d33"
MODEL = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
FILE, IMPORT = "113000000001", "112000000001"
TASK = "C0FFEE00C0FFEE00C0FFEE00C0FFEE00"
PAGE = 20_000  # as Business Central pages when nothing else is asked for
NAMESPACE = uuid.UUID(COMPANY)


def row(number: int, cents: int) -> str:
    """Return one entry as Business Central writes it, about 580 bytes."""
    debit, credit = (cents, 0) if cents > 0 else (0, -cents)
    dims = ",".join(
        f'{{"id":"{NAMESPACE}","code":"{code}","consolidationCode":"","parentId":"{NAMESPACE}","valueId":"{NAMESPACE}",'
        f'"valueCode":"{value}"}}'
        for code, value in (("DEPARTMENT", f"D{number % 7}"), ("PROJECT", f"P{number % 31:03d}"))
    )
    return (
        f'{{"@odata.etag":"W/\\"JzE5Ozk{number:09d}OzAwOyc=\\"","id":"3c1c5c4e-0000-0000-0000-{number:012x}",'
        f'"entryNumber":{number},"postingDate":"2026-10-{number % 28 + 1:02d}","documentNumber":"G{number // 2:07d}",'
        f'"documentType":"_x0020_","accountId":"{NAMESPACE}","accountNumber":"{40000 + number % 60 * 10}",'
        f'"description":"Entry {number}, October","debitAmount":{money(debit)},"creditAmount":{money(credit)},'
        f'"additionalCurrencyDebitAmount":0,"additionalCurrencyCreditAmount":0,'
        f'"lastModifiedDateTime":"2026-11-{number % 19 + 1:02d}T08:12:33.497Z","dimensionSetLines":[{dims}]}}'
    )


def money(cents: int) -> str:
    """Return cents as the shortest exact JSON number."""
    return format((Decimal(cents) / 100).normalize(), "f") if cents else "0"


def write_pages(folder: Path, rows: int) -> Decimal:
    """Write all pages and return the sum of debits."""
    total = 0
    for page, start in enumerate(range(1, rows + 1, PAGE)):
        lines = []
        for number in range(start, min(start + PAGE, rows + 1)):
            cents = (number * 7919 % 999_983) - 499_991
            total += max(cents, 0)
            lines.append(row(number, cents))
        (folder / f"{page}.json").write_text(",".join(lines))
    return Decimal(total) / 100


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path
    pages: int
    delay: float
    requests = 0
    logins = 0

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        type(self).requests += 1
        if re.search(r"/generalLedgerEntries(\?|$)", self.path):
            self.page(int((re.search(r"skiptoken=(\d+)", self.path) or [0, 0])[1]))
        elif "/tasks/" in self.path:
            result = {"successful": True, "objectId": IMPORT, "failureDumpAvailable": False, "details": []}
            self.json({"task": {"taskId": TASK, "taskState": "COMPLETE", "progress": 1.0, "result": result}})
        elif self.path == "/stats":
            self.json({"requests": self.requests - 1, "logins": self.logins})
        else:
            self.json({"status": {"code": 404, "message": "Not Found"}}, 404)

    def page(self, number: int) -> None:
        time.sleep(self.delay)
        port = self.server.server_address[1]
        following = ""
        if number + 1 < self.pages:
            entries = f"http://127.0.0.1:{port}/api/v2.0/companies({COMPANY})/generalLedgerEntries"
            following = f',"@odata.nextLink":"{entries}?aid=FIN&$skiptoken={number + 1}"'
        head, tail = b'{"@odata.context":"x","value":[', f"]{following}}}".encode()
        body = (self.folder / f"{number}.json").read_bytes()
        self.send(200, len(head) + len(body) + len(tail), "application/json")
        self.wfile.write(head)
        self.wfile.write(body)
        self.wfile.write(tail)

    def do_POST(self) -> None:
        type(self).requests += 1
        self.body()
        if self.path.endswith("/token/authenticate"):
            type(self).logins += 1
            token = {"expiresAt": int(time.time() * 1000) + 2_100_000, "tokenId": "t", "tokenValue": "bare"}
            self.json({"status": "SUCCESS", "tokenInfo": token}, 201)
        elif self.path.rstrip("/").endswith("/tasks"):
            self.json({"task": {"taskId": TASK}})
        elif "/files/" in self.path:
            self.json({"file": {"id": FILE, "name": "lines.csv", "chunkCount": 1}})
        else:
            self.json({"status": {"code": 404, "message": "Not Found"}}, 404)

    def do_PUT(self) -> None:
        type(self).requests += 1
        number = (re.search(r"/chunks/(\d+)", self.path) or [0, 0])[1]
        kind = "gz" if "gzip" in (self.headers.get("Content-Type") or "") else "csv"
        with (self.folder / f"chunk.{int(number):04d}.{kind}").open("wb") as file:
            self.body(file.write)
        self.send(204, 0, "text/plain")

    def body(self, keep=lambda block: None) -> None:
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            while size := int(self.rfile.readline(), 16):
                keep(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            block = self.rfile.read(min(left, 1 << 20))
            left -= len(block)
            keep(block)

    def json(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send(status, len(body), "application/json")
        self.wfile.write(body)

    def send(self, status: int, size: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(size))
        self.end_headers()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    debits = write_pages(args.folder, args.rows)
    Handler.folder, Handler.delay, Handler.pages = args.folder, args.delay, -(-args.rows // PAGE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    root = f"http://127.0.0.1:{server.server_address[1]}"
    described = {
        "erp_url": f"{root}/api/v2.0",
        "company_id": COMPANY,
        "anaplan_api_url": f"{root}/2/0",
        "anaplan_auth_url": root,
        "workspace_id": WORKSPACE,
        "model_id": MODEL,
        "file_id": FILE,
        "import_id": IMPORT,
        "debits": str(debits),
        "stats": f"{root}/stats",
    }
    sys.stdout.write(json.dumps(described) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
