"""The same usage through two readers counts once: twins, sums beside requests, running totals."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from joulebook.faces.cli.main import run_command
from joulebook.ingest.imported import sifted
from joulebook.ingest.reader import ReadOptions, read_path
from joulebook.store.store import Store
from joulebook.terms.usage import TOKEN_CLASSES

AT = datetime(2026, 1, 1, 9, 30, 20, tzinfo=UTC)
COUNTS = {"input_tokens": 7, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 9000, "output_tokens": 450}


def nanoseconds(moment):
    """A time as OTLP writes it."""
    return str(round(moment.timestamp() * 1e9))


def attributes(**values):
    """Attributes as OTLP writes them."""
    kinds = {int: "intValue", float: "doubleValue", str: "stringValue"}
    return [
        {"key": name.replace("__", "."), "value": {kinds[type(value)]: str(value) if type(value) is int else value}}
        for name, value in values.items()
        if value is not None
    ]


def openrouter_api(identity="gen-1782618417-NEpXKqXYIDjS7TmNrT9j"):
    """A generation as OpenRouter's API tells it."""
    told = {
        "id": identity,
        "upstream_id": "chatcmpl-791bcf62-080e-4568-87d0-94c72e3b4946",
        "created_at": AT.isoformat(),
        "model": "openai/gpt-oss-120b",
        "native_tokens_prompt": 100,
        "native_tokens_completion": 40,
        "native_tokens_cached": 60,
    }
    return json.dumps({"data": told}) + "\n"


def openrouter_csv(identity="gen-1782618417-NEpXKqXYIDjS7TmNrT9j"):
    """The same generation as a line of the activity export."""
    header = "generation_id,created_at,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug\n"
    return f"{header}{identity},{AT:%Y-%m-%d %H:%M:%S}.713,100,40,0,60,openai/gpt-oss-120b\n"


def client_span(identity="gen-1782618417-NEpXKqXYIDjS7TmNrT9j"):
    """The same generation as the client's trace tells it."""
    words = attributes(
        gen_ai__response__id=identity,
        gen_ai__operation__name="chat",
        gen_ai__usage__input_tokens=100,
        gen_ai__usage__output_tokens=40,
    )
    span = {"traceId": "bb", "spanId": "1", "startTimeUnixNano": nanoseconds(AT), "attributes": words}
    return group("resourceSpans", "scopeSpans", "spans", span, service="shop")


@pytest.mark.parametrize("order", list(permutations(("api", "csv", "trace"))), ids="-".join)
def test_a_generation_of_openrouter_by_api_csv_and_trace(book, order):
    """A generation that OpenRouter's API, its export and the client's trace tell is one use."""
    texts = {"api": ("openrouter", openrouter_api()), "csv": ("openrouter", openrouter_csv())}
    outcomes, tokens = book(*(texts.get(name, ("otlp", client_span())) for name in order))
    assert sum(outcome[0] for outcome in outcomes) == 1
    assert tokens[3] == 40


def helicone(*, has_body, response="8a1d4f0e-0000-4000-8000-000000000001"):
    """A request of Helicone: with the body of its answer as JSON, or as a line of the CSV."""
    if not has_body:
        header = "response_id,request_created_at,response_status,model,prompt_tokens,completion_tokens\n"
        return f"{header}{response},{AT.isoformat()},200,gpt-5.2,100,40\n"
    body = {"id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG", "usage": {"prompt_tokens": 100, "completion_tokens": 40}}
    told = {"response_id": response, "request_id": "r", "request_created_at": AT.isoformat(), "response_status": 200}
    counts = {"prompt_tokens": 100, "completion_tokens": 40}
    return json.dumps({**told, **counts, "response_model": "gpt-5.2", "response_body": body}) + "\n"


