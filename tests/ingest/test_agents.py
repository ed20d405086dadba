"""Agents' logs: the reference homes with their known truth, and the pitfalls one by one."""

import io
import json
import sqlite3

import pytest
import zstandard
from recorded import RECORDINGS

from joulebook.errors import InputBroken
from joulebook.ingest.reader import ReadOptions, detect, read_path, reader
from joulebook.store.store import Store
from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES

CLASSES = dict(zip(("in", "read", "write", "out", "reasoning"), TOKEN_CLASSES, strict=True))


def lines(*entries):
    """Entries as JSON lines."""
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def parse(name, *contents):
    """Rows that a book keeps of several files, and the findings."""
    kept, findings = {}, []
    for content in contents:
        for row in reader(name).parse(io.BytesIO(content), ReadOptions(file="f.jsonl")):
            if isinstance(row, Finding):
                findings.append(row.rule)
            else:
                kept.setdefault(row["usage_key"], row)
    return list(kept.values()), findings


def total(rows, word):
    """Sum of one class, unknown counted as nothing."""
    return sum(row.get(CLASSES[word]) or 0 for row in rows)


def answer(message_id="msg_1", output=5, **changes):
    """A line of Claude Code."""
    usage = {"input_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 3, "output_tokens": output}
    message = {"id": message_id, "model": "claude-sonnet-4-5", "usage": usage}
    entry = {"type": "assistant", "sessionId": "s", "timestamp": "2026-01-01T00:00:00Z", "message": message}
    return {**entry, **changes}


def totals(tokens_in, cached, out, reasoning=0):
    """A usage block of Codex."""
    return {
        "input_tokens": tokens_in,
        "cached_input_tokens": cached,
        "output_tokens": out,
        "reasoning_output_tokens": reasoning,
        "total_tokens": tokens_in + out,
    }


def token_count(total_usage, last=None, at="2026-01-01T00:00:00Z"):
    """A token_count event of Codex."""
    info = {"total_token_usage": total_usage, "last_token_usage": last}
    return {"timestamp": at, "type": "event_msg", "payload": {"type": "token_count", "info": info}}


def meta(session="a", **payload):
    """The first line of a rollout."""
    return {"timestamp": "2026-01-01T00:00:00Z", "type": "session_meta", "payload": {"id": session, **payload}}


def test_reference_homes(shared_data):
    """The reference logs give exactly their known truth, whatever is streamed, copied or emitted again in them."""
    home = shared_data / "usage" / "agents"
    kept = {"claude-code": {}, "codex": {}}
    for name, folder in (("claude-code", "claude_code_home"), ("codex", "codex_home")):
        for path in sorted((home / folder).rglob("*.jsonl")):
            for row in read_path(name, path):
                assert not isinstance(row, Finding)
                kept[name].setdefault(row["usage_key"], row)
    claude, codex = (list(rows.values()) for rows in kept.values())
    assert {word: total(claude, word) for word in ("in", "write", "read", "out")} == {
        "in": 32,
        "write": 240,
        "read": 4500,
        "out": 340,
    }
    assert (total(codex, "in"), total(codex, "read")) == (500, 2500)
    assert total(codex, "out") + total(codex, "reasoning") == 300


def test_streamed_lines_count_once():
    """An answer written several times while it streams counts once, with its last output."""
    rows, _ = parse("claude-code", lines(answer(output=1), answer(output=50), answer(output=200), answer(output=200)))
    assert (len(rows), total(rows, "in"), total(rows, "out")) == (1, 1, 200)


def test_streamed_lines_out_of_order():
    """The line with the most output counts, wherever it stands."""
    rows, _ = parse("claude-code", lines(answer(output=200), answer(output=1)))
    assert total(rows, "out") == 200


def test_forked_session_counts_once():
    """The same answer in the file of a session and of its copy is one use."""
    rows, _ = parse("claude-code", lines(answer(sessionId="s1")), lines(answer(sessionId="s2")))
    assert len(rows) == 1


def test_sidechain_copy_under_another_request_counts_once():
    """A subagent's copy of its parent's answer, with another request id, is the same use."""
    rows, _ = parse(
        "claude-code", lines(answer(requestId="r1")), lines(answer(requestId="r2", isSidechain=True, sessionId="s"))
    )
    assert len(rows) == 1


def test_gateway_ids_that_come_again_are_two_uses():
    """Message ids of gateways are only known within a session."""
    rows, _ = parse("claude-code", lines(answer("gw-1", sessionId="s1")), lines(answer("gw-1", sessionId="s2")))
    assert len(rows) == 2


def test_api_errors_are_no_use():
    """Messages that the tool makes itself when a request fails are passed over."""
    error = answer("e", isApiErrorMessage=True)
    synthetic = answer("e2", message={"id": "e2", "model": "<synthetic>", "usage": {"input_tokens": 0}})
    assert parse("claude-code", lines(error, synthetic)) == ([], [])


def test_progress_lines_are_no_use():
    """A progress line that repeats a subagent's message inside is passed over."""
    inner = {"message": {"message": {"id": "msg_9", "usage": {"input_tokens": 5, "output_tokens": 5}}}}
    assert parse("claude-code", lines({"type": "progress", "data": inner})) == ([], [])


def test_the_word_usage_in_a_prompt_is_no_use():
    """A prompt that speaks of usage is not taken for one."""
    assert parse("claude-code", lines({"type": "user", "message": {"content": 'the "usage" field'}})) == ([], [])


def test_input_without_cache_stays_as_it_is():
    """Anthropic's input has no cache in it; nothing is taken off."""
    rows, _ = parse("claude-code", lines(answer()))
    assert (total(rows, "in"), total(rows, "read"), total(rows, "write")) == (1, 2, 3)


def test_hosts_by_message_id():
    """Bedrock and Vertex are told from Anthropic by the message id; a foreign model has no known host."""
    hosts = {}
    for identity, model in (
        ("msg_1", "claude-opus-4-5"),
        ("msg_bdrk_1", "claude-opus-4-5"),
        ("msg_vrtx_1", "claude-opus-4-5"),
        ("msg_2", "glm-4.6"),
    ):
        message = {"id": identity, "model": model, "usage": {"output_tokens": 1}}
        rows, _ = parse("claude-code", lines(answer(message=message)))
        hosts[identity] = rows[0].get("provider")
    assert hosts == {"msg_1": "anthropic", "msg_bdrk_1": "aws", "msg_vrtx_1": "gcp", "msg_2": None}


def test_totals_emitted_again_count_once():
    """Codex emits its totals again without progress; only growth is a use."""
    first = totals(1000, 800, 100, 40)
    rows, _ = parse(
        "codex",
        lines(meta(), token_count(first, first), token_count(first, first), token_count(totals(3000, 2500, 300, 40))),
    )
    assert (len(rows), total(rows, "in"), total(rows, "read")) == (2, 500, 2500)


def test_totals_that_begin_anew():
    """When the totals fall, counting began anew and the last use is taken."""
    rows, _ = parse(
        "codex",
        lines(
            meta(),
            token_count(totals(1000, 0, 10), totals(1000, 0, 10)),
            token_count(totals(400, 0, 5), totals(400, 0, 5)),
        ),
    )
    assert (total(rows, "in"), total(rows, "out")) == (1400, 15)


def test_a_resumed_total_is_not_a_use():
    """A file whose first total contains an earlier session counts only the last use."""
    rows, _ = parse("codex", lines(meta(), token_count(totals(9000, 0, 900), totals(1000, 0, 100))))
    assert (total(rows, "in"), total(rows, "out")) == (1000, 100)


def test_a_fork_begins_with_its_parents_events():
    """The parent's events that a forked session repeats under new times are booked once."""
    events = [
        token_count(totals(1000, 0, 10), totals(1000, 0, 10)),
        token_count(totals(3000, 0, 30), totals(2000, 0, 20)),
    ]
    again = [{**event, "timestamp": "2026-02-02T00:00:00Z"} for event in events]
    own = token_count(totals(3500, 0, 35), totals(500, 0, 5), at="2026-02-02T00:01:00Z")
    rows, _ = parse("codex", lines(meta("a"), *events), lines(meta("b", forked_from_id="a"), *again, own))
    assert (len(rows), total(rows, "in"), total(rows, "out")) == (3, 3500, 35)
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "a"}}}
    rows, _ = parse("codex", lines(meta("a"), *events), lines(meta("c", source=spawned), *again, own))
    assert total(rows, "in") == 3500


