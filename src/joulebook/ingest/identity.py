"""By what a use is known again in another record of it, where the records share no key.

An agent's log and its telemetry tell of the same answers. Both name the request where the supplier gave it an id
(Claude Code: ``requestId`` in the log, ``request_id`` in the event); else both name session, model and token counts,
which together with the time are as good as an id: the cache grows from answer to answer. `joulebook.store.overlap`
does the comparing and says how far the times may lie apart.

Sources: Claude Code documentation, "Monitoring", API request event; Codex documentation, "Observability", sse_event;
Gemini CLI documentation, "Telemetry", api_response.
"""

from collections.abc import Iterable
from hashlib import sha256

from joulebook.terms.usage import KEY_DIGITS, KEY_SEPARATOR

WINDOW = "["
"""Claude Code writes the size of the context window behind a model's name: ``claude-opus-4-6[1m]``."""


def request_hash(request_id: object) -> str | None:
    """The hash of a supplier's request id; None where there is none.

    >>> request_hash("req_011") == request_hash("req_011"), request_hash(None)
    (True, None)
    """
    if not isinstance(request_id, str) or not request_id:
        return None
    return _hashed(f"request{KEY_SEPARATOR}{request_id}")


def use_hash(agent: str, session: object, model: object, counts: Iterable[object]) -> str | None:
    """The hash of what two records of one answer have in common; None where one of them would not know it.

    Args:
        agent: name of the agent's reader.
        session: the agent's id of the session.
        model: as the agent names it.
        counts: token counts as the agent counts them, in the same order for all its records; unknown is 0.

    >>> one = use_hash("codex", "s", "gpt-5", (10, None, 3))
    >>> one == use_hash("codex", "s", "gpt-5", ("10", 0, 3)), use_hash("codex", None, "gpt-5", (10,))
    (True, None)
    """
    if not isinstance(session, str) or not session or not isinstance(model, str):
        return None
    numbers = [str(cell) if cell else "0" for cell in counts]
    if numbers.count("0") == len(numbers):
        return None
    name = model.partition(WINDOW)[0] if WINDOW in model else model
    return _hashed(KEY_SEPARATOR.join(("use", agent, session, name, *numbers)))


def counter_hash(*parts: object) -> str:
    """The identity of a running total."""
    return _hashed(KEY_SEPARATOR.join(["counter", *(str(part) for part in parts)]))


def _hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:KEY_DIGITS]
