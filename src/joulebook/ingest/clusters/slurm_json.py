"""`sacct --json` in the words of `sacct -P`: the same fields, whatever the version of the data parser.

The energy of a step stands in ``statistics.energy.consumed``, and among the resources under ``tres.requested``, which
is Slurm's name for what came in; ``tres.consumed``, what went out, holds its mean power in watts under the same word.

Checked against: ``parsers.c`` of the data parsers and ``jobacct_gather`` of Slurm 21.08 to 23.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.ingest.clusters.slurm_job import Job, energy_of
from joulebook.ingest.lines import dig
from joulebook.ingest.records import dicts, first_of, json_documents, name_of
from joulebook.terms.finding import Finding


def jobs_of_json(stream: BinaryIO, file: str) -> Iterator[Job | Finding]:
    """Jobs of a JSON answer with their steps."""
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, answer = item
        for record in dicts(answer.get("jobs")):
            job = Job(_id(record), line, _cells(record))
            if not job.name or not job.cells["Start"]:
                yield Finding(file, line, "missing-value", {"column": "job_id" if not job.name else "time.start"})
                continue
            for step in dicts(record.get("steps")):
                joules = energy_of({"ConsumedEnergyRaw": _number(dig(step, "statistics.energy.consumed"))})
                joules = joules or energy_of({"AllocTRES": _tres(dig(step, "tres.requested.total"))})
                name = str(first_of(step, "step.id", "step.name") or "")
                job.steps[name.rpartition(".")[2]] = joules or 0.0
            yield job


def _id(record: Mapping[str, Any]) -> str:
    """The id, with the index of an array's task."""
    number, task = _number(record.get("job_id")), _number(dig(record, "array.task_id"))
    array = _number(dig(record, "array.job_id"))
    return f"{array}_{task}" if task and array not in ("", "0") else number


def _cells(record: Mapping[str, Any]) -> dict[str, str]:
    state = first_of(record, "state.current", "state")
    return {
        "JobID": _id(record),
        "Start": _number(dig(record, "time.start")),
        "End": _number(dig(record, "time.end")),
        "ElapsedRaw": _number(dig(record, "time.elapsed")),
        "State": str(state[0] if isinstance(state, list) and state else state or ""),
        "Account": name_of(record.get("account")) or "",
        "Cluster": name_of(record.get("cluster")) or "",
        "NodeList": name_of(record.get("nodes")) or "",
        "AllocTRES": _tres(dig(record, "tres.allocated")),
        "ConsumedEnergyRaw": _number(dig(record, "statistics.energy.consumed")),
    }


def _number(value: object) -> str:
    """A number as text: plain, or as ``{"set": …, "number": …}``; nothing where it is not set."""
    if isinstance(value, dict):
        value = value.get("number") if value.get("set") is not False and not value.get("infinite") else None
    return str(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else ""


def _tres(entries: object) -> str:
    """A list of resources as sacct writes it in a table; memory in JSON is in MiB."""
    found = []
    for entry in dicts(entries):
        kind, name, count = name_of(entry.get("type")), name_of(entry.get("name")), _number(entry.get("count"))
        if kind and count:
            found.append(f"{kind}{f'/{name}' if name else ''}={count}")
    return ",".join(found)
