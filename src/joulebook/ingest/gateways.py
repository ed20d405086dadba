"""Logs of gateways: LiteLLM spend logs and callback payloads, OpenRouter generations and activity; JSON or CSV.

LiteLLM counts input with cache and output with reasoning, whatever the supplier; only what was written to a cache
stood beside the input in its releases of 2025, which name it in no details of the prompt. An answer out of LiteLLM's
own cache used no model and is passed over, and so are calls of tools (MCP). Its table has times in UTC without saying
so.
OpenRouter's native counts are the model's own tokens; the others are normalised and are taken only where the native
ones are missing. The CSV that its activity page exports has one generation per line, with cached and reasoning tokens
inside prompt and completion. Both are known by the generation's id, which is also the id of the answer that the client
got; the supplier's own id (``upstream_id``) stands in the API's answer alone.

Checked against: the table ``LiteLLM_SpendLogs`` of LiteLLM's ``schema.prisma`` (2026), answers of ``/spend/logs`` and
``/spend/logs/ui``; what LiteLLM 1.60.0, 1.65.8, 1.67.2, 1.72.0, 1.75.8, 1.80.0, 1.83.0 and 1.110.2 themselves wrote of
the same answers of Anthropic and OpenAI; headers of OpenRouter's activity export of 2025 and 2026. Sources: LiteLLM
documentation, "StandardLoggingPayload" and "Spend Tracking"; OpenRouter API reference, "Get a generation", "Get user
activity", and guide, "Activity export".
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.documents import documents, in_utc
from joulebook.ingest.lines import loaded
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import TOKEN_FIELDS, Record, first_of, name_of, rows_of, whole
from joulebook.ingest.table import csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert
from joulebook.terms.usage import Usage

_TRUE = (True, "True", "true", "t")
FIELDS = (*TOKEN_FIELDS, "time_to_first_token_s")
SPEND = ("call_type", "prompt_tokens", "startTime")
ACTIVITY = ("created_at", "tokens_prompt", "model_permaslug")


class LiteLlm:
    """LiteLLM: rows of ``LiteLLM_SpendLogs``, as JSON or CSV, or standard logging payloads."""

    name = "litellm"
    signs = translatable("records with call_type, prompt_tokens and startTime, as LiteLLM logs them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        is_json = all(f'"{word}"'.encode() in head for word in SPEND)
        return 0.95 if is_json or set(SPEND) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per request."""
        return rows_of(self.name, options, _litellm(stream, options))


class OpenRouter:
    """OpenRouter: generations one by one, or the activity per day, model and endpoint."""

    name = "openrouter"
    signs = translatable("generations with native_tokens_prompt, or activity with model_permaslug, of OpenRouter")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        if b'"native_tokens_prompt"' in head or b'"model_permaslug"' in head:
            return 0.97
        return 0.97 if set(ACTIVITY) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per generation, or per line of the activity."""
        return rows_of(self.name, options, _openrouter(stream, options), FIELDS)


def _litellm(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    for item in documents(stream, options, SPEND):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        is_call = "mcp" not in str(entry.get("call_type"))
        if is_call and entry.get("cache_hit") not in _TRUE and entry.get("status") != "failure":
            yield line, _litellm_record(entry)


def _litellm_record(entry: Mapping[str, Any]) -> dict[str, object]:
    kept = entry.get("metadata")
    metadata = loaded(kept) if isinstance(kept, str) else kept
    metadata = {**(metadata if isinstance(metadata, dict) else {}), "response": entry.get("response")}
    is_embedding = "embedding" in str(entry.get("call_type"))
    if not entry.get("total_tokens") and not entry.get("prompt_tokens") and not entry.get("completion_tokens"):
        entry = {**entry, "prompt_tokens": None, "completion_tokens": None}  # not counted: images, audio, ...
    counts: dict[str, object] = {
        **_input(entry.get("prompt_tokens"), metadata),
        "output_tokens": entry.get("completion_tokens"),
        "reasoning_output_tokens": first_of(metadata, *_usage("completion_tokens_details.reasoning_tokens")),
    }
    return {
        **({"embedding_tokens": entry.get("prompt_tokens")} if is_embedding else counts),
        "request_id": name_of(first_of(entry, "request_id", "id")),
        "started_at": in_utc(entry.get("startTime")),
        "ended_at": in_utc(entry.get("endTime")),
        "model": name_of(entry.get("model")),
        "provider": provider_name(entry.get("custom_llm_provider")),
        "team": name_of(first_of(metadata, "user_api_key_team_alias"))
        or name_of(entry.get("team_id"))
        or name_of(first_of(metadata, "user_api_key_team_id")),
        "user_id": name_of(entry.get("user")) or name_of(first_of(metadata, "user_api_key_user_id")),
        "cost_usd": first_of(entry, "spend", "response_cost"),
    }


def _usage(*words: str) -> tuple[str, ...]:
    """Where LiteLLM keeps the supplier's words: its newer object first, then the older one, then the answer."""
    places = ("usage_object", "additional_usage_values", "response.usage")
    return tuple(f"{place}.{word}" for place in places for word in words)


