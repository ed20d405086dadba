"""Azure OpenAI, Vertex AI, Helicone, Ollama and OpenAI's costs: what their files tell beyond the totals."""

import io
import json

import pytest
from recorded import RECORDINGS

from joulebook.faces.cli.main import run_command
from joulebook.ingest.reader import ReadOptions, detect, reader, reader_names
from joulebook.terms.finding import Finding


def recorded(file):
    """Rows and findings of a recording."""
    one = next(recording for recording in RECORDINGS if recording.file == file)
    return parse(one.reader, one.content())


def parse(name, *documents):
    """Rows and findings of documents as JSON lines."""
    content = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents)
    found = list(reader(name).parse(io.BytesIO(content), ReadOptions(file="f.jsonl")))
    return [row for row in found if not isinstance(row, Finding)], [row for row in found if isinstance(row, Finding)]


def detect_bytes(*documents):
    """The reader that JSON lines are taken for."""
    head = b"\n".join(json.dumps(one).encode() for one in documents)
    return max((reader(name).detect(head, "f.jsonl"), name) for name in reader_names())[1]


def test_metrics_of_azure_are_sums_per_interval():
    """Tokens and requests of one split and interval are one row, with model, place and length; empty hours are none."""
    rows, _ = recorded("azure-openai.json")
    assert [
        (row["started_at"].hour, row["ended_at"].hour, row["model"], row["region"], row["request_count"])
        for row in rows
    ] == [(9, 10, "gpt-4o-2024-08-06", "swedencentral", 4), (11, 12, "gpt-4o-2024-08-06", "swedencentral", 2)]


def test_gateway_logs_of_an_event_hub():
    """Records of the gateway have their counts in their properties; Claude counts what it read of a cache beside them.

    Source: a public processor of API Management's logs out of an event hub (names of properties, counts of one turn).
    """

    def log(identity, model, prompt, cached):
        properties = {"requestId": identity, "modelName": model, "promptTokens": prompt, "completionTokens": 5}
        properties |= {"promptCachedTokens": cached, "correlationId": f"c-{identity}", "sequenceNumber": 0}
        return {"category": "GatewayLlmLogs", "time": "2026-09-04T10:00:00Z", "location": "East US 2"} | {
            "properties": properties
        }

    logs = {"records": [log("msg_1", "claude-opus-4-5", 26, 48854), log("chatcmpl-1", "gpt-4o-2024-08-06", 120, 100)]}
    assert detect_bytes(logs) == "azure-openai"
    rows, findings = parse("azure-openai", logs)
    assert findings == []
    assert [(row["model"], row["uncached_input_tokens"], row["cache_read_tokens"], row["region"]) for row in rows] == [
        ("claude-opus-4-5", 26, 48854, "eastus2"),
        ("gpt-4o-2024-08-06", 20, 100, "eastus2"),
    ]


def test_answers_that_a_gateway_kept():
    """A gateway that logs bodies tells each answer's counts, of a stream in its last piece; an error tells none.

    Source: GatewayLogs in the tests of Elastic's integration for Azure OpenAI (test-open-ai-gateway.log).
    """
    usage = {"completion_tokens": 8, "prompt_tokens": 14, "total_tokens": 22}
    whole = json.dumps({"id": "chatcmpl-9", "model": "gpt-35-turbo", "object": "chat.completion", "usage": usage})
    pieces = ({"id": "chatcmpl-7", "choices": [1]}, {"id": "chatcmpl-7", "model": "gpt-4o", "usage": usage})
    streamed = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n"
    failed = json.dumps({"error": {"code": "content_filter", "status": 400}})
    entries = [
        {
            "category": "GatewayLogs", "correlationId": "9978", "location": "East US", "time": "2024-07-02T06:31:31Z",
            "properties": {"apiId": "azure-openai", "backendResponseBody": body, "responseBody": body},
        }
        for body in (whole, streamed, failed)
    ]  # fmt: skip
    assert detect_bytes(*entries) == "azure-openai"
    rows, findings = parse("azure-openai", *entries)
    assert findings == []
    assert [(row["model"], row["uncached_input_tokens"], row["visible_output_tokens"]) for row in rows] == [
        ("gpt-35-turbo", 14, 8),
        ("gpt-4o", 14, 8),
    ]
    log = {"category": "GatewayLlmLogs", "time": "2024-07-02T06:31:31Z"}
    log["properties"] = {"requestId": "chatcmpl-9", "modelName": "gpt-35-turbo", "promptTokens": 14}
    assert parse("azure-openai", log)[0][0]["usage_key"] == rows[0]["usage_key"]