def test_response_records_replace_totals():
    """From the first token_usage_record on, responses count by their id and totals are passed over."""
    record = {
        "timestamp": "2026-01-01T00:00:01Z",
        "type": "token_usage_record",
        "payload": {"response_id": "resp_1", "usage": totals(500, 100, 60, 10)},
    }
    rows, _ = parse("codex", lines(meta(), record, token_count(totals(500, 100, 60, 10)), record))
    assert (len(rows), total(rows, "in"), total(rows, "out"), total(rows, "reasoning")) == (1, 400, 50, 10)


def test_a_response_record_without_an_id_is_a_use():
    """A record whose response has no id is known by what its thread used so far: booked, and once."""

    def record(count):
        usage = totals(500 * count, 100, 60)
        payload = {"thread_id": "a", "turn_id": "t", "response_id": "", "usage": totals(500, 100, 60)}
        return {"timestamp": AT, "type": "token_usage_record", "payload": {**payload, "thread_token_usage": usage}}

    rows, _ = parse("codex", lines(meta(), record(1), record(2), record(2)))
    assert (len(rows), total(rows, "in"), total(rows, "out")) == (2, 800, 120)


AT = "2026-01-01T00:00:01Z"


def opencode_message(**changes):
    """An answer of opencode."""
    tokens = {"input": 12, "output": 34, "reasoning": 0, "cache": {"read": 500, "write": 60}}
    times = {"created": 1762995600000, "completed": 1762995605000}
    message = {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "modelID": "m", "providerID": "p"}
    return json.dumps({**message, "time": times, "tokens": tokens, "cost": 0.1, **changes}).encode()