def _input(told: object, metadata: Mapping[str, Any]) -> dict[str, object]:
    """Input and cache; what the input has no room for stood beside it, and so did writes of the releases of 2025."""
    inside = ("prompt_tokens_details.cache_creation_tokens", "prompt_tokens_details.cache_write_tokens")
    read = first_of(metadata, *_usage("cache_read_input_tokens", "prompt_tokens_details.cached_tokens"))
    written = first_of(metadata, *_usage("cache_creation_input_tokens", *inside))
    kept: dict[str, object] = {"cache_read_tokens": read, "cache_write_tokens": written}
    taken = whole(told)
    if taken is None:
        return {"input_tokens": told, **kept}
    is_beside = bool(metadata.get("usage_object")) and first_of(metadata, *_usage(*inside)) is None
    for part in (0 if is_beside else (whole(written) or 0), 0):
        rest = taken - (whole(read) or 0) - part
        if rest >= 0:
            return {"uncached_input_tokens": rest, **kept}
    return {"uncached_input_tokens": taken, **kept}


def _openrouter(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    for item in documents(stream, options, ACTIVITY):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        is_sum = "model_permaslug" in entry and "tokens_prompt" not in entry
        yield line, _activity(entry) if is_sum else _generation(entry)


def _generation(entry: Mapping[str, Any]) -> dict[str, object]:
    wait = entry.get("time_to_first_token_ms")
    return {
        "request_id": name_of(first_of(entry, "id", "generation_id", "upstream_id")),
        "started_at": in_utc(entry.get("created_at")),
        "model": name_of(first_of(entry, "model", "model_permaslug")),
        "provider": provider_name(entry.get("provider_name")),
        "input_tokens": first_of(entry, "native_tokens_prompt", "tokens_prompt"),
        "cache_read_tokens": first_of(entry, "native_tokens_cached", "tokens_cached"),
        "output_tokens": first_of(entry, "native_tokens_completion", "tokens_completion"),
        "reasoning_output_tokens": first_of(entry, "native_tokens_reasoning", "tokens_reasoning"),
        "tool": name_of(entry.get("app_name")),
        "project": name_of(entry.get("api_key_name")),
        "user_id": name_of(entry.get("user")),
        "cost_usd": first_of(entry, "total_cost", "cost_total", "usage"),
        "time_to_first_token_s": convert(wait, "ms", "s") if isinstance(wait, int) and wait > 0 else None,
    }


def _activity(entry: Mapping[str, Any]) -> dict[str, object]:
    names = ("date", "model_permaslug", "endpoint_id", "provider_name")
    return {
        "request_id": "|".join(f"{name}={entry.get(name)}" for name in names),
        "started_at": f"{str(entry.get('date')).partition(' ')[0]}T00:00:00Z",
        "model": name_of(entry.get("model_permaslug")),
        "provider": provider_name(entry.get("provider_name")),
        "request_count": entry.get("requests") or None,
        "input_tokens": entry.get("prompt_tokens"),
        "output_tokens": entry.get("completion_tokens"),
        "reasoning_output_tokens": entry.get("reasoning_tokens"),
        "cost_usd": entry.get("usage"),
    }
