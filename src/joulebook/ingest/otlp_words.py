"""The words of telemetry: shapes of OTLP messages, and which attributes mean what."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from joulebook.ingest.wire import Shape

SPAN_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "input_tokens": (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.usage.prompt_tokens",
            "llm.token_count.prompt",
        ),
        "output_tokens": (
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.usage.completion_tokens",
            "llm.token_count.completion",
        ),
        "cache_read_tokens": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.cached_input_tokens",
            "gen_ai.usage.input_cached_tokens",
            "gen_ai.usage.cached_tokens",
            "gen_ai.usage.input_tokens.cached",
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.details.cache_read_input_tokens",
            "gen_ai.usage.details.cached_tokens",
            "llm.token_count.prompt_details.cache_read",
            "ai.usage.cachedInputTokens",
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.input_tokens.cache_write",
            "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens",
            "llm.token_count.prompt_details.cache_write",
        ),
        "reasoning_output_tokens": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.output_tokens.reasoning",
            "gen_ai.usage.details.reasoning_tokens",
            "llm.usage.reasoning_tokens",
            "llm.token_count.completion_details.reasoning",
            "ai.usage.reasoningTokens",
        ),
        "model": (
            "gen_ai.response.model",
            "gen_ai.request.model",
            "llm.response.model_name",
            "llm.model_name",
            "llm.request.model",
            "embedding.model_name",
            "ai.model.id",
        ),
        "provider": (
            "gen_ai.provider.name",
            "gen_ai.system",
            "llm.provider",
            "llm.system",
            "llm.vendor",
            "ai.model.provider",
        ),
        "service_tier": ("gen_ai.openai.response.service_tier", "openai.response.service_tier"),
        "embedding_tokens": ("ai.usage.tokens",),
        "response_id": ("gen_ai.response.id",),
    }
)
"""Our word -> attributes of a span, the newest convention first."""

PASSED_OVER = frozenset(
    {"invoke_agent", "create_agent", "execute_tool", "invoke_workflow"}
    | {"agent", "chain", "tool", "retriever", "reranker", "guardrail", "evaluator", "prompt", "workflow", "task"}
    | {"ai.generatetext", "ai.streamtext", "ai.generateobject", "ai.streamobject", "ai.embed", "ai.embedmany"}
)
"""Operations (GenAI, Vercel's AI SDK) and span kinds (OpenInference, OpenLLMetry) that are no call of a model."""

AGENT_EVENTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "claude_code.api_request": {
            "uncached_input_tokens": "input_tokens",
            "visible_output_tokens": "output_tokens",
            "cache_read_tokens": "cache_read_tokens",
            "cache_write_tokens": "cache_creation_tokens",
            "model": "model",
            "cost_usd": "cost_usd",
            "request": "request_id",
        },
        "gemini_cli.api_response": {
            "input_tokens": "input_token_count",
            "visible_output_tokens": "output_token_count",
            "cache_read_tokens": "cached_content_token_count",
            "reasoning_output_tokens": "thoughts_token_count",
            "model": "model",
        },
        "qwen-code.api_response": {
            "input_tokens": "input_token_count",
            "visible_output_tokens": "output_token_count",
            "cache_read_tokens": "cached_content_token_count",
            "reasoning_output_tokens": "thoughts_token_count",
            "model": "model",
        },
        "codex.sse_event": {
            "input_tokens": "input_token_count",
            "output_tokens": "output_token_count",
            "cache_read_tokens": "cached_token_count",
            "reasoning_output_tokens": "reasoning_token_count",
            "model": "model",
        },
    }
)
"""Name of a coding agent's event -> our word -> its attribute. Anthropic's input is without cache; the others' with."""

AGENT_SPANS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"claude_code.llm_request": AGENT_EVENTS["claude_code.api_request"]}
)
"""Name of a coding agent's span of one request -> the same."""

AGENT_SERVICES: Mapping[str, str] = MappingProxyType(
    {
        "claude-code": "claude-code",
        "gemini-cli": "gemini-cli",
        "qwen-code": "qwen-code",
        "codex_cli_rs": "codex",
        "codex": "codex",
        "github-copilot": "copilot-cli",
    }
)
"""``service.name`` of an agent -> its name; its GenAI spans tell again what its events tell."""

TOOLS: Mapping[str, str] = MappingProxyType(
    {"claude_code": "claude-code", "gemini_cli": "gemini-cli", "qwen-code": "qwen-code", "codex": "codex"}
)
"""What stands before the first dot of an agent's names -> the name of the reader of its logs."""

USE_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "claude-code": ("input_tokens", "cache_creation_tokens", "cache_read_tokens", "output_tokens"),
        "gemini-cli": (
            "input_token_count",
            "cached_content_token_count",
            "output_token_count",
            "thoughts_token_count",
            "tool_token_count",
        ),
        "qwen-code": (
            "input_token_count",
            "cached_content_token_count",
            "output_token_count",
            "thoughts_token_count",
        ),
        "codex": ("input_token_count", "cached_token_count", "output_token_count", "reasoning_token_count"),
    }
)
"""Counts in the order in which the agent's log reader gives them to `joulebook.ingest.identity.use_hash`."""