def test_metrics_as_log_analytics_gives_them():
    """The table AzureMetrics spells the same metrics with capitals."""
    resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/shop"
    common = {"TimeGenerated": "2026-06-01T00:00:00Z", "TimeGrain": "PT1M", "ResourceId": resource}
    entries = (
        {**common, "MetricName": "ProcessedPromptTokens", "Total": 600},
        {**common, "MetricName": "GeneratedTokens", "Total": 400},
    )
    assert detect_bytes(*entries) == "azure-openai"
    rows, _ = parse("azure-openai", *entries)
    assert [(row["project"], row["visible_output_tokens"]) for row in rows] == [("shop", 400)]


def test_requests_without_tokens_are_told():
    """Azure's log of requests and responses has no tokens: its lines are told, not booked as nothing."""
    entry = {"category": "RequestResponse", "resourceId": "/PROVIDERS/MICROSOFT.COGNITIVESERVICES/X", "time": "2026"}
    rows, findings = parse("azure-openai", entry, entry)
    assert (rows, [(one.rule, one.facts["count"]) for one in findings]) == ([], [("log-without-tokens", 2)])


def test_places_and_hosts_of_vertex():
    """The endpoint tells the place, the answer its exact model; the global endpoint is no place."""
    rows, _ = recorded("vertex.jsonl")
    assert [(row["model"], row.get("region"), row["provider"]) for row in rows] == [
        ("gemini-2.5-flash", "europe-west4", "gcp"),
        ("claude-sonnet-4-5", None, "gcp"),
        ("gemini-2.5-pro", "us-central1", "gcp"),
    ]


def test_the_suppliers_usage_block_outweighs_helicones_columns():
    """Where a Helicone export holds the answer, its usage block is taken, and its id makes the row one with others'."""
    rows, _ = recorded("helicone.jsonl")
    response = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
    same, _ = parse(
        "litellm",
        {
            "id": response,
            "call_type": "acompletion",
            "startTime": 1767603605.0,
            "model": "gpt-5.2",
            "prompt_tokens": 1000,
            "completion_tokens": 90,
        },
    )
    assert rows[1]["usage_key"] == same[0]["usage_key"]
    assert (rows[0]["time_to_first_token_s"], rows[0]["uncached_input_tokens"]) == (0.42, 12)


def test_the_speed_of_ollama():
    """Ollama's durations give the speed of an answer, the wait for its first token, and when it began."""
    rows, _ = recorded("ollama.jsonl")
    assert (rows[0]["output_tokens_per_s"], rows[0]["time_to_first_token_s"]) == pytest.approx((80, 0.8))
    assert rows[0]["started_at"].isoformat() == "2026-01-05T08:59:59.999127+00:00"
    assert rows[1].get("uncached_input_tokens") is None


def test_costs_without_use_are_told():
    """Pages of OpenAI's costs API book nothing and say how much money they tell."""
    rows, findings = recorded("openai-costs.json")
    assert (rows, [(one.rule, one.facts["cost"]) for one in findings]) == ([], [("costs-without-use", "1.31")])


def test_anthropics_costs_are_cents():
    """Pages of Anthropic's cost report book nothing; their amounts are cents, as its reference says."""
    rows, findings = recorded("anthropic-costs.json")
    assert rows == []
    assert [(one.rule, one.facts["cost"], one.facts["currency"]) for one in findings] == [
        ("costs-without-use", "26.24", "USD")
    ]


def test_results_of_a_bucket_as_openais_specification_names_them():
    """OpenAI's specification calls the results of a bucket ``result``, its answers ``results``; both are read."""
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 10,
        "output_tokens": 5,
        "model": "gpt-5",
    }
    bucket = {"object": "bucket", "start_time": 1767571200, "end_time": 1767657600}
    rows, _ = parse("openai-usage", {"object": "page", "data": [{**bucket, "result": [result]}]})
    assert [row["visible_output_tokens"] for row in rows] == [5]


