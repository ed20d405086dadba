"""Asking a service: every way it can fail, without waiting and without showing a key."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from joulebook.errors import JoulebookError
from joulebook.live.client import TRIES, Client
from joulebook.live.faults import LiveBusy, LiveFailed, LiveInsecure, LiveNotFound, LiveRefused, LiveUnreachable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "not-for-your-eyes"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, LiveRefused), (403, LiveRefused), (404, LiveNotFound), (400, LiveFailed), (302, LiveFailed)],
)
def test_a_refusal_is_told_at_once(stub, client, pauses, status: int, error: type[JoulebookError]) -> None:
    """A wrong key, a wrong zone, a bad question or a redirect is not asked again, and the key is not in the message."""
    stub.says((status, {"Location": "https://elsewhere.invalid/"}))
    with pytest.raises(error) as caught:
        client.get("/x", {"key": SECRET}, {"auth-token": SECRET})
    assert len(stub.asked) == 1
    assert pauses == []
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert "Next:" in str(caught.value)


def test_a_short_pause_is_kept(stub, client, pauses) -> None:
    """Retry-After in seconds is waited for, then the answer counts."""
    stub.says((429, {"Retry-After": "7"}), {"ok": True})
    assert client.get("/x") == b'{"ok": true}'
    assert pauses == [7.0]


def test_a_pause_may_be_a_date(stub, client, pauses) -> None:
    """Retry-After as a date is counted from the clock that was given."""
    stub.says((429, {"Retry-After": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}), {})
    client.get("/x")
    assert pauses == [9.0]


def test_a_long_pause_is_told_instead_of_waited_for(stub, client, pauses) -> None:
    """A service that wants an hour of peace gets it from the user."""
    stub.says((429, {"Retry-After": "3600"}))
    with pytest.raises(LiveBusy) as caught:
        client.get("/x")
    assert "3600 s" in str(caught.value)
    assert pauses == []


def test_a_service_that_stays_busy_is_left_alone(stub, client) -> None:
    """After some tries nobody asks any more."""
    stub.says((429, {}))
    with pytest.raises(LiveBusy):
        client.get("/x")
    assert len(stub.asked) == TRIES


def test_a_fault_of_the_service_is_tried_again(stub, client, pauses) -> None:
    """500 once is nothing; 503 for ever is an error."""
    stub.says(500, {"ok": 1})
    assert client.get("/x") == b'{"ok": 1}'
    assert pauses == [1.0]
    stub.says(503)
    with pytest.raises(LiveFailed) as caught:
        client.get("/x")
    assert caught.value.facts["status"] == 503


def test_silence_ends_by_itself(pauses) -> None:
    """A service that accepts and says nothing is given up after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LiveUnreachable) as caught:
            Client("stub", url, timeout_s=0.05, wait=pauses.append).get("/x", {"key": SECRET})
    assert "no answer in time" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_nobody_there_is_told() -> None:
    """A refused connection names its reason and what happens without a network."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(LiveUnreachable) as caught:
        Client("stub", f"http://127.0.0.1:{port}", wait=lambda _s: None).get("/x")
    assert "Connection refused" in str(caught.value)


@pytest.mark.parametrize("url", ["http://api.example.org", "ftp://127.0.0.1", "file:///etc/hosts"])
def test_a_key_never_travels_in_the_clear(url: str) -> None:
    """Only https, or this machine itself, is ever sent a key."""
    with pytest.raises(LiveInsecure):
        Client("stub", url, has_key=True)
