"""Logs of gateways: LiteLLM spend logs and callback payloads, OpenRouter generations and activity.

LiteLLM counts input with cache and output with reasoning, whatever the supplier; an answer out of LiteLLM's own cache
used no model and is passed over. OpenRouter's native counts are the model's own tokens; the others are normalised and
are taken only where the native ones are missing.

Sources: LiteLLM documentation, "StandardLoggingPayload" and "Spend Tracking"; OpenRouter API reference, "Get a
generation" and "Get user activity".
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, dicts, first_of, json_documents, loaded, name_of, rows_of
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

_TRUE = (True, "True", "true")


class LiteLlm:
    """LiteLLM: rows of ``LiteLLM_SpendLogs`` or standard logging payloads, as JSON."""

    name = "litellm"
    signs = translatable("records with call_type, prompt_tokens and startTime, as LiteLLM logs them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        return 0.95 if all(word in head for word in (b'"call_type"', b'"prompt_tokens"', b'"startTime"')) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per request."""
        return rows_of(self.name, options, _litellm(stream, options.file))


class OpenRouter:
    """OpenRouter: generations one by one, or the activity per day, model and endpoint."""

    name = "openrouter"
    signs = translatable("generations with native_tokens_prompt, or activity with model_permaslug, of OpenRouter")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        return 0.97 if b'"native_tokens_prompt"' in head or b'"model_permaslug"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per generation, or per line of the activity."""
        return rows_of(self.name, options, _openrouter(stream, options.file))


def _litellm(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        if entry.get("cache_hit") in _TRUE or entry.get("status") == "failure":
            continue
        yield line, _litellm_record(entry)


def _litellm_record(entry: Mapping[str, Any]) -> dict[str, object]:
    kept = entry.get("metadata")
    metadata = loaded(kept) if isinstance(kept, str) else kept
    usage = first_of(metadata, "usage_object", "additional_usage_values")
    is_embedding = "embedding" in str(entry.get("call_type"))
    counts: dict[str, object] = {
        "input_tokens": entry.get("prompt_tokens"),
        "cache_read_tokens": first_of(usage, "cache_read_input_tokens", "prompt_tokens_details.cached_tokens"),
        "cache_write_tokens": first_of(usage, "cache_creation_input_tokens"),
        "output_tokens": entry.get("completion_tokens"),
        "reasoning_output_tokens": first_of(usage, "completion_tokens_details.reasoning_tokens"),
    }
    return {
        **({"embedding_tokens": entry.get("prompt_tokens")} if is_embedding else counts),
        "request_id": name_of(first_of(entry, "request_id", "id")),
        "started_at": entry.get("startTime"),
        "ended_at": entry.get("endTime"),
        "model": name_of(entry.get("model")),
        "provider": provider_name(entry.get("custom_llm_provider")),
        "team": name_of(first_of(metadata, "user_api_key_team_alias")) or name_of(entry.get("team_id")),
        "user_id": name_of(entry.get("user")),
        "cost_usd": first_of(entry, "spend", "response_cost"),
    }


def _openrouter(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, page = item
        data = page.get("data", page)
        for entry in [data] if isinstance(data, dict) else dicts(data):
            yield line, _activity(entry) if "model_permaslug" in entry else _generation(entry)


def _generation(entry: Mapping[str, Any]) -> dict[str, object]:
    return {
        "request_id": name_of(first_of(entry, "upstream_id", "id")),
        "started_at": entry.get("created_at"),
        "model": name_of(entry.get("model")),
        "provider": provider_name(entry.get("provider_name")),
        "input_tokens": first_of(entry, "native_tokens_prompt", "tokens_prompt"),
        "cache_read_tokens": entry.get("native_tokens_cached"),
        "output_tokens": first_of(entry, "native_tokens_completion", "tokens_completion"),
        "reasoning_output_tokens": entry.get("native_tokens_reasoning"),
        "cost_usd": first_of(entry, "total_cost", "usage"),
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
