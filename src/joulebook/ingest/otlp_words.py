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
            "gen_ai.usage.input_tokens.cached",
            "llm.token_count.prompt_details.cache_read",
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.input_tokens.cache_write",
            "llm.token_count.prompt_details.cache_write",
        ),
        "reasoning_output_tokens": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.output_tokens.reasoning",
            "llm.usage.reasoning_tokens",
            "llm.token_count.completion_details.reasoning",
        ),
        "model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "llm.request.model"),
        "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor"),
        "service_tier": ("gen_ai.openai.response.service_tier", "openai.response.service_tier"),
        "response_id": ("gen_ai.response.id",),
    }
)
"""Our word -> attributes of a span, the newest convention first."""

PASSED_OVER = frozenset(
    {"invoke_agent", "create_agent", "execute_tool", "invoke_workflow"}
    | {"agent", "chain", "tool", "retriever", "reranker", "guardrail", "evaluator", "prompt", "workflow", "task"}
)
"""Operations (GenAI) and span kinds (OpenInference, OpenLLMetry) that are no call of a model."""

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
            "tool_tokens": "tool_token_count",
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
SPANS: Shape = {1: ("resourceSpans", [{1: ("resource", _RESOURCE), 2: ("scopeSpans", [{2: ("spans", [_SPAN])}])}])}
LOGS: Shape = {1: ("resourceLogs", [{1: ("resource", _RESOURCE), 2: ("scopeLogs", [{2: ("logRecords", [_LOG])}])}])}
"""Both requests have the same numbers; a span begins with bytes, a log record with a fixed number."""


def first_of(known: Mapping[str, Any], names: tuple[str, ...]) -> object:
    """The first attribute that is there."""
    return next((known[name] for name in names if known.get(name) is not None), None)
