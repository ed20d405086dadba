"""Stub services on the loopback interface, and clients whose pauses are only written down."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from joulebook.live.client import Client

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Answer = tuple[int, dict[str, str], bytes]


class Stub:
    """A service that answers as a test tells it to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.answer: Callable[[str, dict[str, str], dict[str, str]], Answer] = lambda *_: (404, {}, b"")
        self.url = ""

    def says(self, *answers: object) -> None:
        """Give these answers one after the other; the last one for ever."""
        left = list(answers)

        def give(*_: object) -> Answer:
            return as_answer(left.pop(0) if len(left) > 1 else left[0])

        self.answer = give


def as_answer(found: object) -> Answer:
    """JSON for an object, a status for a number, XML or any text for a text."""
    if isinstance(found, tuple):
        status, headers = found
        return status, headers, b"{}"
    if isinstance(found, int):
        return found, {}, b'{"error": "no"}'
    return 200, {}, found.encode() if isinstance(found, str) else json.dumps(found).encode()


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A running service."""
    service = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            service.asked.append((parts.path, query, dict(self.headers)))
            status, headers, body = service.answer(parts.path, query, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pauses() -> list[float]:
    """What a client would have waited."""
    return []


@pytest.fixture
def client(stub: Stub, pauses: list[float]) -> Client:
    """A client of the stub that waits for nothing."""
    return Client("stub", stub.url, has_key=True, timeout_s=5.0, wait=pauses.append, now=lambda: NOW)