def invocation(request, model, read, written, **more):
    """A record of Bedrock's invocation log."""
    place = {"timestamp": "2026-03-11T00:38:02Z", "region": "us-east-1", "operation": "ConverseStream"}
    return {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "requestId": request, "modelId": model, **place,
        "input": {"inputTokenCount": read, "cacheReadInputTokenCount": 95500, "cacheWriteInputTokenCount": 10},
        "output": {"outputTokenCount": written, **more},
    }  # fmt: skip


INVOCATIONS = [
    invocation("a", "amazon.nova-lite-v1:0", 4, 38, outputBodyJson={"output": {"message": "SECRET-CONTENT"}}),
    invocation("b", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-v1:0", 2, 180),
]
TEXTS = [json.dumps(one) for one in INVOCATIONS]
CLOUDWATCH = {
    "filter-log-events": json.dumps({"events": [{"timestamp": 1, "message": text} for text in TEXTS]}, indent=1),
    "subscription": json.dumps({"logGroup": "g", "logEvents": [{"id": "1", "message": text} for text in TEXTS]}),
    "export-to-s3": "".join(f"2026-03-11T00:38:02.000Z {text}\n" for text in TEXTS),
    "insights-csv": "@timestamp,@message\n"
    + "".join('2026-03-11 00:38:02.000,"' + text.replace('"', '""') + '"\n' for text in TEXTS),
    "insights-json": json.dumps({"results": [[{"field": "@message", "value": text}] for text in TEXTS]}),
    "insights-console": json.dumps([{"@timestamp": "2026-03-11", "@message": one} for one in INVOCATIONS]),
}


@pytest.mark.parametrize("content", CLOUDWATCH.values(), ids=CLOUDWATCH)
def test_invocations_of_bedrock_out_of_cloudwatch(content, tmp_path):
    """The same invocations give the same rows in every form in which CloudWatch hands them out, and no content.

    Source: a log entry in dheerajoruganty/aws-bedrock-logs-mcp-server (setup.md, March 2025); CloudWatch Logs API.
    """
    path = tmp_path / "log"
    path.write_text(content, encoding="utf-8")
    assert detect(path)[0].name == "bedrock-logs"
    rows, findings = parse("bedrock-logs", content.encode())
    whole, _ = parse("bedrock-logs", *INVOCATIONS)
    assert rows == whole
    assert [(row["uncached_input_tokens"], row["visible_output_tokens"]) for row in rows] == [(4, 38), (2, 180)]
    assert "SECRET-CONTENT" not in f"{rows}{findings}"


def test_what_bedrock_tells_in_the_answer_only():
    """Counts of the cache stand in Claude's own usage where the log has none; images are counted, asked for or made."""
    claude = {"message": {"usage": {"cache_read_input_tokens": 7, "cache_creation_input_tokens": 5}}}
    old = invocation("c", "anthropic.claude-3-7-sonnet-20250219-v1:0", 13, 153, outputBodyJson=[claude])
    old["input"] = {"inputTokenCount": 13}
    canvas = invocation("d", "amazon.nova-canvas-v1:0", None, None)
    canvas["input"] = {"inputBodyJson": {"imageGenerationConfig": {"numberOfImages": 2}}}
    rows, _ = parse("bedrock-logs", old, canvas)
    assert (rows[0]["cache_read_tokens"], rows[0]["cache_write_tokens"], rows[1]["image_count"]) == (7, 5, 2)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_file_of_another_format_is_told(language, tmp_path, capsys):
    """A reader that makes nothing of a file says in the user's language what it expects; the command ends with 1."""
    path = tmp_path / "codex.jsonl"
    path.write_bytes(next(one for one in RECORDINGS if one.reader == "codex").content())
    told = {
        "azure-llm": "ContextTokens",
        "openai-usage": "organization.usage",
        "vertex": "full_response",
        "goose": "goose",
    }
    for name, word in told.items():
        assert run_command(["--lang", language, "--book", str(tmp_path / "book"), "import", name, str(path)]) == 1
        shown = capsys.readouterr().err
        assert word in shown
        assert ("형식" in shown) == (language == "ko")


def test_a_file_without_use_is_told(tmp_path, capsys):
    """A file of the right format that tells of no use is a warning."""
    path = tmp_path / "rollout-a.jsonl"
    path.write_text('{"type":"session_meta","payload":{"id":"a"}}\n')
    assert run_command(["--lang", "en", "--book", str(tmp_path / "book"), "import", "codex", str(path)]) == 0
    assert "no use" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_traces_in_any_encoding(encoding):
    """The header of the traces is known in every encoding that has a mark."""
    text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.979960,4808,10\n"
    rows, _ = parse("azure-llm", text.encode(encoding))
    assert [row["uncached_input_tokens"] for row in rows] == [4808]


def test_a_request_in_litellm_and_langfuse_is_one():
    """LiteLLM names what it sends to Langfuse by the response's id, so that both tell of one use."""
    response = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
    gateway, _ = parse(
        "litellm",
        {
            "id": response,
            "call_type": "acompletion",
            "startTime": 1767603605.0,
            "model": "gpt-5.2",
            "prompt_tokens": 1000,
            "completion_tokens": 90,
        },
    )
    observed, _ = parse(
        "langfuse",
        {
            "id": f"time-09-00-05-000000_{response}",
            "traceId": "t",
            "type": "GENERATION",
            "startTime": "2026-01-05T09:00:05.000Z",
            "model": "gpt-5.2",
            "usageDetails": {"input": 1000, "output": 90, "total": 1090},
        },
    )
    assert [row["usage_key"] for row in observed] == [row["usage_key"] for row in gateway]


def spent(**changes):
    """A row of LiteLLM's spend logs."""
    row = {"request_id": "r1", "call_type": "acompletion", "startTime": "2026-11-18T09:00:17.100Z", "model": "gpt-5.2"}
    return {**row, "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "metadata": {}, **changes}


READ = {"prompt_tokens_details": {"cached_tokens": 4000}, "cache_read_input_tokens": 4000}
WRITTEN = {**READ, "cache_creation_input_tokens": 300}
DETAILED = {**WRITTEN, "prompt_tokens_details": {"cached_tokens": 4000, "cache_creation_tokens": 300}}


@pytest.mark.parametrize(
    ("prompt_tokens", "told"),
    [
        (4320, {"response": {"usage": WRITTEN}}),
        (20, {"response": {"usage": WRITTEN}}),
        (4320, {"metadata": {"additional_usage_values": WRITTEN}}),
        (4020, {"metadata": {"usage_object": WRITTEN}}),
        (4320, {"metadata": {"usage_object": DETAILED}}),
    ],
    ids=["1.60.0", "1.60.0-streamed", "1.60.0-table", "1.65.8-to-1.75.8", "1.80.0-to-1.110.2"],
)
def test_the_cache_in_litellms_releases(prompt_tokens, told):
    """One answer of Anthropic with 20, 4000 and 300 tokens of input is the same in every release of LiteLLM.

    Source: what these releases wrote of one answer of a server of ours, November 2026; issue 15056 of LiteLLM.
    """
    rows, findings = parse("litellm", spent(prompt_tokens=prompt_tokens, total_tokens=prompt_tokens + 20, **told))
    assert findings == []
    classes = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "visible_output_tokens")
    assert [rows[0][name] for name in classes] == [20, 4000, 300, 20]


def test_the_writes_of_litellm_stand_beside_large_inputs():
    """Where a release of 2025 names no writes among the details, they are not taken out of an input that has room."""
    rows, _ = parse("litellm", spent(prompt_tokens=9000, metadata={"usage_object": WRITTEN}))
    assert rows[0]["uncached_input_tokens"] == 5000


def test_objects_in_a_table_as_python_writes_them():
    """A table that pandas wrote of LiteLLM's rows has Python's words for nothing, true and false in its objects."""
    metadata = {"user_api_key_team_alias": "Kim's", "status": None, "usage_object": {**DETAILED, "is_byok": False}}
    table = "request_id,call_type,prompt_tokens,completion_tokens,total_tokens,startTime,metadata\n"
    table += f'r,completion,4320,50,4370,2026-11-18 09:00:17.1,"{metadata!r}"\n'.replace('"Kim\'s"', '""Kim\'s""')
    rows, _ = parse("litellm", table.encode())
    assert (rows[0]["uncached_input_tokens"], rows[0]["cache_read_tokens"], rows[0]["team"]) == (20, 4000, "Kim's")


def test_pages_of_litellm_are_taken_apart():
    """A page as LiteLLM's interface gets it holds the rows in a list."""
    rows, findings = parse("litellm", {"data": [spent(), spent(request_id="r2")], "total": 2, "page": 1})
    assert (len(rows), findings) == (2, [])


def test_requests_without_tokens_are_no_zero():
    """An image that LiteLLM logs with no token is told, not booked as nothing; a call of a tool is passed over."""
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    rows, findings = parse("litellm", spent(call_type="aimage_generation", **nothing), spent(call_type="call_mcp_tool"))
    assert (rows, [one.rule for one in findings]) == ([], ["nothing-consumed"])


def test_a_table_of_another_kind_is_told():
    """A table without the columns of the format is told by their names."""
    rows, findings = parse("openrouter", b"a,b\n1,2\n")
    assert (rows, {one.rule for one in findings}) == ([], {"missing-column"})


def test_buckets_of_two_service_accounts_are_two():
    """Anthropic's report groups by service account too: two results that differ in it alone are two uses."""
    result = {"uncached_input_tokens": 10, "output_tokens": 5, "model": "claude-opus-5"}
    results = [{**result, "service_account_id": name} for name in ("svac_1", "svac_2")]
    page = {"starting_at": "2025-08-01T00:00:00Z", "ending_at": "2025-08-02T00:00:00Z", "results": results}
    rows, _ = parse("anthropic-usage", page)
    assert len({row["usage_key"] for row in rows}) == 2


def test_embeddings_of_bedrock_are_embeddings():
    """An embedding model on Bedrock reads its input into embeddings; it writes nothing."""
    entry = {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2025-10-30T05:57:30Z",
        "requestId": "r",
        "region": "ap-northeast-1",
        "modelId": "arn:aws:bedrock:ap-northeast-1::foundation-model/amazon.titan-embed-text-v1",
        "input": {"inputTokenCount": 12},
        "output": {"outputBodyJson": {"inputTextTokenCount": 12}},
    }
    rows, _ = parse("bedrock-logs", entry)
    told = {name: rows[0].get(name) for name in ("embedding_tokens", "uncached_input_tokens", "model")}
    assert told == {"embedding_tokens": 12, "uncached_input_tokens": None, "model": "amazon.titan-embed-text-v1"}


@pytest.mark.parametrize(
    ("told", "classes"),
    [
        (
            {
                "usageDetails": {
                    "input": 2,
                    "input_cached_tokens": 47105,
                    "input_cache_creation": 0,
                    "input_cache_creation_1h": 1076,
                    "output": 714,
                }
            },
            [2, 47105, 1076, 714, None],
        ),
        (
            {
                "usageDetails": {
                    "input": 2,
                    "cache_creation_input_tokens": 1076,
                    "input_cache_creation_tokens": 1076,
                    "input_ephemeral_1h_input_tokens": 1076,
                    "output": 714,
                }
            },
            [2, None, 1076, 714, None],
        ),
        (
            {
                "usageDetails": {
                    "input": 100,
                    "input_audio_tokens": 40,
                    "output": 50,
                    "output_audio_tokens": 30,
                    "total": 220,
                }
            },
            [140, None, None, 80, None],
        ),
        (
            {
                "usageDetails": {
                    "input": 0,
                    "input_modality_TEXT": 60,
                    "cached_modality_TEXT": 40,
                    "output": 9,
                    "output_reasoning": 5,
                }
            },
            [60, 40, None, 9, 5],
        ),
        (
            {"usageDetails": {"input": 100, "input_text_tokens": 100, "output": 50, "total": 150}},
            [100, None, None, 50, None],
        ),
        (
            {"usageDetails": {"input": 100, "input_priority": 100, "output": 50, "output_priority_audio": 50}},
            [100, None, None, 50, None],
        ),
        (
            {"usageDetails": {}, "usage": {"input": 50, "output": 5, "unit": "TOKENS"}},
            [50, None, None, 5, None],
        ),
        ({"usage": {"promptTokens": 50, "completionTokens": 5, "totalTokens": 55}}, [50, None, None, 5, None]),
        ({"usageDetails": {}, "promptTokens": 12, "completionTokens": 3}, [12, None, None, 3, None]),
        ({"usageDetails": {"input": 12, "output": 3}, "usage": {"unit": "CHARACTERS"}}, None),
    ],
)
def test_usage_types_of_langfuse(told, classes):
    """Each usage type falls into one class, once; what has no class is input or output; characters are no tokens.

    Source: tests of Langfuse's OtelIngestionProcessor (2026); what langfuse 5.0.4 makes of the usage of LangChain.
    """
    observation = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": "2026-01-05T09:00:05.000Z"}
    rows, findings = parse("langfuse", {**observation, "input": "SECRET", "output": "SECRET", **told})
    if classes is None:
        assert (rows, [one.rule for one in findings]) == ([], ["nothing-consumed"])
    else:
        names = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "visible_output_tokens")
        assert [rows[0].get(name) for name in (*names, "reasoning_output_tokens")] == classes


