"""A made-up home of a developer who works with coding agents: what the benchmarks of reading read.

The sessions have the shape of real ones: most bytes are tool results and file contents (the standard library's own
source stands for them), an answer is written once per content block while its counts grow, events are emitted again
without progress, some sessions are forks that begin with a copy. Of the bytes six tenths are Claude Code, three tenths
Codex, the rest Gemini CLI, Qwen Code and opencode.
"""

import json
import random
import sysconfig
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

MEGABYTE = 1_000_000
SESSION_BYTES = 3 * MEGABYTE
BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
TEXT_BYTES = 4 * MEGABYTE


def compact(entry: object) -> str:
    """JSON as the tools write it."""
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False)


class Texts:
    """Pieces of program text as JSON strings without their quotes, ready to be put into a line."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        sources = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        lines = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in sources)[:TEXT_BYTES]
        self.lines = [json.dumps(line + "\n", ensure_ascii=False)[1:-1] for line in lines.splitlines()]

    def piece(self, smallest: int, largest: int) -> str:
        """Whole lines of at least so many characters, up to a line more."""
        wanted, found, size = self.chance.randint(smallest, largest), [], 0
        at = self.chance.randrange(len(self.lines))
        while size < wanted:
            line = self.lines[at % len(self.lines)]
            found.append(line)
            size += len(line)
            at += 1
        return "".join(found)


def clock(chance: random.Random, start: datetime) -> Iterator[str]:
    """Times of a session, ever later."""
    at = start
    while True:
        at += timedelta(milliseconds=chance.randint(2_000, 90_000))
        yield f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def claude(texts: Texts, session: str, start: datetime, size: int) -> Iterator[str]:
    """Lines of one session of Claude Code: a question or tool result, then one line per block of the answer."""
    chance, times, written, number = texts.chance, clock(texts.chance, start), 0, 0
    model = chance.choice(("claude-sonnet-4-5-20250929", "claude-opus-4-6", "claude-haiku-4-5-20251001"))
    project = chance.choice(("shop", "search", "billing", "site"))
    while written < size:
        number += 1
        base = (
            f'"parentUuid":"{session}-{number - 1}","isSidechain":false,"userType":"external",'
            f'"cwd":"/home/dev/{project}","sessionId":"{session}","version":"2.1.4","gitBranch":"main",'
        )
        content = texts.piece(1_500, 24_000)
        lines = [
            (
                f'{{{base}"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"toolu_{session}{number}",'
                f'"type":"tool_result","content":"{content}"}}]}},"uuid":"{session}-{number}","timestamp":"{next(times)}",'
                f'"toolUseResult":{{"stdout":"{texts.piece(100, 400)}","stderr":"","interrupted":false}}}}'
            )
        ]
        output, read, blocks = chance.randint(20, 1900), 14_000 + number * 900, chance.choice((1, 2, 2, 3))
        kept = chance.randint(100, 4000)
        for block in range(1, blocks + 1):
            told = output if block == blocks else chance.randint(1, 8)
            lines.append(
                f'{{{base}"type":"assistant","message":{{"model":"{model}","id":"msg_01{session}{number:06d}abcdefghij",'
                f'"type":"message","role":"assistant","content":[{{"type":"text","text":"{texts.piece(200, 2_500)}"}}],'
                f'"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{3 + number % 9},'
                f'"cache_creation_input_tokens":{kept},"cache_read_input_tokens":{read},'
                f'"cache_creation":{{"ephemeral_5m_input_tokens":{kept},"ephemeral_1h_input_tokens":0}},'
                f'"output_tokens":{told},"service_tier":"standard"}}}},"requestId":"req_011{session}{number:06d}",'
                f'"uuid":"{session}-{number}-{block}","timestamp":"{next(times)}"}}'
            )
        for line in lines:
            written += len(line) + 1
            yield line + "\n"


def codex(texts: Texts, session: str, start: datetime, size: int) -> Iterator[str]:
    """Lines of one rollout of Codex: tool calls and their output, and after each response the totals, some twice."""
    chance, times, written, number = texts.chance, clock(texts.chance, start), 0, 0
    meta = {"id": session, "cwd": "/home/dev/shop", "originator": "codex_cli_rs", "cli_version": "0.150.0"}
    meta |= {"model_provider": "openai", "instructions": "x"}
    yield compact({"timestamp": next(times), "type": "session_meta", "payload": meta}) + "\n"
    turn = {"cwd": "/home/dev/shop", "model": chance.choice(("gpt-5.2-codex", "gpt-5.4"))}
    yield compact({"timestamp": next(times), "type": "turn_context", "payload": turn}) + "\n"
    total = dict.fromkeys(("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens"), 0)
    while written < size:
        number += 1
        lines = []
        for _ in range(chance.choice((1, 1, 2, 3))):
            call = f"call_{session}{number}"
            lines.append(
                f'{{"timestamp":"{next(times)}","type":"response_item","payload":{{"type":"function_call_output",'
                f'"call_id":"{call}","output":"{texts.piece(1_000, 12_000)}"}}}}'
            )
            lines.append(
                f'{{"timestamp":"{next(times)}","type":"response_item","payload":{{"type":"reasoning","summary":[],'
                f'"content":null,"encrypted_content":"{chance.randbytes(700).hex()}"}}}}'
            )
        last = {"input_tokens": 9_000 + number * 400, "cached_input_tokens": 8_000 + number * 390}
        last |= {"output_tokens": chance.randint(30, 1500), "reasoning_output_tokens": chance.randint(0, 30)}
        total = {name: count + last[name] for name, count in total.items()}
        told = [{**one, "total_tokens": one["input_tokens"] + one["output_tokens"]} for one in (total, last)]
        info = {"total_token_usage": told[0], "last_token_usage": told[1], "model_context_window": 272_000}
        payload = {"type": "token_count", "info": info, "rate_limits": {"primary": {"used_percent": 12.0}}}
        again = range(chance.choice((1, 1, 2)))
        lines += [compact({"timestamp": next(times), "type": "event_msg", "payload": payload}) for _ in again]
        for line in lines:
            written += len(line) + 1
            yield line + "\n"


def gemini(texts: Texts, session: str, start: datetime, size: int) -> Iterator[str]:
    """One chat of Gemini CLI: one JSON text."""
    chance, times, written, messages = texts.chance, clock(texts.chance, start), 0, []
    while written < size:
        taken, output = chance.randint(5_000, 90_000), chance.randint(20, 900)
        tokens = {"input": taken, "output": output, "cached": taken // 2, "thoughts": 30, "tool": 0}
        tokens["total"] = taken + output + 30
        content = json.loads(f'"{texts.piece(1_000, 9_000)}"')
        message = {"id": f"{session}-{len(messages)}", "timestamp": next(times), "type": "gemini", "content": content}
        messages.append({**message, "model": "gemini-2.5-pro", "thoughts": [], "tokens": tokens})
        written += len(content)
    head = {"sessionId": session, "projectHash": "ab12", "startTime": "2026-10-20T00:00:00.000Z"}
    yield json.dumps({**head, "messages": messages}, indent=2, ensure_ascii=False)


def qwen(texts: Texts, session: str, start: datetime, size: int) -> Iterator[str]:
    """Lines of one chat of Qwen Code."""
    chance, times, written, number = texts.chance, clock(texts.chance, start), 0, 0
    while written < size:
        number += 1
        taken, output = chance.randint(5_000, 90_000), chance.randint(20, 900)
        line = (
            f'{{"uuid":"{session}-{number}","sessionId":"{session}","timestamp":"{next(times)}","type":"assistant",'
            '"cwd":"/home/dev/shop","version":"0.2.0","model":"qwen3-coder-plus","message":{"role":"model","parts":'
            f'[{{"text":"{texts.piece(1_000, 9_000)}"}}]}},"usageMetadata":{{"promptTokenCount":{taken},'
            f'"cachedContentTokenCount":0,"candidatesTokenCount":{output},"totalTokenCount":{taken + output}}}}}\n'
        )
        written += len(line)
        yield line


def opencode(texts: Texts, session: str, start: datetime, size: int) -> Iterator[str]:  # noqa: ARG001  (one size)
    """One message of opencode, as its older versions kept it."""
    at = int(start.timestamp() * 1000)
    message = {"id": f"msg_{session}", "sessionID": "ses_1", "role": "assistant", "modelID": "claude-sonnet-4-5"}
    message |= {"providerID": "anthropic", "time": {"created": at, "completed": at + 5000}, "cost": 0.01}
    tokens = {"input": 12, "output": texts.chance.randint(9, 900), "reasoning": 0, "cache": {"read": 500, "write": 60}}
    yield json.dumps({**message, "path": {"cwd": "/home/dev/shop", "root": "/home/dev/shop"}, "tokens": tokens})


Session = Callable[[Texts, str, datetime, int], Iterator[str]]
AGENTS: tuple[tuple[Session, str, float], ...] = (
    (claude, ".claude/projects/-home-dev-shop/{}.jsonl", 0.6),
    (codex, ".codex/sessions/2026/10/20/rollout-2026-10-20T00-00-00-{}.jsonl", 0.3),
    (gemini, ".gemini/tmp/ab12/chats/session-{}.json", 0.04),
    (qwen, ".qwen/projects/-home-dev-shop/chats/{}.jsonl", 0.059),
    (opencode, ".local/share/opencode/storage/message/ses_1/msg_{}.json", 0.001),
)
"""Who writes a session, where, and which part of all bytes."""


def make_home(home: Path, megabytes: int) -> int:
    """Write logs of about that size below a home; returns their bytes."""
    texts, whole = Texts(random.Random(20_24)), 0
    for agent, place, part in AGENTS:
        size, number = 0, 0
        while size < megabytes * MEGABYTE * part:
            number += 1
            start = BEGIN + timedelta(minutes=37 * number % 40_000)
            path = home / place.format(f"{number:05d}")
            path.parent.mkdir(parents=True, exist_ok=True)
            wanted = texts.chance.randint(SESSION_BYTES // 10, 2 * SESSION_BYTES)
            content = "".join(agent(texts, f"{number:05d}", start, wanted))
            if agent is claude and number % 10 == 0:  # a fork begins with a copy of what came before
                fork = path.with_name(f"{number:05d}-fork.jsonl")
                fork.write_text(content[: content.index("\n", len(content) // 3) + 1], encoding="utf-8")
                size += fork.stat().st_size
            path.write_text(content, encoding="utf-8")
            size += path.stat().st_size
        whole += size
    return whole