def test_a_forked_session_of_opencode_counts_once():
    """The copies of messages that a fork begins with, under new ids, are the same answers."""
    fork = opencode_message(id="msg_9", sessionID="ses_2", parentID="msg_8")
    rows, findings = parse("opencode", opencode_message(), fork)
    assert (len(rows), findings) == (1, [])


def test_answers_of_opencode_at_other_times_are_two():
    """Two answers with equal counts are two uses."""
    later = opencode_message(id="msg_2", time={"created": 1762995700000, "completed": 1762995705000})
    assert len(parse("opencode", opencode_message(), later)[0]) == 2


def test_calls_of_goose_count_instead_of_their_sessions_totals():
    """Where Goose keeps a ledger, each call is a row with its own model and time, and the totals are passed over."""
    content = next(one for one in RECORDINGS if one.file == "goose-ledger.sql").content()
    rows = list(reader("goose").parse(io.BytesIO(content), ReadOptions()))
    told = [(row.get("model"), row["started_at"].year, total([row], "in"), row.get("counter_hash")) for row in rows]
    assert [one[:3] for one in told] == [
        ("gpt-5.4", 2026, 8310),
        ("gpt-5.4-mini", 2026, 207),
        ("gpt-5.4", 2026, 13),
        ("gpt-5", 2025, 500),
    ]
    assert [one[3] is not None for one in told] == [False, False, False, True]


