"""Asking a service over HTTP: one timeout for everything, few tries, and errors that never show a key."""

import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from typing import IO

from joulebook.errors import translatable
from joulebook.live.faults import (
    LiveBusy,
    LiveFailed,
    LiveInsecure,
    LiveNotFound,
    LiveRefused,
    LiveUnreachable,
    LiveUnreadable,
)

TIMEOUT_S = 20.0
TRIES = 3
LONGEST_WAIT_S = 60.0
"""A service that asks for a longer pause is told to the user instead of being waited for."""

AGENT = "joulebook (an open account book; it asks only when its user does)"
MOST_BYTES = 64_000_000
SILENT = translatable("no answer in time")
NAMELESS = translatable("the name of the service cannot be resolved")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to an address nobody chose."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002  (urllib's signature)
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        """Follow nothing."""
        return


@dataclass
class Client:
    """Asks one service.

    Attributes:
        source: its name, for messages.
        url: its address.
        has_key: True where a key is sent, which then must not travel in the clear.
        timeout_s: for each answer [s].
        wait: pauses for some seconds.
        now: gives the time.
    """

    source: str
    url: str
    has_key: bool = False
    timeout_s: float = TIMEOUT_S
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _utc_now
    _opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(_NoRedirect), repr=False
    )

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        is_near = parts.hostname in LOOPBACK
        if parts.scheme not in {"http", "https"} or (parts.scheme == "http" and self.has_key and not is_near):
            raise LiveInsecure(source=self.source, url=f"{parts.scheme}://{parts.hostname}")

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        also: tuple[int, ...] = (),
    ) -> bytes:
        """The body of an answer.

        Args:
            path: below the address.
            params: the query.
            headers: what else is sent, such as a token.
            also: statuses beside 200 whose body is wanted, too.

        Raises:
            LiveRefused: 401 or 403; the key is missing, wrong, or not for this.
            LiveNotFound: 404.
            LiveBusy: 429, and the pause that is asked for is too long or did not help.
            LiveFailed: any other status, after some tries where it is the service's fault.
            LiveUnreachable: no answer in time.
        """
        query = "?" + urllib.parse.urlencode(params, safe=":[],") if params else ""
        request = urllib.request.Request(  # noqa: S310  (http and https only, see __post_init__)
            f"{self.url.rstrip('/')}{path}{query}",
            headers={"User-Agent": AGENT, **(headers or {})},
        )
        for attempt in range(1, TRIES + 1):
            status, body, pause = self._once(request)
            if status == HTTPStatus.OK or status in also:
                return body
            is_last = attempt == TRIES
            if status == HTTPStatus.TOO_MANY_REQUESTS and not is_last and pause <= LONGEST_WAIT_S:
                self.wait(pause)
            elif status >= HTTPStatus.INTERNAL_SERVER_ERROR and not is_last:
                self.wait(min(max(pause, float(attempt)), LONGEST_WAIT_S))
            else:
                self._refuse(status, pause)
        raise LiveFailed(source=self.source, status=status)

    def _once(self, request: urllib.request.Request) -> tuple[int, bytes, float]:
        """Status, body and the pause that is asked for [s]."""
        try:
            with self._opener.open(request, timeout=self.timeout_s) as answer:
                return answer.status, self._whole(answer.read(MOST_BYTES + 1)), 0.0
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read(MOST_BYTES), self._pause(answer.headers.get("Retry-After"))
        except TimeoutError:
            raise LiveUnreachable(source=self.source, reason=SILENT) from None
        except urllib.error.URLError as error:
            raise LiveUnreachable(source=self.source, reason=_reason(error.reason)) from None
        except (OSError, HTTPException) as error:
            raise LiveUnreachable(source=self.source, reason=_reason(error)) from None

    def _whole(self, body: bytes) -> bytes:
        if len(body) > MOST_BYTES:
            raise LiveUnreadable(source=self.source, reason=translatable("far too long"))
        return body

    def _pause(self, text: str | None) -> float:
        """Seconds of a Retry-After header, which gives seconds or a date; one second where it is absent."""
        if not text:
            return 1.0
        if text.strip().isdigit():
            return float(text)
        try:
            return max((parsedate_to_datetime(text) - self.now()).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return 1.0

    def _refuse(self, status: int, pause: float) -> None:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise LiveRefused(source=self.source, status=status)
        if status == HTTPStatus.NOT_FOUND:
            raise LiveNotFound(source=self.source)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise LiveBusy(source=self.source, pause=f"{pause:.0f}")
        raise LiveFailed(source=self.source, status=status)


def _reason(error: object) -> str:
    """What went wrong, without address or query, which may hold a key."""
    if isinstance(error, TimeoutError):
        return SILENT
    if isinstance(error, socket.gaierror):
        return NAMELESS
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