@pytest.mark.parametrize("is_csv_first", [True, False])
def test_a_request_of_helicone_with_and_without_its_body(book, is_csv_first):
    """A request that Helicone exports with the supplier's id and once more without it is one use."""
    forms = [("helicone", helicone(has_body=not is_csv_first)), ("helicone", helicone(has_body=is_csv_first))]
    outcomes, tokens = book(*forms, *forms)
    assert (tokens[0], tokens[3]) == (100, 40)
    assert [outcome[0] for outcome in outcomes] == [1, 0, 0, 0]
    assert outcomes[1][3] == ["told-by-another"]


def test_other_requests_of_helicone_are_other_uses(book):
    """Another request with the same counts is another use."""
    other = helicone(has_body=False, response="8a1d4f0e-0000-4000-8000-000000000002")
    assert book(("helicone", helicone(has_body=True)), ("helicone", other))[1][3] == 80


CURSOR_HEADER = "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens\n"


def cursor_usage(at=AT):
    """An event of Cursor's usage export."""
    return f"{CURSOR_HEADER}{at.isoformat()},composer-2,0,100,60,40,200\n"


def cursor_rows(at):
    """A use of Cursor as its database on the disk gives it."""
    row = {"usage_key": "1" * 32, "source": "cursor", "tool": "cursor", "tier": "estimated", "is_synthetic": False}
    return [{**row, "request_count": 1, "started_at": at, "model": "composer-2", "uncached_input_tokens": 9}]


def test_cursors_export_beside_its_database(tmp_path):
    """What Cursor's export tells of a day that the scan has booked is refused and told; of other days it is booked."""
    store = Store(tmp_path / "book")
    store.append_rows("usage", cursor_rows(AT), unique="usage_key", info={})
    outcomes = []
    for at in (AT + timedelta(hours=3), AT + timedelta(days=1)):
        path = tmp_path / "events.csv"
        path.write_text(cursor_usage(at))
        done = store.append_rows("usage", read_path("cursor-usage", path), unique="usage_key", info={})
        outcomes.append((done.added, [finding.rule for finding in done.findings]))
    again = store.append_rows("usage", read_path("cursor-usage", path), unique="usage_key", info={})
    store.close()
    assert outcomes == [(0, ["covered-by-another"]), (1, [])]
    assert (again.added, again.already) == (0, 1)


def test_cursors_export_is_added_where_the_user_says_so(tmp_path):
    """The user may say that the export tells other uses; what stands in the book then stays there without a word."""
    store = Store(tmp_path / "book")
    store.append_rows("usage", cursor_rows(AT), unique="usage_key", info={})
    path = tmp_path / "events.csv"
    path.write_text(cursor_usage())
    rows = read_path("cursor-usage", path)
    done = store.append_rows("usage", rows, unique="usage_key", info={}, add_overlaps=True)
    again = store.append_rows("usage", cursor_rows(AT), unique="usage_key", info={})
    store.close()
    assert done.added == 1
    assert (again.added, again.already, again.findings) == (0, 1, ())


def claude_log(request="req_1", at=AT, output=450, message="msg_1"):
    """A line of Claude Code's log."""
    told = {"id": message, "model": "claude-opus-4-5-20251101", "usage": {**COUNTS, "output_tokens": output}}
    entry = {"type": "assistant", "sessionId": "s-1", "timestamp": at.isoformat(), "message": told}
    return json.dumps({**entry, **({"requestId": request} if request else {})}) + "\n"


def claude_words(request="req_1", output=450, session="s-1"):
    """Attributes of Claude Code's telemetry for the same answer."""
    return attributes(
        session__id=session,
        model="claude-opus-4-5-20251101",
        input_tokens=7,
        cache_creation_tokens=300,
        cache_read_tokens=9000,
        output_tokens=output,
        request_id=request,
    )


def group(outer, middle, inner, *entries, service="claude-code"):
    """An export request of one resource."""
    resource = {"attributes": attributes(service__name=service)}
    return json.dumps({outer: [{"resource": resource, middle: [{inner: list(entries)}]}]}) + "\n"