def test_model_changes_within_a_session():
    """Each use has the model of the turn context before it."""
    contexts = [{"type": "turn_context", "timestamp": "2026-01-01T00:00:00Z", "payload": {"model": m}} for m in "ab"]
    rows, _ = parse(
        "codex",
        lines(meta(), contexts[0], token_count(totals(1, 0, 1)), contexts[1], token_count(totals(2, 0, 2))),
    )
    assert [row["model"] for row in rows] == ["a", "b"]


def test_unknown_model_stays_unknown():
    """A session that names no model gives rows without one; none is guessed."""
    rows, _ = parse("codex", lines(meta(), token_count(totals(1, 0, 1))))
    assert rows[0].get("model") is None


def test_negative_counts_are_findings():
    """A count below zero is refused and told."""
    message = {"id": "msg_1", "model": "m", "usage": {"input_tokens": -5, "output_tokens": 1}}
    assert parse("claude-code", lines(answer(message=message))) == ([], ["negative"])


def test_a_line_being_written_is_told():
    """A last line that is not complete is a finding; the lines before it are booked."""
    rows, findings = parse("claude-code", lines(answer()) + b'{"type":"assistant","mess')
    assert (len(rows), findings) == (1, ["truncated"])


def said(text, **more):
    """A line of Codex that holds what was said, as it writes it."""
    content = [{"type": "input_text", "text": text}]
    payload = {"type": "message", "role": "user", "content": content, **more}
    entry = {"timestamp": "2026-11-11T01:00:01.000Z", "type": "response_item", "payload": payload}
    return json.dumps(entry, separators=(",", ":")).encode()


def compact(entry):
    """An entry as the agents write it, with its end."""
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


CUTS = {"content": said("hello " * 4000)[:9000], "short": said("hello")[:40], "before its type": b'{"timestamp":"2026-'}


@pytest.mark.parametrize("torn", CUTS.values(), ids=CUTS)
def test_the_record_after_a_torn_one_is_read(torn):
    """A line that breaks off with the next record in it is told, and the next record counts."""
    content = compact(meta()) + torn + compact(token_count(totals(10, 4, 3))) + compact(token_count(totals(30, 4, 5)))
    rows, findings = parse("codex", content)
    assert (total(rows, "in"), total(rows, "read"), total(rows, "out")) == (26, 4, 5)
    assert findings == ["torn-line"]


def test_a_torn_answer_of_claude_code():
    """Of an answer cut off before its counts, with the next in its line, the loss is told and the next is read."""
    first = compact({"parentUuid": None, **answer("msg_1")})
    second = compact({"parentUuid": "a", **answer("msg_2")})
    for cut in (first[: first.index(b'"usage"')], first[:-30], first[:20]):
        rows, findings = parse("claude-code", cut + second)
        assert (len(rows), findings) == (1, ["torn-line"])
        rows, findings = parse("claude-code", cut + second[:-1])
        assert (len(rows), findings) == (1, ["torn-line"])


def test_two_torn_records_in_a_line():
    """Where the second breaks off as well, the line is told and the lines after it are read."""
    content = said("hello")[:150] + compact(token_count(totals(10, 4, 3)))[:-9] + b"\n"
    rows, findings = parse("codex", content + compact(token_count(totals(30, 4, 5))))
    assert (total(rows, "in"), findings) == (26, ["not-json"])


def test_a_record_told_in_a_text_is_no_record():
    """Text that looks like a record, and an object of a tool that begins like one, are told as nothing."""
    record = compact(token_count(totals(10, 4, 3))).decode()
    inside = said("x", result={"timestamp": "2026-11-11T01:00:01.000Z", "value": 1})
    content = said(record) + b"\n" + inside + b"\n" + said(record) + b"\n"
    assert parse("codex", content + compact(token_count(totals(30, 4, 5))))[1] == []


def test_a_torn_line_does_not_hide_a_cut_off_end():
    """After a torn line, a last line without end is told as cut off too."""
    content = said("hello")[:150] + compact(token_count(totals(10, 4, 3))) + b'{"timestamp":"2026-11'
    assert parse("codex", content)[1] == ["torn-line", "truncated"]