def test_models_that_vertex_names_by_a_path():
    """A row of a tuned endpoint names its model by a path; its last part is the model.

    Source: public queries of request-response logs, which take the model out of ``publishers/google/models/``.
    """
    answer = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}}
    row = {
        "request_id": 7,
        "endpoint": "projects/1/locations/us-central1/endpoints/77",
        "model": "projects/1/locations/us-central1/publishers/google/models/gemini-2.5-flash",
        "logging_time": "2026-09-04T10:00:00Z",
        "full_response": json.dumps(answer),
    }
    (found,), _ = parse("vertex", row)
    assert (found["model"], found["region"]) == ("gemini-2.5-flash", "us-central1")


def test_answers_in_the_words_of_googles_library():
    """An answer that the Python library wrote has the same counts by names with underscores.

    Source: a public query of request-response logs that reads both spellings.
    """
    usage = {"prompt_token_count": 5, "cached_content_token_count": 2, "candidates_token_count": 3}
    answer = {"usage_metadata": usage, "model_version": "gemini-2.5-pro", "response_id": "r1"}
    row = {"logging_time": "2026-09-04T10:00:00Z", "full_response": json.dumps(answer)}
    (found,), _ = parse("vertex", row)
    assert (found["model"], found["uncached_input_tokens"], found["cache_read_tokens"]) == ("gemini-2.5-pro", 3, 2)
    assert found["visible_output_tokens"] == 3