def claude_event(request="req_1", at=AT + timedelta(seconds=40), output=450, session="s-1"):
    """Claude Code's event: the name with its prefix is the body, the attribute is without."""
    words = [*claude_words(request, output, session), *attributes(event__name="api_request")]
    body = {"stringValue": "claude_code.api_request"}
    record = {"timeUnixNano": nanoseconds(at), "body": body, "attributes": words}
    return group("resourceLogs", "scopeLogs", "logRecords", record)


def claude_span(request="req_1", at=AT, output=450, session="s-1"):
    """Claude Code's span of the same request."""
    span = {
        "name": "claude_code.llm_request",
        "traceId": "aa",
        "spanId": f"{output:x}",
        "startTimeUnixNano": nanoseconds(at),
        "endTimeUnixNano": nanoseconds(at + timedelta(seconds=40)),
        "attributes": claude_words(request, output, session),
    }
    return group("resourceSpans", "scopeSpans", "spans", span)


def claude_metric(at=AT, temporality=1, counts=(7, 300, 9000, 450)):
    """Claude Code's counter of the interval that holds the same answer."""
    points = [
        {
            "attributes": attributes(session__id="s-1", model="claude-opus-4-5-20251101", type=kind),
            "startTimeUnixNano": nanoseconds(AT),
            "timeUnixNano": nanoseconds(at + timedelta(minutes=1)),
            "asDouble": count,
        }
        for kind, count in zip(("input", "cacheCreation", "cacheRead", "output"), counts, strict=True)
    ]
    metric = {"name": "claude_code.token.usage", "sum": {"dataPoints": points, "aggregationTemporality": temporality}}
    return group("resourceMetrics", "scopeMetrics", "metrics", metric)


def codex_log():
    """A session of Codex with one response."""
    usage = {"input_tokens": 900, "cached_input_tokens": 600, "output_tokens": 80, "reasoning_output_tokens": 30}
    at = AT.isoformat()
    meta = {"timestamp": at, "type": "session_meta", "payload": {"id": "c-1", "model_provider": "openai"}}
    context = {"timestamp": at, "type": "turn_context", "payload": {"model": "gpt-5.2-codex"}}
    info = {"total_token_usage": usage, "last_token_usage": usage}
    event = {"timestamp": at, "type": "event_msg", "payload": {"type": "token_count", "info": info}}
    return "".join(json.dumps(entry) + "\n" for entry in (meta, context, event))


def codex_event(session="c-1"):
    """The event of the same response."""
    words = attributes(
        event__name="codex.sse_event",
        conversation__id=session,
        model="gpt-5.2-codex",
        input_token_count=900,
        cached_token_count=600,
        output_token_count=80,
        reasoning_token_count=30,
    )
    record = {"timeUnixNano": nanoseconds(AT + timedelta(seconds=2)), "attributes": words}
    return group("resourceLogs", "scopeLogs", "logRecords", record, service="codex_cli_rs")


def gemini_log():
    """A chat of Gemini CLI with one answer."""
    tokens = {"input": 500, "cached": 100, "output": 20, "thoughts": 30, "tool": 0, "total": 550}
    message = {"id": "m", "type": "gemini", "timestamp": AT.isoformat(), "model": "gemini-3-pro", "tokens": tokens}
    return json.dumps({"sessionId": "g-1", "projectHash": "x", "messages": [message]})


def gemini_event():
    """The event of the same answer."""
    words = attributes(
        event__name="gemini_cli.api_response",
        session__id="g-1",
        model="gemini-3-pro",
        input_token_count=500,
        cached_content_token_count=100,
        output_token_count=20,
        thoughts_token_count=30,
        tool_token_count=0,
    )
    record = {"timeUnixNano": nanoseconds(AT + timedelta(seconds=1)), "attributes": words}
    return group("resourceLogs", "scopeLogs", "logRecords", record, service="gemini-cli")


