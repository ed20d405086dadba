"""Which readers there are, what each offers, and how a file is handed to one."""

import importlib
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Protocol, TypeVar, cast

from joulebook.errors import InputBroken, InputMissing, ReaderBroken, UnknownName, translatable
from joulebook.ingest.limit import limited
from joulebook.ingest.packed import LONGEST_MAGIC, unpacked
from joulebook.terms.energy import Energy
from joulebook.terms.finding import Finding
from joulebook.terms.statement import Statement
from joulebook.terms.usage import Usage

HEAD_BYTES = 65536
"""How much of a file `detect` may look at."""

BLOCK_BYTES = 1 << 17
"""What is read at a time: it stays in the processor's own memory until its lines have been looked at."""

USAGE_ONLY = ("usage",)
"""The tables that most readers fill."""

Entry = Usage | Energy | Statement
"""A row of one of the tables that readers fill; it is known by its key: usage_key, energy_key or statement_key."""

Item = TypeVar("Item")

ENTRY_POINT_GROUP = "joulebook.readers"
"""Packages add readers of their own under this group: name = "module:Class"."""

READERS: Mapping[str, str] = MappingProxyType(
    {
        "azure-llm": "joulebook.ingest.azure_llm:AzureLlm",
        "claude-code": "joulebook.ingest.agents.claude_code:ClaudeCode",
        "codex": "joulebook.ingest.agents.codex:Codex",
        "gemini-cli": "joulebook.ingest.agents.gemini_cli:GeminiCli",
        "opencode": "joulebook.ingest.agents.opencode:OpenCode",
        "copilot-cli": "joulebook.ingest.agents.copilot_cli:CopilotCli",
        "goose": "joulebook.ingest.agents.goose:Goose",
        "cursor": "joulebook.ingest.agents.cursor:Cursor",
        "cursor-usage": "joulebook.ingest.cursor_usage:CursorUsage",
        "qwen-code": "joulebook.ingest.agents.gemini_cli:QwenCode",
        "langfuse": "joulebook.ingest.langfuse:Langfuse",
        "otlp": "joulebook.ingest.otlp:Otlp",
        "openai-usage": "joulebook.ingest.suppliers:OpenAiUsage",
        "deepseek-usage": "joulebook.ingest.consoles:DeepSeekUsage",
        "openai-costs": "joulebook.ingest.suppliers:OpenAiCosts",
        "azure-openai": "joulebook.ingest.azure_openai:AzureOpenAi",
        "vertex": "joulebook.ingest.vertex:Vertex",
        "helicone": "joulebook.ingest.helicone:Helicone",
        "ollama": "joulebook.ingest.ollama:Ollama",
        "anthropic-usage": "joulebook.ingest.suppliers:AnthropicUsage",
        "anthropic-costs": "joulebook.ingest.suppliers:AnthropicCosts",
        "bedrock-logs": "joulebook.ingest.bedrock:BedrockLogs",
        "litellm": "joulebook.ingest.gateways:LiteLlm",
        "openrouter": "joulebook.ingest.gateways:OpenRouter",
        "chatgpt-export": "joulebook.ingest.exports:ChatGptExport",
        "claude-export": "joulebook.ingest.exports:ClaudeExport",
        "focus": "joulebook.ingest.bills:Focus",
        "aws-cur": "joulebook.ingest.bills:AwsCur",
        "azure-bill": "joulebook.ingest.bills:AzureBill",
        "google-bill": "joulebook.ingest.bills:GoogleBill",
        "oracle-bill": "joulebook.ingest.bills:OracleBill",
        "prometheus": "joulebook.ingest.prometheus:Prometheus",
        "aws-carbon": "joulebook.ingest.statements:AwsCarbon",
        "google-carbon": "joulebook.ingest.statements:GoogleCarbon",
        "azure-carbon": "joulebook.ingest.statements:AzureCarbon",
        "codecarbon": "joulebook.ingest.meters.codecarbon:CodeCarbon",
        "zeus": "joulebook.ingest.meters.zeus:Zeus",
        "carbontracker": "joulebook.ingest.meters.carbontracker:CarbonTracker",
        "eco2ai": "joulebook.ingest.meters.eco2ai:Eco2Ai",
        "alumet": "joulebook.ingest.meters.alumet:Alumet",
        "perun": "joulebook.ingest.meters.perun:Perun",
        "mlflow-system": "joulebook.ingest.meters.power_series:MlflowSystem",
        "wandb-system": "joulebook.ingest.meters.power_series:WandbSystem",
        "slurm": "joulebook.ingest.clusters.slurm:Slurm",
        "prometheus-energy": "joulebook.ingest.clusters.exporters:PrometheusEnergy",
        "opencost": "joulebook.ingest.clusters.opencost:OpenCost",
        "csv": "joulebook.ingest.table:CsvTable",
        "jsonl": "joulebook.ingest.table:JsonLines",
    }
)
"""Name of a format -> "module:Class", loaded when asked for."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about a file beyond the file itself.

    Attributes:
        file: the file as the user named it, for findings; never part of a key.
        source: name of the source, where several of the same format must be told apart.
        constants: fields that hold for every row unless the file says otherwise: model, provider, region, team, ...
        mapping: field -> column of the file, for formats that have no fixed columns.
        timezone: zone of times written without one: an IANA name or +09:00; None reads them as UTC with a warning.
        encoding: of text files; None = byte order mark, else UTF-8.
        add_overlaps: sums and requests of the same time are different uses, so both are booked.
    """

    file: str = "-"
    source: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)
    timezone: str | None = None
    encoding: str | None = None
    add_overlaps: bool = False

    def source_id(self, name: str) -> str:
        """The first part of every key: the reader's name, and the name of the source where one was given."""
        return f"{name}:{self.source}" if self.source else name