ANTHROPIC_EXPORT = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed\n"
    "2026-08-05,claude-opus-4-5-20251101,some key,Default,standard,≤ 200k,46981,15969,31,7,16932,0,global,\n"
    "2026-08-05,claude-opus-4-5-20251101,other key,Default,batch,≤ 200k,10,0,0,0,20,0,global,\n"
)
OPENAI_EXPORT = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens\n"
    "1761523200,1761523260,2025-10-27T00:00:00+00:00,2025-10-27T00:01:00+00:00,,,,,,,,,,,\n"
    "1761523440,1761523500,2025-10-27T00:04:00+00:00,2025-10-27T00:05:00+00:00,proj_1,3.0,,key_1,gpt-4o-mini-2024-07-18,"
    "False,default,7162,1673,1280,5882\n"
)


def test_usage_that_anthropics_console_exports():
    """A line is a day of a model, key and workspace, in UTC; batches are told, writes of both lives are summed.

    Source: header and line of an export in public repositories that read it, 2026.
    """
    rows, findings = parse("anthropic-usage", ANTHROPIC_EXPORT.encode())
    assert findings == []
    assert [(row["service_tier"], row["project"], str(row["started_at"]), str(row["ended_at"])) for row in rows] == [
        ("standard", "Default", "2026-08-05 00:00:00+00:00", "2026-08-06 00:00:00+00:00"),
        ("batch", "Default", "2026-08-05 00:00:00+00:00", "2026-08-06 00:00:00+00:00"),
    ]
    first = rows[0]
    counts = ("uncached_input_tokens", "cache_write_tokens", "cache_read_tokens", "visible_output_tokens")
    assert [first[name] for name in counts] == [46981, 16000, 7, 16932]