def openai_report(model="gpt-4o-2024-08-06", hours=24, project=None, requests=3):
    """A bucket of OpenAI's usage API over the day."""
    start = round(AT.replace(hour=0, minute=0, second=0).timestamp())
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 5000,
        "output_tokens": 700,
        "input_cached_tokens": 0,
        "num_model_requests": requests,
        "model": model,
        "project_id": project,
    }
    return json.dumps({"data": [{"start_time": start, "end_time": start + hours * 3600, "results": [result]}]})


def litellm(number=1, model="openai/gpt-4o", at=AT, provider="openai"):
    """A row of LiteLLM's spend log."""
    return json.dumps(
        {
            "request_id": f"row-{number}",
            "call_type": "acompletion",
            "startTime": at.isoformat(),
            "endTime": (at + timedelta(seconds=3)).isoformat(),
            "model": model,
            "custom_llm_provider": provider,
            "prompt_tokens": 100 + number,
            "completion_tokens": 10,
        }
    )


@pytest.fixture
def book(tmp_path):
    """Import texts one after another; gives the outcome of each, and the tokens that stand at the end."""
    store = Store(tmp_path / "book")

    def run(*imports, **options):
        outcomes = []
        for number, (reader, text) in enumerate(imports):
            path = tmp_path / f"{number}.{'json' if reader == 'gemini-cli' else 'jsonl'}"
            path.write_text(text)
            findings = []
            rows = sifted(read_path(reader, path, ReadOptions()), findings)
            done = store.append_rows("usage", rows, unique="usage_key", info={"import": reader}, **options)
            told = [finding.rule for finding in (*findings, *done.findings)]
            outcomes.append((done.added, done.already, done.refused, told))
        kept = store.rows(store.table("usage"))
        return outcomes, tuple(sum(row[name] or 0 for row in kept) for name in TOKEN_CLASSES)

    yield run
    store.close()


CLAUDE = (7, 9000, 300, 450, 0)


@pytest.mark.parametrize("request_id", ["req_1", None], ids=["by request id", "by session, model, counts and time"])
@pytest.mark.parametrize("order", list(permutations(("log", "event", "span"))), ids="-".join)
def test_claude_code_by_log_event_and_span(book, order, request_id):
    """An answer in Claude Code's log, its event and its span is one use, in whatever order they are imported."""
    texts = {
        "log": ("claude-code", claude_log(request_id)),
        "event": ("otlp", claude_event(request_id)),
        "span": ("otlp", claude_span(request_id)),
    }
    outcomes, tokens = book(*(texts[name] for name in order))
    assert tokens == CLAUDE
    assert [outcome[0] for outcome in outcomes] == [1, 0, 0]
    assert outcomes[1][3] == outcomes[2][3] == ["told-by-another"]


@pytest.mark.parametrize(
    ("log", "event", "tokens"),
    [
        (("codex", codex_log()), codex_event(), (300, 600, 0, 50, 30)),
        (("gemini-cli", gemini_log()), gemini_event(), (400, 100, 0, 20, 30)),
    ],
    ids=["codex", "gemini-cli"],
)
def test_other_agents_by_log_and_event(book, log, event, tokens):
    """An answer in the log and the telemetry of Codex or Gemini CLI is one use."""
    assert book(log, ("otlp", event))[1] == tokens


def sdk_log(request):
    """The log records of an export request as the agent's own file has them: the SDK's objects, printed out."""
    texts = []
    for outer in json.loads(request)["resourceLogs"]:
        for record in outer["scopeLogs"][0]["logRecords"]:
            known = {one["key"]: one["value"] for one in record["attributes"]}
            plain = {name: cell.get("stringValue") or int(cell["intValue"]) for name, cell in known.items()}
            service = [[one["key"], one["value"]["stringValue"]] for one in outer["resource"]["attributes"]]
            told = {
                "hrTime": list(divmod(int(record["timeUnixNano"]), 10**9)),
                "resource": {"_rawAttributes": service},
                "attributes": plain,
                "_body": "API response",
            }
            texts.append(json.dumps(told, indent=2) + "\n")
    return "".join(texts)


