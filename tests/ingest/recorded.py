"""The recordings: one file per form of each reader, with the totals it must give."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from joulebook.ingest.reader import ReadOptions

FOLDER = Path(__file__).parent / "recordings"
SECRET = "SECRET-CONTENT"
"""Stands wherever a recording has a prompt or an answer; it must appear nowhere in rows or findings."""


@dataclass(frozen=True)
class Recording:
    """One file and what it must give.

    Attributes:
        reader: name of the reader.
        file: file under ``recordings``; .sql is made into a database.
        rows: rows with different keys.
        totals: sums over them, written as "uncached/read/write/visible/reasoning"; - is unknown in all rows.
        options: further options of the read.
        is_detected: whether the format is recognised without being named.
        has_warning: whether the reader warns of what the format cannot tell.
    """

    reader: str
    file: str
    rows: int
    totals: str
    options: dict[str, object] = field(default_factory=dict)
    is_detected: bool = True
    has_warning: bool = False

    def read_options(self) -> ReadOptions:
        """Options for this file."""
        return ReadOptions(file=self.file, **self.options)

    def content(self) -> bytes:
        """The bytes of the file."""
        path = FOLDER / self.file
        if path.suffix != ".sql":
            return path.read_bytes()
        database = sqlite3.connect(":memory:")
        database.executescript(path.read_text(encoding="utf-8"))
        database.commit()
        content = database.serialize()
        database.close()
        return content


RECORDINGS = (
    Recording("claude-code", "claude-code.jsonl", 6, "33/1000/140/282/-"),
    Recording("codex", "codex.jsonl", 4, "1000/3200/-/300/100"),
    Recording("gemini-cli", "gemini-cli.json", 2, "97/60/-/25/30"),
    Recording("gemini-cli", "gemini-cli.jsonl", 1, "100/0/-/20/5"),
    Recording("qwen-code", "qwen-code.jsonl", 2, "350/150/-/60/30"),
    Recording("opencode", "opencode.json", 1, "12/500/60/34/0"),
    Recording("opencode", "opencode.sql", 2, "52/600/60/64/20"),
    Recording("copilot-cli", "copilot-cli.jsonl", 2, "500/900/100/210/50"),
    Recording("goose", "goose.sql", 2, "2100/15000/3000/1010/-"),
    Recording("goose", "goose-ledger.sql", 4, "9030/8320/-/470/-"),
    Recording("goose", "goose.jsonl", 1, "7287/-/-/241/-"),
    Recording("cursor", "cursor.sql", 4, "2219/-/-/50/-", has_warning=True),
    Recording("cursor-usage", "cursor-usage.csv", 4, "46989/1850816/130957/22255/-"),
    Recording("otlp", "otlp.jsonl", 8, "695/2140/100/204/67"),
    Recording("otlp", "otlp-spans.json", 5, "520/1300/40/100/30"),
    Recording("otlp", "otlp-spans.binpb", 5, "520/1300/40/100/30"),
    Recording("otlp", "otlp-both.binpb", 8, "695/2140/100/204/67"),
    Recording("otlp", "otlp-metrics.json", 2, "1607/100/-/130/60"),
    Recording("otlp", "otlp-copilot.jsonl", 2, "700/900/100/83/17"),
    Recording("otlp", "otlp-gemini.log", 2, "906/300/-/90/45"),
    Recording("openai-usage", "openai-usage.json", 5, "270/800/-/530/-"),
    Recording("openai-costs", "openai-costs.json", 0, "-/-/-/-/-", has_warning=True),
    Recording("anthropic-costs", "anthropic-costs.json", 0, "-/-/-/-/-", has_warning=True),
    Recording("deepseek-usage", "deepseek-usage.csv", 2, "2060/10000/-/540/-"),
    Recording("azure-openai", "azure-openai.json", 2, "1500/-/-/150/-"),
    Recording("azure-openai", "azure-openai.jsonl", 2, "190/-/-/37/-"),
    Recording("vertex", "vertex.jsonl", 3, "248/1000/0/57/50"),
    Recording("helicone", "helicone.jsonl", 2, "412/1100/40/90/30"),
    Recording("ollama", "ollama.jsonl", 2, "26/-/-/330/-"),
    Recording("anthropic-usage", "anthropic-usage.json", 2, "1510/200/1500/507/-"),
    Recording("bedrock-logs", "bedrock-logs.jsonl", 2, "45/300/40/466/-"),
    Recording("litellm", "litellm.json", 3, "50/860/200/45/5"),
    Recording("openrouter", "openrouter.json", 1, "8/4/-/22/8"),
    Recording("openrouter", "openrouter-activity.json", 1, "50/-/-/100/25"),
    Recording("openrouter", "openrouter.csv", 2, "2489/8000/-/150/37"),
    Recording("litellm", "litellm.csv", 2, "50/860/200/45/5"),
    Recording("helicone", "helicone.csv", 2, "412/-/-/90/-"),
    Recording("langfuse", "langfuse.csv", 2, "60/140/-/50/10"),
    Recording("chatgpt-export", "chatgpt-export.json", 3, "23/-/-/13/-", has_warning=True),
    Recording("claude-export", "claude-export.json", 2, "12/-/-/5/-", has_warning=True),
    Recording("focus", "focus.csv", 7, "2500/-/-/300/-", has_warning=True),
    Recording("focus", "focus-athena.csv", 7, "2500/-/-/300/-", has_warning=True),
    Recording("focus", "focus-azure.csv", 5, "12000/1250000/-/32000/-", has_warning=True),
    Recording("aws-cur", "aws-cur.csv", 3, "0/-/-/4000/-", has_warning=True),
    Recording("prometheus", "prometheus.jsonl", 2, "1790/510/-/145/-", has_warning=True),
    Recording("langfuse", "langfuse.json", 3, "60/140/-/50/10"),
    Recording("langfuse", "langfuse.jsonl", 1, "7/-/-/5/-"),
)