class Reader(Protocol):
    """One format of other people's records.

    A reader may have a method ``records`` with the arguments of ``parse``, where ``parse`` only makes the rows of these
    records with `joulebook.ingest.records.rows_of`: many files are then read faster.

    Attributes:
        name: the name of the format in `joulebook import NAME`.
        signs: by what the format is recognised, in one sentence (English, marked for the translators).
        tables: which tables its rows go into; usage alone where the attribute is absent.
    """

    name: str
    signs: str

    def detect(self, head: bytes, name: str) -> float:
        """How surely a file is of this format: 0 not at all, 1 beyond doubt.

        Args:
            head: the first bytes of the file, unpacked where it was packed.
            name: file name without folders.
        """
        ...

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """Rows and findings, in the order of the file, one at a time.

        Raises:
            UsageError: the options do not fit the format.
        """
        ...


@dataclass(frozen=True, slots=True)
class Detection:
    """A format that a file may have, and why."""

    name: str
    certainty: float
    signs: str


def reader_names() -> tuple[str, ...]:
    """Names of all formats, those of other packages last."""
    return (*READERS, *sorted(set(_foreign()) - set(READERS)))


def reader(name: str) -> Reader:
    """The reader of one format.

    Raises:
        UnknownName: there is no such format; the message names the nearest.
        ReaderBroken: it is of another package, and cannot be loaded.
    """
    path = READERS.get(name) or _foreign().get(name)
    if path is None:
        near = get_close_matches(name, reader_names(), n=3) or reader_names()
        raise UnknownName(kind=translatable("reader"), name=name, nearest=", ".join(near))
    module, _, cls = path.partition(":")
    if name in READERS:
        return cast("Reader", getattr(importlib.import_module(module), cls)())
    try:
        found = getattr(importlib.import_module(module), cls)()
    except Exception as error:
        raise ReaderBroken(name=name, reason=f"{type(error).__name__}: {error}") from error
    missing = [part for part in ("name", "signs", "detect", "parse") if not hasattr(found, part)]
    if missing:
        raise ReaderBroken(name=name, reason=f"{path}: {', '.join(missing)}")
    return cast("Reader", found)