def test_a_message_being_written_waits():
    """An opencode message that is not completed is not booked, for its counts still grow."""
    message = {
        "id": "m",
        "role": "assistant",
        "modelID": "x",
        "time": {"created": 1762995600000},
        "tokens": {"output": 5},
    }
    assert parse("opencode", json.dumps(message).encode()) == ([], [])


def test_database_with_its_journal(tmp_path):
    """An opencode database that is open elsewhere, with rows still in its journal, is read whole and left unchanged."""
    path = tmp_path / "opencode.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE message (id text, session_id text, data text)")
    message = {
        "role": "assistant",
        "time": {"created": 1762995600000, "completed": 1762995600001},
        "tokens": {"output": 5},
    }
    writer.execute("INSERT INTO message VALUES ('m', 's', ?)", (json.dumps(message),))
    writer.commit()
    rows = list(read_path("opencode", path))
    writer.close()
    assert [row["visible_output_tokens"] for row in rows] == [5]


def test_packed_rollouts(tmp_path):
    """A rollout that Codex packed with Zstandard gives the rows of the plain one; both together count once."""
    content = lines(meta(), token_count(totals(1000, 800, 100, 40)))
    plain, packed = tmp_path / "rollout-a.jsonl", tmp_path / "rollout-b.jsonl.zst"
    plain.write_bytes(content)
    half = len(content) // 2
    packed.write_bytes(zstandard.compress(content[:half]) + zstandard.compress(content[half:]))
    assert list(read_path("codex", packed)) == list(read_path("codex", plain))
    assert next(one.name for one in detect(packed)) == "codex"


