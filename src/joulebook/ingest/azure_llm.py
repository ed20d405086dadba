"""The Azure LLM inference traces: one request per line, with the time, the prompt's and the answer's tokens.

Source: Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting", ISCA 2024; the dataset is
AzureLLMInferenceTrace of Azure/AzurePublicDataset. The file names neither model nor region nor time zone.
"""

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.mapping import FieldMapping
from joulebook.ingest.reader import HEAD_BYTES, ReadOptions
from joulebook.ingest.table import csv_header, declared, read_csv
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

COLUMNS = {
    "started_at": "TIMESTAMP",
    "uncached_input_tokens": "ContextTokens",
    "visible_output_tokens": "GeneratedTokens",
}
"""Our word -> their word. Nothing is known of caches or hidden reasoning: those classes stay unknown."""


class AzureLlm:
    """Reader of the traces' CSV files, of 2023 and 2024."""

    name = "azure-llm"
    signs = translatable("the columns TIMESTAMP, ContextTokens and GeneratedTokens")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        return 1.0 if set(COLUMNS.values()) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per request."""
        head = stream.peek(HEAD_BYTES) if isinstance(stream, io.BufferedReader) else stream.read(HEAD_BYTES)
        if not isinstance(stream, io.BufferedReader):
            stream.seek(0)
        is_plain = bool(head.strip()) and b"\x00" not in head and options.encoding is None
        if is_plain and not options.mapping and not set(COLUMNS.values()) & set(csv_header(head)):
            facts = {"format": self.name, "expected": self.signs}
            return iter((Finding(options.file, None, "wrong-file", facts),))
        return read_csv(stream, options, self.declare((), options))

    def declare(self, header: Sequence[str], options: ReadOptions) -> FieldMapping:  # noqa: ARG002  (fixed columns)
        """The mapping of the traces, and what the user adds to it.

        Raises:
            UsageError: the user maps something that does not fit.
        """
        return declared(self.name, options, {**COLUMNS, **options.mapping}).checked()