@pytest.mark.parametrize("order", [0, 1], ids=["log first", "file first"])
def test_gemini_cli_by_its_chat_and_its_telemetry_file(book, order):
    """An answer in Gemini CLI's chat and in the file its telemetry is written to is one use."""
    texts = [("gemini-cli", gemini_log()), ("otlp", sdk_log(gemini_event()))]
    outcomes, tokens = book(*(texts[::-1] if order else texts))
    assert tokens == (400, 100, 0, 20, 30)
    assert [outcome[0] for outcome in outcomes] == [1, 0]


def test_the_same_telemetry_as_a_file_and_as_a_request(book):
    """An event that was written to a file and sent to a collector as well has one key."""
    outcomes, _ = book(("otlp", gemini_event()), ("otlp", sdk_log(gemini_event())))
    assert [outcome[:2] for outcome in outcomes] == [(1, 0), (0, 1)]


def copilot_log(requests=1, began=AT):
    """A session of Copilot CLI that ended, with its sums."""
    usage = {"inputTokens": 900, "outputTokens": 80, "cacheReadTokens": 600, "cacheWriteTokens": 50}
    metric = {"requests": {"count": requests}, "usage": usage}
    end = (AT + timedelta(minutes=20, seconds=7)).isoformat()
    start = {"type": "session.start", "id": "e1", "timestamp": began.isoformat(), "data": {"sessionId": "c-1"}}
    done = {"type": "session.shutdown", "id": "e2", "timestamp": end, "data": {"modelMetrics": {"gpt-5-mini": metric}}}
    return json.dumps(start) + "\n" + json.dumps(done) + "\n"


def copilot_span(number, tokens, at):
    """A line of Copilot CLI's telemetry file."""
    return (
        json.dumps(
            {
                "type": "span",
                "traceId": "a1",
                "spanId": f"{number}",
                "startTime": [round(at.timestamp()), 0],
                "endTime": [round(at.timestamp()) + 4, 0],
                "attributes": {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.response.model": "gpt-5-mini",
                    "gen_ai.conversation.id": "c-1",
                    "gen_ai.usage.input_tokens": tokens[0],
                    "gen_ai.usage.cache_read.input_tokens": tokens[1],
                    "gen_ai.usage.cache_write.input_tokens": tokens[2],
                    "gen_ai.usage.output_tokens": tokens[3],
                },
                "resource": {"attributes": {"service.name": "github-copilot"}},
            }
        )
        + "\n"
    )


@pytest.mark.parametrize("order", [0, 1], ids=["log first", "telemetry first"])
def test_a_request_of_copilot_by_log_and_telemetry(book, order):
    """A session of one request is known in Copilot's log and in its telemetry by session, model and counts."""
    span = copilot_span(1, (900, 600, 50, 80), AT + timedelta(seconds=9))
    texts = [("copilot-cli", copilot_log()), ("otlp", span)]
    outcomes, tokens = book(*(texts[::-1] if order else texts))
    assert tokens == (250, 600, 50, 80, 0)
    assert [outcome[0] for outcome in outcomes] == [1, 0]


@pytest.mark.parametrize("order", [0, 1], ids=["log first", "telemetry first"])
def test_a_session_of_copilot_by_log_and_telemetry(book, order):
    """Sums of a session in Copilot's log and its requests in the telemetry are not added up silently."""
    spans = copilot_span(1, (400, 200, 20, 30), AT + timedelta(seconds=70))
    spans += copilot_span(2, (500, 400, 30, 50), AT + timedelta(minutes=9))
    texts = [("copilot-cli", copilot_log(2)), ("otlp", spans)]
    outcomes, tokens = book(*(texts[::-1] if order else texts))
    assert tokens == (250, 600, 50, 80, 0)
    assert outcomes[1][3] == ["covered-by-another"]