def loaded_readers() -> tuple[dict[str, Reader], dict[str, ReaderBroken]]:
    """All readers by name, and those of other packages that cannot be loaded with the reason."""
    found, broken = {}, {}
    for name in reader_names():
        try:
            found[name] = reader(name)
        except ReaderBroken as error:
            broken[name] = error
    return found, broken


def detect(path: Path, columns: Sequence[str] = ()) -> list[Detection]:
    """The formats a file may have, the surest first; readers of other packages that cannot be loaded are passed over.

    Args:
        path: the file.
        columns: names of its columns, where it is no text but a table whose engine told them (Parquet): it is then
            taken as the text with these names that it will be read as.

    Raises:
        InputMissing: the file cannot be opened.
    """
    if columns:
        heads = [",".join(columns).encode(), json.dumps(dict.fromkeys(columns)).encode()]
    else:
        with open_input(path) as stream:
            heads = [stream.read(HEAD_BYTES)]
    readers = loaded_readers()[0]
    found = [_detected(one, heads, path.name) for name, one in readers.items() if not (columns and name in TEXTS)]
    found += [Detection("parquet", 0.5 if "started_at" in columns else 0.2, PARQUET_SIGNS)] if columns else []
    return sorted((one for one in found if one.certainty > 0), key=lambda one: -one.certainty)


def _detected(one: Reader, heads: Sequence[bytes], name: str) -> Detection:
    return Detection(one.name, max(one.detect(head, name) for head in heads), one.signs)


PARQUET_MAGIC = b"PAR1"
PARQUET_SIGNS = translatable("a Parquet table whose columns can be mapped to usage")
TEXTS = ("csv", "jsonl")
"""Formats of any text, which a table of an engine is not."""


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does.

    Raises:
        InputMissing: the file cannot be opened.
    """
    with open_input(path) as stream:
        return stream.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def tables_of(name: str) -> tuple[str, ...]:
    """The tables that a reader fills: usage, and for the records of meters energy and statement.

    Raises:
        UnknownName: there is no such format.
    """
    return getattr(reader(name), "tables", USAGE_ONLY)


def read_path(name: str, path: Path, options: ReadOptions | None = None) -> Iterator[Entry | Finding]:
    """Read one file, packed or not, with the reader of that name.

    A rule that is broken very often is told `FINDINGS_PER_RULE` times and then counted.

    Raises:
        InputMissing: the file cannot be opened.
        InputBroken: the file breaks off in the middle.
        UnknownName: there is no such format.
        UsageError: the options do not fit the format.
    """
    given = options or ReadOptions()
    named = replace(given, file=str(path)) if given.file == "-" else given
    yield from limited(from_path(reader(name).parse, path, named), named.file)


def from_path(
    parse: Callable[[BinaryIO, ReadOptions], Iterator[Item]], path: Path, options: ReadOptions
) -> Iterator[Item]:
    """What a function of a reader finds in one file, packed or not.

    Raises:
        InputMissing: the file cannot be opened.
        InputBroken: the file breaks off in the middle.
    """
    with open_input(path) as stream:
        try:
            yield from parse(stream, options)
        except (EOFError, OSError, zlib.error) as error:
            raise InputBroken(file=options.file, reason=type(error).__name__) from error


def open_input(path: Path) -> BinaryIO:
    """Open a file for reading, unpacking gzip and Zstandard.

    Raises:
        InputMissing: the file does not exist, is a folder, or may not be read.
    """
    try:
        stream = path.open("rb", buffering=BLOCK_BYTES)
    except OSError as error:
        raise InputMissing(file=str(path), reason=error.strerror) from error
    inside = unpacked(path, cast("io.BufferedReader", stream).peek(LONGEST_MAGIC))
    if inside is None:
        return stream
    stream.close()
    return cast("BinaryIO", io.BufferedReader(inside, BLOCK_BYTES))


def _foreign() -> Mapping[str, str]:
    from importlib.metadata import entry_points  # noqa: PLC0415  (costs 20 ms; only who names a reader pays)

    return {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}