def test_usage_that_openais_platform_exports():
    """Lines without counts are empty buckets; a line is the same use as its bucket out of the API.

    Source: an export of completions that a public repository describes line by line, 2025.
    """
    rows, findings = parse("openai-usage", OPENAI_EXPORT.encode())
    assert findings == []
    (row,) = rows
    assert (row["request_count"], row["uncached_input_tokens"], row["cache_read_tokens"]) == (3, 5882, 1280)
    result = {"object": "organization.usage.completions.result", "input_tokens": 7162, "output_tokens": 1673}
    result |= {"input_cached_tokens": 1280, "num_model_requests": 3, "project_id": "proj_1", "api_key_id": "key_1"}
    result |= {"user_id": None, "model": "gpt-4o-mini-2024-07-18", "batch": False, "service_tier": "default"}
    page = {"data": [{"start_time": 1761523440, "end_time": 1761523500, "results": [result]}]}
    assert parse("openai-usage", page)[0][0]["usage_key"] == row["usage_key"]


@pytest.mark.parametrize(("text", "name"), [(ANTHROPIC_EXPORT, "anthropic-usage"), (OPENAI_EXPORT, "openai-usage")])
def test_exports_of_consoles_are_known(tmp_path, text, name):
    """The header of an export tells whose it is."""
    file = tmp_path / "export.csv"
    file.write_text(text, encoding="utf-8")
    assert detect(file)[0].name == name