QWEN = {"promptTokenCount": 200, "cachedContentTokenCount": 150, "candidatesTokenCount": 40, "thoughtsTokenCount": 10}


def qwen_log(total):
    """A chat of Qwen Code with one answer."""
    entry = {"uuid": "u1", "sessionId": "q-1", "timestamp": AT.isoformat(), "type": "assistant", "model": "qwen3-coder"}
    return json.dumps({**entry, "usageMetadata": {**QWEN, "totalTokenCount": total}}) + "\n"


def qwen_event(total):
    """The event of the same answer."""
    words = attributes(
        event__name="qwen-code.api_response",
        session__id="q-1",
        model="qwen3-coder",
        input_token_count=200,
        cached_content_token_count=150,
        output_token_count=40,
        thoughts_token_count=10,
        total_token_count=total,
    )
    record = {"timeUnixNano": nanoseconds(AT), "body": {"stringValue": "API response"}, "attributes": words}
    return group("resourceLogs", "scopeLogs", "logRecords", record, service="qwen-code")


@pytest.mark.parametrize(("total", "output"), [(240, 30), (250, 40)], ids=["thoughts inside", "thoughts beside"])
def test_qwen_code_by_log_and_event(book, total, output):
    """An answer in the log and the event of Qwen Code is one use; the total says where its thoughts stand in both."""
    tokens = (50, 150, 0, output, 10)
    assert book(("otlp", qwen_event(total)))[1] == tokens
    outcomes, kept = book(("qwen-code", qwen_log(total)), ("otlp", qwen_event(total)))
    assert (kept, sum(outcome[0] for outcome in outcomes)) == (tokens, 0)


def test_events_of_another_session_are_other_uses(book):
    """The same counts in another session are another use."""
    assert book(("codex", codex_log()), ("otlp", codex_event("c-2")))[1] == (600, 1200, 0, 100, 60)


def test_events_of_another_hour_are_other_uses(book):
    """The same counts an hour later are another use where no request id says otherwise."""
    event = claude_event(None, AT + timedelta(hours=1))
    assert book(("claude-code", claude_log(None)), ("otlp", event))[1][3] == 900


def test_answers_that_only_the_telemetry_tells_are_booked(book):
    """Claude Code's small background requests stand in no log: its events add them."""
    text = claude_event() + claude_event("req_2", output=12)
    outcomes, tokens = book(("claude-code", claude_log()), ("otlp", text))
    assert (outcomes[1][0], tokens[3]) == (1, 462)


def test_importing_again_after_a_twin_changes_nothing(book):
    """A record that was left out stays out when it is imported again."""
    outcomes, tokens = book(("otlp", claude_event()), *[("claude-code", claude_log())] * 2, ("otlp", claude_event()))
    assert (tokens, [outcome[0] for outcome in outcomes]) == (CLAUDE, [1, 0, 0, 0])


@pytest.mark.parametrize("order", list(permutations(("event", "span", "metric"))), ids="-".join)
@pytest.mark.parametrize("request_id", ["req_1", None])
def test_one_source_by_three_signals_in_one_file(book, order, request_id):
    """Of a source that sends events, spans and metrics, one signal counts."""
    texts = {"event": claude_event(request_id), "span": claude_span(request_id), "metric": claude_metric()}
    assert book(("otlp", "".join(texts[name] for name in order))) == ([(1, 0, 0, [])], CLAUDE)


def test_spans_of_requests_that_no_event_told(book):
    """A span whose request no event tells is a use of its own."""
    assert book(("otlp", claude_event() + claude_span("req_2", output=1)))[1][3] == 451


