"""One model, many spellings: what resellers, gateways and file formats do to a model's name, undone.

`spelling` brings a name into a form in which ``us.anthropic.claude-opus-4-1-20250805-v1:0`` and
``claude-opus-4.1@20250805`` are one; `shorter` leaves out, step by step, endings that say how a model is served or when
it was released; `size` reads ``70b``, ``8x7b`` or ``30b-a3b``. None of them knows a model: the registry
says which of the forms are names.
"""

import re
from collections.abc import Iterator

ROUTE = re.compile(
    r"^(?:(?:[a-z]{2,6}|us-gov)\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|google|writer|nvidia"
    r"|minimax|moonshot|moonshotai|zai|xai|stability|twelvelabs|luma)\."
)
"""Prefix of a name on Amazon Bedrock and Oracle: an inference profile (``us.``, ``apac.``) and the developer."""

REVISION = re.compile(
    r"(?:-v\d+:\d+(?::\w+)?|:\d+|:free|:beta|:thinking|:latest|:nitro|:floor|:exacto|:online|:cloud)$"
)
"""Suffix of a name that marks a revision, price or route of the same model."""

BEDROCK_REVISION = re.compile(r"(?<=.)-v\d$")
"""A revision without its second number, after a Bedrock prefix: ``anthropic.claude-opus-4-6-v1``."""

FINE_TUNED = re.compile(r"^ft:([^:]+).*$")
"""OpenAI's name of a fine-tuned model: ``ft:gpt-4o-mini-2024-07-18:organisation::id``."""

HOST = re.compile(
    r"^(?:(?:databricks|meta|zai|z-ai|xai|openai|google|anthropic|amazon|alibaba|cohere|nvidia|fw|cc|hf|vertex|azure)-|system\.ai\.)(?=[a-z])"
)
"""A word before the name that says who made or serves the model."""

POINT = re.compile(r"(?<=\d)p(?=\d)")
"""Fireworks writes ``v3p1`` for ``v3.1``."""

PARTS = re.compile(r"[a-z]+|\d+")

FORM = re.compile(
    r"-(?:fp-?\d+|bf-16|nvfp-4|mxfp-4|int-\d+|awq|gptq|gguf|mlx|w-\d+-a-\d+|\d-bit|q-\d+(?:-[a-z0-9]+)*|fp-8-dynamic|hf|tee|maas"
    r"|default|original|lora|serverless|dedicated|throughput|preview|latest|exp|experimental|stable|beta|alpha|instruct|it"
    r"|chat|base|think|thinking|reasoning|non-reasoning|no-thinking|xhigh|high|medium|low|minimal|none|max-effort)$"
)
"""Endings that say in which form a model is served: number format, gateway, reasoning effort, instruction tuning."""

SPEED = re.compile(r"-(?:turbo|fast|speed|highspeed|lightning|flex|priority|batch|us|eu)$")
"""Endings that name a faster, cheaper or local service; where one belongs to another model, that is found first."""

DATE = re.compile(r"-(?:20\d\d-\d{1,2}-\d{1,2}|20\d{6}|\d{1,2}-20\d\d|\d{6}|\d{4}|\d{2}-\d{2}|00\d)$")
"""A release at the end."""

VERSION = re.compile(r"-v(?:-\d+){0,2}$")
"""A version at the end of a name that states a size; elsewhere it is the name (``deepseek-v3``)."""

SIZE = re.compile(r"(?<![a-z0-9.])(\d+x)?(\d+(?:[.p]\d+)?)(t|b|m)(?![a-z0-9])")
ACTIVE = re.compile(r"(?<![a-z0-9])a(\d+(?:[.p]\d+)?)b(?![a-z0-9])")


def bare(name: str) -> str:
    """A name without developer, route and revision: ``claude-opus-4-1-20250805``."""
    tail = name.strip().lower().rsplit("/", 1)[-1]
    tail = FINE_TUNED.sub(r"\1", tail)
    plain = REVISION.sub("", ROUTE.sub("", tail)).replace("@", "-")
    return plain if plain == tail else BEDROCK_REVISION.sub("", plain)


def spelling(name: str) -> str:
    """The form all spellings of a name share: its runs of letters and of digits, joined by hyphens."""
    plain = POINT.sub(".", HOST.sub("", bare(name)))
    return "-".join(PARTS.findall(plain))


def shorter(name: str) -> Iterator[str]:
    """Spellings with one more ending left out each time, the longest first; the name itself is not among them.

    Args:
        name: a name in the form of `spelling`.
    """
    has_size = re.search(r"-\d+-[bt](?:-|$)", name) is not None
    endings = (FORM, SPEED, DATE, VERSION) if has_size else (FORM, SPEED, DATE)
    left = name
    while True:
        cut = next((found for ending in endings if (found := ending.sub("", left)) != left), None)
        if not cut or "-" not in cut:
            return
        left = cut
        yield left


def size(name: str) -> str | None:
    """The size a name states: ``70b``, ``8x7b``, ``30b-a3b``, ``335m``, ``2.4t-a95b``; None where it states none.

    Args:
        name: the name as written.
    """
    plain = POINT.sub(".", name.strip().lower().rsplit("/", 1)[-1].replace("_", "-").replace(":", "-"))
    whole = SIZE.search(plain)
    if whole is None:
        return None
    active = ACTIVE.search(plain)
    text = f"{whole[1] or ''}{whole[2]}{whole[3]}"
    return f"{text}-a{active[1]}b" if active else text
