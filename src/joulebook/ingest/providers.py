"""Who hosts the model: the words of conventions, gateways and agents -> ours."""

from collections.abc import Mapping
from types import MappingProxyType

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "aws.bedrock": "aws",
        "aws_bedrock": "aws",
        "bedrock": "aws",
        "bedrock_converse": "aws",
        "amazon-bedrock": "aws",
        "sagemaker": "aws",
        "aws": "aws",
        "amazon": "aws",
        "amazon web services": "aws",
        "azure": "azure",
        "azure_ai": "azure",
        "az.ai.openai": "azure",
        "az.ai.inference": "azure",
        "azure.ai.openai": "azure",
        "azure.ai.inference": "azure",
        "microsoft": "azure",
        "microsoft azure": "azure",
        "gcp": "gcp",
        "google cloud": "gcp",
        "google cloud platform": "gcp",
        "gcp.vertex_ai": "gcp",
        "vertex_ai": "gcp",
        "google-vertex": "gcp",
        "google-vertex-anthropic": "gcp",
        "gcp.gemini": "google",
        "gcp.gen_ai": "google",
        "gemini": "google",
        "google ai studio": "google",
        "google.generative-ai": "google",
        "google.vertex": "gcp",
        "vertex.anthropic": "gcp",
        "azure-openai": "azure",
        "mistralai": "mistral",
        "mistral_ai": "mistral",
        "cohere_chat": "cohere",
        "x_ai": "xai",
        "oracle": "oracle",
        "oci": "oracle",
        "oracle cloud": "oracle",
        "oracle cloud infrastructure": "oracle",
    }
)
"""Their word in small letters -> ours. Sources: OpenTelemetry ``gen_ai.provider.name`` and ``gen_ai.system``, LiteLLM
``custom_llm_provider``, opencode ``providerID``, FOCUS ``ProviderName`` as the exports of each cloud write it (Google's
view: "Google Cloud")."""


INTERFACES = frozenset({"chat", "responses", "completion", "embedding", "messages"})
"""What Vercel's AI SDK writes behind the host: the interface it called."""


def provider_name(theirs: object) -> str | None:
    """Our word for a host; their own, in small letters, where we have none; None where they name none.

    >>> provider_name("gcp.vertex_ai"), provider_name("OpenAI"), provider_name(""), provider_name("openai.responses")
    ('gcp', 'openai', None, 'openai')
    """
    if not isinstance(theirs, str) or not theirs.strip():
        return None
    word = theirs.strip().lower()
    host, _dot, interface = word.rpartition(".")
    word = host if host and interface in INTERFACES else word
    return PROVIDERS.get(word, word)