def test_damaged_packed_rollout(tmp_path):
    """A packed rollout that is damaged is one clear error; one that breaks off keeps what came before."""
    content = lines(meta(), *(token_count(totals(number, 0, number)) for number in range(1, 5000)))
    packed = zstandard.compress(content)
    path = tmp_path / "rollout-b.jsonl.zst"
    path.write_bytes(packed[:5] + b"\xff" * 40 + packed[45:])
    with pytest.raises(InputBroken):
        list(read_path("codex", path))
    path.write_bytes(packed[: len(packed) // 2])
    assert all(not isinstance(row, Finding) or row.rule == "truncated" for row in read_path("codex", path))


def test_sessions_of_goose_grow(tmp_path):
    """Of a Goose session that went on after it was booked, only the growth is booked."""
    content = next(one for one in RECORDINGS if one.file == "goose.jsonl").content()
    path, store = tmp_path / "goose.jsonl", Store(tmp_path / "book")
    grown = content.replace(b'"accumulated_input_tokens":7287', b'"accumulated_input_tokens":9000')
    for text in (content, grown, content, grown):
        path.write_bytes(text)
        rows = [row for row in read_path("goose", path) if not isinstance(row, Finding)]
        store.append_rows("usage", rows, unique="usage_key", info={})
    kept = store.rows(store.table("usage"))
    assert [(row["uncached_input_tokens"], row["visible_output_tokens"], row["request_count"]) for row in kept] == [
        (7287, 241, 2),
        (1713, 0, 1),
    ]
    assert kept[1]["started_at"] == kept[0]["ended_at"]
    store.close()


def test_steps_of_cursor():
    """A step of Cursor reads all said before it; tool calls belong to it, and counts that are told are taken."""
    content = next(one for one in RECORDINGS if one.file == "cursor.sql").content()
    rows = [row for row in reader("cursor").parse(io.BytesIO(content), ReadOptions()) if not isinstance(row, Finding)]
    told = [(row["uncached_input_tokens"], row["visible_output_tokens"], row["tier"], row.get("model")) for row in rows]
    assert told == [
        (4, 7, "estimated", "claude-4.5-sonnet"),
        (14, 1, "estimated", "claude-4.5-sonnet"),
        (2200, 40, "measured", "gpt-5.2"),
        (1, 2, "estimated", None),
    ]


def test_damaged_database(tmp_path):
    """A database that is damaged is one clear error."""
    path = tmp_path / "opencode.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\x01" * 4000)
    with pytest.raises(InputBroken):
        list(read_path("opencode", path))


def test_database_with_damaged_names():
    """A database whose names are no text any more is one clear error."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE message (id text, session_id text, data text)")
    content = database.serialize().replace(b"session_id", b"session\x82id")
    database.close()
    with pytest.raises(InputBroken):
        list(reader("opencode").parse(io.BytesIO(content), ReadOptions(file="opencode.db")))


def test_cache_writes_by_lifetime_are_not_added_again():
    """What was written to the cache stands once in all and once by lifetime; it counts once."""
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "output_tokens": 5,
    }
    rows, _ = parse("claude-code", lines(answer(message={"id": "msg_1", "model": "claude-opus-4-5", "usage": usage})))
    assert total(rows, "write") == 300


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ({"input": 100, "cached": 40, "output": 20, "thoughts": 30, "tool": 0, "total": 150}, (60, 40, 20, 30)),
        ({"input": 100, "cached": 40, "output": 50, "thoughts": 30, "tool": 0, "total": 150}, (60, 40, 20, 30)),
        ({"input": 60, "cached": 40, "output": 20, "thoughts": 30, "tool": 0, "total": 150}, (60, 40, 20, 30)),
        ({"input": 100, "cached": 40, "output": 20, "thoughts": 30, "tool": 7, "total": 157}, (67, 40, 20, 30)),
    ],
    ids=["beside output", "inside output", "cache beside input", "input of tools"],
)
def test_the_total_says_what_contains_what(tokens, told):
    """Hidden reasoning and cache stand inside or beside, by version; where a total is given, it decides."""
    message = {"id": "m", "type": "gemini", "timestamp": "2026-01-01T00:00:00Z", "model": "gemini-3-pro"}
    chat = {"sessionId": "s", "projectHash": "p", "messages": [{**message, "tokens": tokens}]}
    found = list(reader("gemini-cli").parse(io.BytesIO(json.dumps(chat).encode()), ReadOptions(file="f.json")))
    assert tuple(total(found, word) for word in ("in", "read", "out", "reasoning")) == told


def test_a_resumed_session_that_ends_again_adds_its_growth():
    """Copilot CLI tells the counts of the session so far at each end: the second end adds only what is new."""

    def end(event, tokens_in, out):
        usage = {"inputTokens": tokens_in, "cacheReadTokens": 0, "cacheWriteTokens": 0, "outputTokens": out}
        metrics = {"gpt-5.2": {"requests": {"count": out}, "usage": usage}}
        at = f"2026-01-0{event}T00:00:00Z"
        return {"type": "session.shutdown", "id": f"e{event}", "timestamp": at, "data": {"modelMetrics": metrics}}

    rows, _ = parse("copilot-cli", lines(end(1, 1000, 10), end(2, 1500, 14)))
    assert (total(rows, "in"), total(rows, "out"), [row["request_count"] for row in rows]) == (1500, 14, [10, 4])


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_session_without_totals_is_told(is_ended):
    """What an open or crashed session of Copilot CLI used is unknown, which is told and not passed over."""
    start = {"type": "session.start", "timestamp": "2026-11-14T01:00:00Z", "data": {"sessionId": "c1"}}
    message = {"type": "assistant.message", "timestamp": "2026-11-14T01:00:05Z", "data": {"outputTokens": 90}}
    metrics = {"m": {"requests": {"count": 1}, "usage": {"inputTokens": 9, "outputTokens": 90}}}
    end = {"type": "session.shutdown", "timestamp": "2026-11-14T01:01:00Z", "data": {"modelMetrics": metrics}}
    rows, rules = parse("copilot-cli", lines(start, message, *([end] if is_ended else [])))
    assert (len(rows), rules) == ((1, []) if is_ended else (0, ["session-open"]))
