"""What the Hub on loopback receives and sends: requests, answers, faults, and the server that carries them.

Nothing of the Hub here: hub_server.py says what is answered.
"""

import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

JSON = {"Content-Type": "application/json; charset=utf-8"}
MESSAGES = {
    401: "Invalid credentials in Authorization header",
    403: "Forbidden: you must use a write token",
    409: "Conflict",
    413: "Payload Too Large",
    429: "We had to rate limit you. To continue using our service, please retry later.",
    500: "Internal Error - We're working hard to fix this as soon as possible!",
    503: "Service Unavailable",
}


@dataclass
class Request:
    """A request as the server got it.

    Attributes:
        path: Without the query, and still quoted.
        authorised: Whether it carried an Authorization header.
        status: Of the answer; `None` where the connection was cut.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    authorised: bool = False
    status: int | None = None
    token: Any = None
    values: dict[str, str] = field(default_factory=dict)  # what the route found in the path

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass
class Answer:
    """What a handler returns that does not simply return JSON."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """See `HubServer.fail`."""

    path: re.Pattern[str]
    method: str | None
    status: int
    headers: dict[str, str]
    message: str
    after: int
    times: int
    drop: bool
    swallow: bool

    def strikes(self, method: str, path: str) -> bool:
        """Whether it hits this request; counts down."""
        if self.method not in (None, method) or not self.path.search(path) or self.times == 0:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # downloads come eight at a time


class Handler(BaseHTTPRequestHandler):
    """One request a connection (HTTP/1.0), so that a server that is stopped is gone for everybody."""

    hub: Any  # the HubServer
    wbufsize = -1  # one packet for headers and body

    def handle_request(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, urlsplit(path).path, parse_qs(query), headers)
        request.authorised = "authorization" in headers
        self.hub.requests.append(request)
        fault = self.hub.fault(request.method, request.path)
        size = int(headers.get("content-length", 0))
        if fault and fault.drop:
            self.rfile.read(size // 2)
            return
        request.body = self.rfile.read(size)
        if len(request.body) < size:  # the client is gone
            return
        if fault and not fault.swallow:
            body = json.dumps({"error": fault.message}).encode()
            answer = Answer(body, fault.status, JSON | {"X-Error-Message": fault.message} | fault.headers)
        else:
            answer = self.hub.answer(request)
            if fault:
                return
        request.status = answer.status
        self.send_response(answer.status)
        number = len(self.hub.requests)
        for name, value in ({"X-Request-Id": f"test-{number}"} | answer.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def log_message(self, *_: object) -> None:
        """`HubServer.requests` has it."""