_TOTALLED = (*USE_WORDS["qwen-code"], "tool_token_count", "total_token_count")
TOTALLED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"gemini_cli.api_response": _TOTALLED, "qwen-code.api_response": _TOTALLED}
)
"""Events whose total says what contains what: their words in the order of `joulebook.ingest.agents.gemini_cli`."""

METRIC_TYPES = ("gen_ai.token.type", "type")
METRICS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "gen_ai.client.token.usage": {
            "input": "input_tokens",
            "output": "output_tokens",
            "completion": "output_tokens",
        },
        "claude_code.token.usage": {
            "input": "uncached_input_tokens",
            "output": "visible_output_tokens",
            "cacheRead": "cache_read_tokens",
            "cacheCreation": "cache_write_tokens",
        },
        "qwen-code.token.usage": {
            "input": "input_tokens",
            "output": "visible_output_tokens",
            "thought": "reasoning_output_tokens",
            "cache": "cache_read_tokens",
            "tool": "tool_tokens",
        },
        "gemini_cli.token.usage": {
            "input": "input_tokens",
            "output": "visible_output_tokens",
            "thought": "reasoning_output_tokens",
            "cache": "cache_read_tokens",
            "tool": "tool_tokens",
        },
    }
)
"""Name of a metric -> value of its type attribute -> our word."""

_ANY: dict[int, tuple[str, Any]] = {
    1: ("stringValue", "text"),
    2: ("boolValue", "int"),
    3: ("intValue", "int"),
    4: ("doubleValue", "double"),
}
_ATTRIBUTE = {1: ("key", "text"), 2: ("value", _ANY)}
_RESOURCE = {1: ("attributes", [_ATTRIBUTE])}
_SPAN = {
    1: ("traceId", "hex"),
    2: ("spanId", "hex"),
    4: ("parentSpanId", "hex"),
    5: ("name", "text"),
    7: ("startTimeUnixNano", "fixed"),
    8: ("endTimeUnixNano", "fixed"),
    9: ("attributes", [_ATTRIBUTE]),
}
_LOG = {
    1: ("timeUnixNano", "fixed"),
    5: ("body", _ANY),
    6: ("attributes", [_ATTRIBUTE]),
    11: ("observedTimeUnixNano", "fixed"),
    12: ("eventName", "text"),
}
_NUMBER_POINT = {
    2: ("startTimeUnixNano", "fixed"),
    3: ("timeUnixNano", "fixed"),
    4: ("asDouble", "double"),
    6: ("asInt", "fixed"),
    7: ("attributes", [_ATTRIBUTE]),
}
_SUMMED_POINT: dict[int, tuple[str, Any]] = {
    2: ("startTimeUnixNano", "fixed"),
    3: ("timeUnixNano", "fixed"),
    4: ("count", "fixed"),
    5: ("sum", "double"),
}
_HISTOGRAM_POINT = {**_SUMMED_POINT, 9: ("attributes", [_ATTRIBUTE])}
_EXPONENTIAL_POINT = {**_SUMMED_POINT, 1: ("attributes", [_ATTRIBUTE])}
_METRIC = {
    1: ("name", "text"),
    7: ("sum", {1: ("dataPoints", [_NUMBER_POINT]), 2: ("aggregationTemporality", "int")}),
    9: ("histogram", {1: ("dataPoints", [_HISTOGRAM_POINT]), 2: ("aggregationTemporality", "int")}),
    10: ("exponentialHistogram", {1: ("dataPoints", [_EXPONENTIAL_POINT]), 2: ("aggregationTemporality", "int")}),
}
_SCOPE_SPANS: Shape = {1: ("scope", {1: ("name", "text")}), 2: ("spans", [_SPAN])}
SPANS: Shape = {1: ("resourceSpans", [{1: ("resource", _RESOURCE), 2: ("scopeSpans", [_SCOPE_SPANS])}])}
LOGS: Shape = {1: ("resourceLogs", [{1: ("resource", _RESOURCE), 2: ("scopeLogs", [{2: ("logRecords", [_LOG])}])}])}
MEASURES: Shape = {
    1: ("resourceMetrics", [{1: ("resource", _RESOURCE), 2: ("scopeMetrics", [{2: ("metrics", [_METRIC])}])}])
}
"""All requests have the same numbers; a span begins with bytes, a log record with a fixed number, and where a span has
a fixed number a metric has a message."""


def first_of(known: Mapping[str, Any], names: tuple[str, ...]) -> object:
    """The first attribute that is there."""
    return next((known[name] for name in names if known.get(name) is not None), None)