@pytest.mark.parametrize("temporality", [1, 2], ids=["delta", "cumulative"])
def test_metrics_alone_are_booked_once(book, temporality):
    """A source that sends only metrics is counted by them, and sent again only once."""
    text = claude_metric(temporality=temporality)
    outcomes, tokens = book(("otlp", text), ("otlp", text + text))
    assert (tokens, [outcome[:2] for outcome in outcomes]) == (CLAUDE, [(1, 0), (0, 1)])


def test_running_metrics_book_their_growth(book):
    """Of a running total that was booked before, only the growth is new; an older reading is nothing new."""
    later = claude_metric(AT + timedelta(minutes=5), 2, (10, 300, 20000, 500))
    first = claude_metric(temporality=2)
    outcomes, tokens = book(("otlp", first), ("otlp", later), ("otlp", first))
    assert tokens == (10, 20000, 300, 500, 0)
    assert [outcome[0] for outcome in outcomes] == [1, 1, 0]


def test_metrics_beside_the_log_are_refused_and_told(book):
    """Sums of an agent whose log covers the time are not added silently."""
    outcomes, tokens = book(("claude-code", claude_log()), ("otlp", claude_metric()))
    assert (tokens, outcomes[1]) == (CLAUDE, (0, 0, 1, ["covered-by-another"]))


@pytest.mark.parametrize("is_report_first", [True, False])
def test_gateway_beside_the_suppliers_report(book, is_report_first):
    """Requests of a gateway and the supplier's report of the same day and model are not added up silently."""
    texts = [("openai-usage", openai_report()), ("litellm", litellm(1) + "\n" + litellm(2))]
    outcomes, tokens = book(*(texts if is_report_first else texts[::-1]))
    assert outcomes[1][0] == 0
    assert outcomes[1][3] == ["covered-by-another"]
    assert tokens[0] == (5000 if is_report_first else 203)


def bill(sku, description="Amazon Bedrock", provider="AWS", unit="1K tokens"):
    """A line of a FOCUS bill on the tokens of a model in one hour."""
    names = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,ConsumedUnit"
    names += ",ProviderName,RegionId,SkuId,ServiceName,ServiceCategory"
    hour = "2026-01-01T09:00:00Z,2026-01-01T10:00:00Z"
    return f"{names}\n1,USD,Usage,{hour},5,{unit},{provider},us-east-1,{sku},{description},AI and Machine Learning\n"


def bedrock(model):
    """An invocation of a model on Bedrock."""
    counts = {"input": {"inputTokenCount": 10}, "output": {"outputTokenCount": 2}}
    told = {"schemaType": "ModelInvocationLog", "timestamp": AT.isoformat(), "requestId": "b1", "region": "us-east-1"}
    return json.dumps({**told, "modelId": model, **counts}) + "\n"


