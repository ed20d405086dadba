"""Tokens of hosted models on a bill: how many, of which class, of which model.

A line is told by its SKU: Bedrock's ``USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global``,
``USE1-openai.gpt-oss-120b-mantle-input-tokens-standard`` and, of models sold through the Marketplace in millions of
tokens, ``USE1-MP:USE1_InputTokenCount-Units``; Azure's ``gpt 4o 1120 cached Inp glbl Tokens`` and ``5.4 opt Gl 1M
Tokens``, whose family stands in the product; Google's ``Gemini 2.5 Flash GA Text Input - Predictions`` (tokens since
Gemini 2.0; characters before, which are not booked) and ``Generate content output token count gemini 3 flash text``.

Claude that is sold through a marketplace in Claude Consumption Units is money at a fixed price a unit: rates of models
and classes were applied before, and discounts taken off, so no tokens can be told from it.

Checked against: AWS, "Understanding your Amazon Bedrock Cost and Usage Report data"; meters of the Azure Retail Prices
API and SKUs of the Google Cloud Billing Catalog API as public repositories record them, 2024 to 2026; AWS,
"Claude Platform on AWS: Billing"; Microsoft, "Claude Consumption Units (CCU) billing in Microsoft Foundry".
"""

import re

from joulebook.ingest.bill_blocks import UNITS, UNTOLD, named_block, tokens_in

_TOKEN = re.compile(r"tokens?(?![a-z])|token[-_]?count", re.IGNORECASE)
_GEMINI = re.compile(
    r"Gemini (?:[2-9]|\d\d).*? "
    r"(?:(?:Text|Image|Audio|Video) (?:Input|Output)(?: - |.* Predictions| Caching(?! Storage))"
    r"|Input (?:Text|Image|Audio|Video) Caching(?! Storage))",
    re.IGNORECASE,
)
_FOUNDRY = re.compile(
    r"(?=.*(?:\bAzure (?:OpenAI|[\w.]+ Models)\b|\bFoundry Models\b)).*"
    r"\b(?:inp?|inpt|outp?t?|opt|cached?|cd)[ -](?:img|txt|aud|gl|glbl|dz|regnl|\d|- )",
    re.IGNORECASE | re.DOTALL,
)
"""Meters of Azure that leave out the word token: ``gpt img 1.5 out txt gl``, ``FW DeepSeek V3.2 Inp DZ``."""

_MARKETPLACE = re.compile(
    r"MP:\w*TokenCount\w*-Units|AWS Marketplace software usage\|[^|]*\|(?:Input|Output|Cache (?:Read|Write)) Tokens\b"
)
"""Tokens of models sold through the Marketplace of AWS: a unit is a million of them, whether or not its words say so.
At the published price of a million input tokens of Claude Opus 4.7, a unit ``Input Tokens - Standard, Global`` costs 5
US dollars."""

_CAPACITY = re.compile(
    r"provisioned[ _-]?(?:throughput|managed)|\bptus?\b|TPM[ _-](?:reserved|hour)|reserved_\w*TPM",
    re.IGNORECASE,
)
"""Throughput of hosted models that is paid whether it is used or not."""

EMBEDDED = "embedding_tokens"
_CONSUMPTION_UNIT = re.compile(
    r"claude[ _-]?consumption[ _-]?unit|(?=.*(?:claude|anthropic)).*(?<![a-z])ccus?(?![a-z])", re.IGNORECASE | re.DOTALL
)
"""Claude Consumption Units: an amount of money that tokens of any model and class were converted to."""

_CLASSES = (
    (re.compile(r"embed", re.IGNORECASE), EMBEDDED),
    (re.compile(r"(?:cached?|\bcd)[-_ ]?wr", re.IGNORECASE), "cache_write_tokens"),
    (re.compile(r"cache[-_ ]?read|cached|caching(?! storage)|\bcd\b", re.IGNORECASE), "cache_read_tokens"),
    (re.compile(r"output|outpt?\b|\bout\b|\bopt\b|completion|response", re.IGNORECASE), "visible_output_tokens"),
    (re.compile(r"input|inpt?\b|\bin\b|prompt", re.IGNORECASE), "uncached_input_tokens"),
)

_PLACE_FIRST = re.compile(
    r"\A(?:(?:[A-Z]{2,5}\d|EU)-)?(?:MP:\w+?\d_)?(?:Azure OpenAI ?-? ?|Amazon Bedrock ?-? ?|Vertex AI:? ?)?"
    r"(?:FW |Anthropic )?"
)
_COUNTED_FIRST = re.compile(r"\AGenerate[ _]content .*?token count (?:for )?", re.IGNORECASE)
_CLASS_WORD = re.compile(
    r"(?:\A|[-_ ]+)(?:cache[-_ ]?(?:read|write)|cached|cd\b|input|inpt?\b|in\b|prompt|output|outpt?\b|out\b|opt\b"
    r"|response|completion)",
    re.IGNORECASE,
)
_TOKENS_LAST = re.compile(r"[-_ ]+(?:glbl|gl|global|regnl|dz|data ?zone)?[-_ ]*(?:1[KM] )?tokens?\Z", re.IGNORECASE)
_MANNER = re.compile(
    r"(?:[-_ ]+(?:mantle|std|batch|flex|priority|pp|shortco|longco|short|long|global"
    r"|ga|thinking text|text|txt|audio|aud|video))+\Z",
    re.IGNORECASE,
)
"""How a model was called, at the end of its name."""

