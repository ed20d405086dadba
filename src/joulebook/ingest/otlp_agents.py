"""Telemetry of coding agents: their events and their own spans of one request.

An agent that sends several signals tells each request several times: of a request that an event told, the span is left
out, by the request's id, or where it has none by the agent's session.

GitHub Copilot CLI tells requests by spans of the common conventions, and its log sums of a session: a session of one
request is known by its counts, the others are held apart by their time (`joulebook.store.overlap`).

Of Gemini CLI and Qwen Code the event's total says whether hidden reasoning stands inside the output or beside it.

Checked against: ``telemetry/types.ts`` and ``loggers.ts`` of Gemini CLI and Qwen Code (2026). Sources: Claude Code
documentation, "Monitoring", events and traces; Gemini CLI documentation, "Telemetry"; Codex documentation,
"Observability".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from joulebook.ingest.agents.gemini_cli import gemini_counts
from joulebook.ingest.identity import request_hash, use_hash
from joulebook.ingest.otlp_values import attributes, nanoseconds, number, owner
from joulebook.ingest.otlp_words import AGENT_EVENTS, AGENT_SERVICES, AGENT_SPANS, TOOLS, TOTALLED, USE_WORDS
from joulebook.ingest.records import Record

Told = dict[str, object]

SUMMED = {"copilot-cli": ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")}
"""Agents whose log tells sums of a session: fields by which a session of one request is known in both."""


class AgentSignals:
    """What agents told in one file, by which signal.

    Attributes:
        requests: hashes of the requests that events told.
        sessions: agent and session of the events; the agent alone too.
    """

    def __init__(self) -> None:
        self.requests: set[str] = set()
        self.sessions: set[tuple[str, object]] = set()
        self._spans: list[tuple[tuple[str, object], Record]] = []

    def event(self, event: Mapping[str, Any], resource: Mapping[str, Any]) -> Told | None:
        """The use that an agent's event tells."""
        known = attributes(event)
        body = event.get("body")
        said = body.get("stringValue") if isinstance(body, dict) else None
        service = AGENT_SERVICES.get(str(resource.get("service.name")), "")
        names = {str(name) for name in (known.get("event.name"), event.get("eventName"), said) if name}
        names |= {f"{start}.{name}" for name in names for start in (service, service.replace("-", "_")) if service}
        name = next((known_name for known_name in AGENT_EVENTS if known_name in names), None)
        if name is None:
            return None
        at = event.get("timeUnixNano") or event.get("observedTimeUnixNano")
        record = _told(name, AGENT_EVENTS[name], known)
        if record is None:
            return None
        session = _session(known)
        if known.get(AGENT_EVENTS[name].get("request", "")) is None:
            record["request_id"] = f"{session}:{at}:{known.get('event.sequence')}"
        record["started_at"] = nanoseconds(at)
        agent = TOOLS[name.partition(".")[0]]
        self.sessions |= {(agent, session), (agent, None)}
        if isinstance(record["request_hash"], str):
            self.requests.add(record["request_hash"])
        return {**record, **owner(resource)}

    def hold(self, line: int | None, span: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
        """Keep a span of an agent's own form until all events are known; whether it is one."""
        name = str(span.get("name") or "")
        if name not in AGENT_SPANS:
            return False
        known = attributes(span)
        record = _told(name, AGENT_SPANS[name], known)
        if record is not None:
            if known.get("request_id") is None:
                record["request_id"] = f"{span.get('traceId')}:{span.get('spanId')}"
            record["started_at"] = nanoseconds(span.get("startTimeUnixNano"))
            record["ended_at"] = nanoseconds(span.get("endTimeUnixNano"))
            record |= owner(resource)
            self._spans.append(((TOOLS[name.partition(".")[0]], _session(known)), (line, record)))
        return True

    def hold_common(
        self, line: int | None, record: Told, known: Mapping[str, Any], resource: Mapping[str, Any]
    ) -> bool:
        """Keep a span of the common conventions where an agent sent it; whether one did."""
        agent = AGENT_SERVICES.get(str(resource.get("service.name")))
        if agent is None:
            return False
        session, told = _session(known), (record.get(name) for name in SUMMED.get(agent, ()))
        hashed = use_hash(agent, session, record.get("model"), told) if agent in SUMMED else None
        self._spans.append(((agent, session), (line, {**record, "tool": agent, "use_hash": hashed})))
        return True

    def rest(self) -> Iterator[Record]:
        """The spans of requests that no event told."""
        for session, (line, record) in self._spans:
            told = record.get("request_hash")
            if told not in self.requests if told and self.requests else session not in self.sessions:
                yield line, record


def _told(name: str, words: Mapping[str, str], known: Mapping[str, Any]) -> Told | None:
    """Counts, model, ids and agent of an event or a span; None where it has no counts."""
    record: Told = {ours: known.get(theirs) for ours, theirs in words.items()}
    if all(cell is None for field, cell in record.items() if field.endswith("_tokens")):
        return None
    totalled = TOTALLED.get(name)
    if totalled is not None:
        counts = gemini_counts({word: number(known.get(word)) for word in totalled}, totalled)
        record = {field: cell for field, cell in record.items() if not field.endswith("_tokens")} | counts
    request = record.pop("request", None)
    agent = TOOLS[name.partition(".")[0]]
    record["tool"] = agent
    record["request_id"] = str(request) if request else None
    record["request_hash"] = request_hash(request)
    told = (known.get(word) for word in USE_WORDS[agent])
    record["use_hash"] = use_hash(agent, _session(known), record.get("model"), told)
    return record


def _session(known: Mapping[str, Any]) -> object:
    return next(
        (known[name] for name in ("session.id", "conversation.id", "gen_ai.conversation.id") if name in known), None
    )