@pytest.mark.parametrize(
    ("line", "log"),
    [
        (bill("USE1-Claude4.5Sonnet-input-tokens"), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (bill("USE1-Claude4.6Opus-output-tokens"), "us.anthropic.claude-opus-4-6-v1:0"),
        (bill("USE1-openai.gpt-oss-120b-mantle-input-tokens-standard"), "openai.gpt-oss-120b-1:0"),
        (bill("USE1-Llama3-1-70B-input-tokens"), "meta.llama3-1-70b-instruct-v1:0"),
    ],
    ids=["claude", "profile", "gpt-oss", "llama"],
)
def test_a_bill_beside_the_log_of_the_same_models(book, line, log):
    """However bill and log spell a model, its tokens of the same hour are not added up silently."""
    outcomes, tokens = book(("bedrock-logs", bedrock(log)), ("focus", line))
    assert outcomes[0][0] == 1
    assert outcomes[1][:3] == (0, 0, 1)
    assert tokens[0] == 10


def test_gemini_by_its_log_and_the_bill_of_the_cloud(book):
    """What Gemini CLI used through Google's API for developers stands on the bill of Google Cloud."""
    line = bill("Gemini 2.5 Flash GA Text Input - Predictions", "Gemini API", "Google Cloud", "count")
    message = {"id": "m1", "timestamp": AT.isoformat(), "type": "gemini", "model": "gemini-2.5-flash"}
    chat = {"sessionId": "g-1", "messages": [{**message, "tokens": {"input": 9, "output": 3, "total": 12}}]}
    outcomes, _ = book(("gemini-cli", json.dumps(chat)), ("focus", line))
    assert outcomes[0][0] == 1
    assert outcomes[1][:3] == (0, 0, 1)


def test_another_model_on_the_bill_is_another_use(book):
    """A line on another model of the same family and hour is booked."""
    for sku in ("USE1-Claude4.5Haiku-input-tokens", "USE1-Claude4Sonnet-input-tokens"):
        outcomes, _ = book(("bedrock-logs", bedrock("anthropic.claude-sonnet-4-5-20250929-v1:0")), ("focus", bill(sku)))
        assert outcomes[1][0] == 1


def test_the_user_may_add_them(book):
    """Where the user says that they are other uses, both are booked."""
    _, tokens = book(("openai-usage", openai_report()), ("litellm", litellm()), add_overlaps=True)
    assert tokens[0] == 5101


@pytest.mark.parametrize(
    "other",
    [
        litellm(model="gpt-4o-mini"),
        litellm(at=AT + timedelta(days=1)),
        litellm(at=AT - timedelta(days=1)),
        litellm(provider="azure"),
    ],
    ids=["model", "day after", "day before", "host"],
)
def test_other_uses_are_booked_beside_a_report(book, other):
    """Requests of another model, day or host are no part of the report."""
    assert book(("openai-usage", openai_report()), ("litellm", other))[1][0] == 5101


def test_chats_are_no_part_of_the_apis_report(book):
    """What was used in a chat service stands in no report of the API, so both are booked."""
    message = {
        "id": "m",
        "author": {"role": "assistant"},
        "create_time": AT.timestamp(),
        "content": {"parts": ["hello there"]},
        "metadata": {"model_slug": "gpt-4o"},
    }
    chat = json.dumps([{"id": "c", "create_time": AT.timestamp(), "mapping": {"n": {"message": message}}}])
    outcomes, _ = book(("openai-usage", openai_report()), ("chatgpt-export", chat))
    assert outcomes[1][0] == 1


def test_a_report_without_models_covers_all(book):
    """A bucket that is not grouped by model may hold any request of the supplier."""
    outcomes, _ = book(("openai-usage", openai_report(model=None)), ("litellm", litellm()))
    assert outcomes[1][:3] == (0, 0, 1)


def test_buckets_of_one_report_do_not_cover_each_other(book):
    """Two projects' buckets of the same hours out of the same report are two uses."""
    outcomes, tokens = book(("openai-usage", openai_report(project="a")), ("openai-usage", openai_report(project="b")))
    assert (tokens[0], outcomes[1][0]) == (10000, 1)


def test_a_bucket_of_one_request_is_a_sum(book):
    """A bucket that says one request still covers that request."""
    outcomes, _ = book(("litellm", litellm()), ("openai-usage", openai_report(requests=1)))
    assert outcomes[1][:3] == (0, 0, 1)


def test_the_command_names_the_file_and_ends_with_one(tmp_path, capsys):
    """What is refused is told with the file's name and the way to add it; with the option it is booked."""
    for name, text in (("report.json", openai_report()), ("gateway.jsonl", litellm())):
        (tmp_path / name).write_text(text)
    command = ["--lang", "en", "--book", str(tmp_path / "book"), "import"]
    assert run_command([*command, "openai-usage", str(tmp_path / "report.json")]) == 0
    capsys.readouterr()
    assert run_command([*command, "litellm", str(tmp_path / "gateway.jsonl")]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "gateway.jsonl" in told
    assert "--add-overlaps" in told
    assert run_command([*command, "litellm", "--add-overlaps", str(tmp_path / "gateway.jsonl")]) == 0
    assert "1 rows booked" in capsys.readouterr().out
