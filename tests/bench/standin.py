"""A stand-in on loopback that answers CodeArts Build's calls and AWS CodeDeploy's: everything has ended well."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

JOB = "0123456789abcdef0123456789abcdef"
BUILD = 7

_RECORD = {
    "codeci_job_id": JOB,
    "build_no": BUILD,
    "status": "SUCCESS",
    "build_record_id": "1",
    "finish_time": "2026-01-01T00:00:00Z",
}
_STAGES = {"build_stages": {"build": {"sequence": 1, "status": "SUCCESS"}}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Standin"

    def _answer(self) -> None:
        self.server.asked.append(time.monotonic())
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer: dict[str, object] = {"status": "success", "error": None, "result": _RECORD}
        if self.path.endswith("/full-stages"):
            answer = {"status": "success", "error": None, "result": _STAGES}
        elif self.path.endswith("/status"):
            answer = {"result": False}
        elif "X-Amz-Target" in self.headers:
            answer = {"deploymentInfo": {"deploymentId": "d-1", "status": "Succeeded"}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the base class calls them so

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Standin(ThreadingHTTPServer):
    """Serves within a `with` block; `asked` has the instants of the requests, by `time.monotonic`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[float] = []

    @property
    def endpoint(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