def test_usage_that_deepseeks_platform_exports():
    """Days, models and keys are rows, prices are not; a day may be written without marks.

    Source: exports of both forms in the tests of public repositories that read them, 2026.
    """
    rows, _ = recorded("deepseek-usage.csv")
    assert [(row.get("request_count"), row["project"], str(row["started_at"])) for row in rows] == [
        (5, "Team, one", "2026-08-31 21:00:00+00:00"),
        (None, "Team, one", "2026-09-01 21:00:00+00:00"),
    ]
    text = (
        "user_id,utc_date,model,api_key_name,api_key,type,price,amount\n"
        "u,20260727,deepseek-v3.2,k,sk-x,input_cache_hit_tokens,0.000000025,24448\n"
        "u,20260727,deepseek-v3.2,k,sk-x,input_cache_miss_tokens,0.000003,24423\n"
        "u,20260727,deepseek-v3.2,k,sk-x,output_tokens,0.000006,14044\n"
        "u,20260727,deepseek-v3.2,k,sk-x,request_count,0.0,many\n"
    )
    rows, findings = parse("deepseek-usage", text.encode())
    assert [(row["cache_read_tokens"], str(row["ended_at"])) for row in rows] == [(24448, "2026-07-28 00:00:00+00:00")]
    assert [(one.line, one.facts) for one in findings] == [(5, {"column": "amount"})]


@pytest.mark.parametrize(
    ("name", "text", "facts"),
    [
        (
            "anthropic-costs",
            (
                "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,"
                "cost_type,inference_geo,speed\n"
                "2026-03-15,Claude Opus 4.6,Default,key,message,≤ 200k,input_no_cache,1.50,1.50,token,global,\n"
                "2026-03-15,Claude Opus 4.6,Default,key,message,≤ 200k,output,0.25,0.25,token,global,\n"
            ),
            {"cost": "1.75", "currency": "USD"},
        ),
        (
            "openai-costs",
            (
                "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item\n"
                "1790467200,1790553600,2026-09-27T00:00:00+00:00,2026-09-28T00:00:00+00:00,,,\n"
                "1790553600,1790640000,2026-09-28T00:00:00+00:00,2026-09-29T00:00:00+00:00,0.42,usd,gpt-5\n"
            ),
            {"cost": "0.42", "currency": "USD"},
        ),
    ],
)
def test_costs_that_consoles_export(tmp_path, name, text, facts):
    """Money without use: the sum is told in dollars, and nothing is booked.

    Source: headers and lines of both exports in the tests of public repositories that read them, 2026.
    """
    file = tmp_path / "export.csv"
    file.write_text(text, encoding="utf-8")
    assert detect(file)[0].name == name
    rows, findings = parse(name, text.encode())
    assert (rows, [one.facts for one in findings]) == ([], [facts])