_IMAGES_READ = re.compile(r" Image(?= (?:Input|Image Output))", re.IGNORECASE)
"""What a model of Google read, or what one for images (``Gemini 2.5 Flash Image``) wrote: no part of its name."""

_SOLD = re.compile(r"(\w[\w. +-]*?) \(Amazon Bedrock Edition\)")
_MAKER = re.compile(r"\A(?:Cohere|Meta) ")
_FAMILY = re.compile(r"\bAzure (?:OpenAI )?(GPT|Deepseek|Grok)", re.IGNORECASE)
_ARN = re.compile(r"(?:foundation-model|inference-profile)/((?:[\w-]+\.)+[\w.:-]+)\Z")


def tokens_of(text: str, unit: str, quantity: float) -> dict[str, object] | None:
    """Tokens of a hosted model on a line, by class; None where the line is about something else.

    >>> tokens_of("USE1-Claude3Sonnet-input-tokens", "1K tokens", 2.5)
    {'uncached_input_tokens': 2500}
    >>> tokens_of("USE1-MP:USE1_OutputTokenCount-Units AWS Marketplace|Million Response Tokens", "Units", 0.5)
    {'visible_output_tokens': 500000}
    """
    if not is_of_tokens(text, unit):
        return None
    is_block = unit.lower() in UNITS
    scale = (named_block(text) or _sold_by(text)) if is_block else tokens_in(unit)
    name = next((name for pattern, name in _CLASSES if pattern.search(text)), None)
    return None if scale is None or name is None else {name: round(quantity * scale)}


def untold_tokens(text: str, unit: str) -> str | None:
    """The rule of `joulebook.terms.finding` for a line on a hosted model whose tokens cannot be told, if it is one.

    >>> untold_tokens("Claude Consumption Unit", "Units"), untold_tokens("gpt 4o Inp Tokens", "Units")
    ('tokens-as-money', 'tokens-untold')
    >>> untold_tokens("Azure OpenAI Provisioned Managed Global Unit", "1 Hour")
    'capacity-without-tokens'
    >>> untold_tokens("Requests-Tier1", "Requests") is None
    True
    """
    if _CONSUMPTION_UNIT.search(f"{text} {unit}"):
        return "tokens-as-money"
    if _CAPACITY.search(f"{text} {unit}"):
        return "capacity-without-tokens"
    return "tokens-untold" if is_of_tokens(text, unit) and (unit == UNTOLD or unit.lower() in UNITS) else None


def is_of_tokens(text: str, unit: str) -> bool:
    """Whether a line counts tokens of a hosted model, by its words."""
    return bool(_TOKEN.search(f"{text} {unit}") or _GEMINI.search(text) or _FOUNDRY.match(text))


def _sold_by(text: str) -> int | None:
    return 1_000_000 if _MARKETPLACE.search(text) else None


def model_of(sku: str, product: str = "") -> str | None:
    """The model that a SKU of tokens names, as it writes it; None where neither it nor the product names one.

    >>> model_of("USE1-Claude3Sonnet-input-tokens"), model_of("gpt-4o-0806-Inp-glbl Tokens")
    ('Claude3Sonnet', 'gpt-4o-0806')
    >>> model_of("USW2-MP:USW2_InputTokenCount-Units", "Claude Sonnet 4.6 (Amazon Bedrock Edition)")
    'Claude Sonnet 4.6'
    >>> model_of("5.4 mini opt Gl 1M Tokens", "Azure OpenAI GPT5")
    'gpt-5.4 mini'
    >>> model_of("FW DeepSeek V3.2 Inp DZ"), model_of("MP:x-Units", "Cohere Command R+ (Amazon Bedrock Edition)")
    ('DeepSeek V3.2', 'Command R Plus')
    """
    sold, family = _SOLD.search(product), _FAMILY.search(product)
    if sold is not None:
        return _MAKER.sub("", sold[1].replace("+", " Plus"))
    counted = _IMAGES_READ.sub("", _TOKENS_LAST.sub("", _COUNTED_FIRST.sub("", sku.strip())))
    name = _CLASS_WORD.split(_PLACE_FIRST.sub("", counted), maxsplit=1)[0]
    name = _MANNER.sub("", name).strip(" -_:")
    if family is not None and re.match(r"V?\d", name):
        name = f"{family[1].lower()}-{name}"
    return name or None


def model_called(resource: str) -> str | None:
    """The model that an ARN of Bedrock names.

    >>> model_called("arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0")
    'anthropic.claude-3-5-sonnet-20240620-v1:0'
    """
    found = _ARN.search(resource)
    return found[1] if found else None
