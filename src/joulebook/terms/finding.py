"""What is wrong with an input: a row, not an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from joulebook.errors import translatable

RULES: dict[str, str] = {
    "bad-number": translatable("{column} is not a number. Next: correct it, or map another column."),
    "negative": translatable(
        "{column} is negative. Next: a use cannot be negative; give corrections as restated rows."
    ),
    "bad-timestamp": translatable(
        "{column} is not a time. Next: give ISO 8601 such as 2026-11-22T09:30:00+09:00, or seconds since 1970."
    ),
    "no-timezone": translatable(
        "{column} has no time zone and was read as UTC. Next: give the zone in the file or with --timezone."
    ),
    "missing-column": translatable("The column {column} is missing. Next: name the right one with --map FIELD=COLUMN."),
    "missing-value": translatable("{column} is empty. Next: fill it in; the row was not booked."),
    "cache-exceeds-input": translatable(
        "{column} is larger than the input that should contain it. Next: check whether the supplier counts input "
        "without cache."
    ),
    "bad-row": translatable("The row cannot be read: {reason}. Next: correct the row and import the file again."),
    "bad-encoding": translatable("The text is not {encoding}. Next: save the file as UTF-8."),
    "truncated": translatable("The last line is cut off. Next: import again when the file is complete."),
    "torn-line": translatable(
        "The line breaks off and another record begins in it, as when a program was killed while writing; the second "
        "was read, the first is lost. Next: nothing to do, unless the file is a damaged copy: then import a whole one."
    ),
    "ragged-row": translatable(
        "The row has {count} cells where the header has {expected}. Next: correct the row and import the file again."
    ),
    "bad-quotes": translatable(
        "The quotes of the row do not fit, or a cell is far too long. Next: close the quote and import the file again."
    ),
    "not-json": translatable("The line is not JSON. Next: correct the line and import the file again."),
    "not-an-object": translatable("The line is JSON, but not an object. Next: check that the file is of this format."),
    "unreadable": translatable("It cannot be read: {reason}. Next: check the permissions."),
    "broken-json": translatable(
        "The text is not JSON, or breaks off. Next: get a whole copy of the file and import it again."
    ),
    "broken-message": translatable(
        "The message is no telemetry, or breaks off. Next: export it again; the other messages were read."
    ),
    "no-conversations": translatable(
        "The archive has no conversations.json. Next: check that it is the export of your conversations."
    ),
    "counts-too-low": translatable(
        "The archive has texts and no token counts; they were counted from below, without hidden reasoning. Next: take "
        "the figures as a lower bound, or import the supplier's usage report."
    ),
    "counted-from-text": translatable(
        "{count} answers have no token counts; their texts were counted from below, without what was added unseen. "
        "Next: take these figures as a lower bound, or import the supplier's usage report instead."
    ),
    "costs-without-use": translatable(
        "The file tells {cost} {currency} and nothing of what was used; none of it was booked. Next: save the pages of "
        "the usage API of the same days and import them as openai-usage."
    ),
    "counts-disagree": translatable(
        "The counts of the row do not add up to {column}; it was not booked. Next: export the file again."
    ),
    "events-without-counts": translatable(
        "{count} events have no token counts; what they used is unknown and was not booked. Next: nothing to do here; "
        "a log or telemetry of the same time may tell it."
    ),
    "log-without-tokens": translatable(
        "{count} requests of the log RequestResponse have no token counts and were not booked. Next: import the "
        "metrics of the same time (az monitor metrics list), split by ModelName."
    ),
    "unknown-model": translatable(
        "The model {name} is not known ({count} rows); its energy is a range over what is. Nearest: {nearest}. Next: "
        "name it as the supplier does, or add it as a factor file."
    ),
    "unknown-region": translatable(
        "The region {name} is not known ({count} rows); its CO2e and water are a range over the world. Nearest: "
        "{nearest}. Next: give one of those with --region, or a country such as KOR."
    ),
    "unknown-device": translatable(
        "The machine {name} is not known ({count} rows); its energy is a range over those that are. Nearest: "
        "{nearest}. Next: name the instance type or accelerator in the column device, or add it as a factor file."
    ),
    "future-date": translatable(
        "{count} rows lie in the future; they were booked. Next: check the dates and their time zone."
    ),
    "no-energy": translatable(
        "{count} rows have no energy, which is not zero. Next: fill in {column}; these columns would price them."
    ),
    "tokens-untold": translatable(
        "{count} lines ({cost} {currency}) bill tokens in units of untold size; they are unknown and were not booked. "
        "Next: export with the columns PricingQuantity and x_PricingBlockSize, or import a record that counts tokens."
    ),
    "capacity-without-tokens": translatable(
        "{count} lines ({cost} {currency}) bill provisioned throughput of hosted models, which tells no tokens; "
        "they are unknown and were not booked. Next: import a record of these days that counts tokens, such as "
        "invocation logs (bedrock-logs), metrics (azure-openai) or telemetry."
    ),
    "tokens-as-money": translatable(
        "{count} lines ({cost} {currency}) bill Claude in Claude Consumption Units, which are money and tell neither "
        "model nor tokens; they are unknown and were not booked. Next: import a record of these days that counts "
        "tokens, such as the usage report (anthropic-usage), logs or telemetry."
    ),
    "requests-untold": translatable(
        "{count} rows do not tell how many requests they sum: the mean length of published requests stands in, so "
        "their range is wide. Next: import the requests themselves, where they are recorded."
    ),
    "bill-coverage": translatable(
        "{ratio} of the cost ({cost} {currency}) is for machines, tokens, storage or network: of {lines} lines {uses} "
        "tell a use, {inside} are inside one, {back} take use back. Next: account for the rest by the supplier's own "
        "statement."
    ),
    "bill-covered": translatable(
        "All of the bill ({cost} {currency}) is for machines, tokens, storage or network: of {lines} lines {uses} tell "
        "a use, {inside} are inside one, {back} take use back. Next: hold it against the supplier's own statement with "
        "joulebook statements."
    ),
    "partial-hours": translatable(
        "{count} hours are not whole in the export and were not booked. Next: export from and to a full hour, or with "
        "some overlap; no hour is booked twice."
    ),
    "meter-silent": translatable(
        "The meter read nothing for {component} over the whole span, so its energy is unknown and was not booked. "
        "Next: see whether the meter could read it."
    ),
    "parts-passed-over": translatable(
        "The rows are parts of runs that another file has as a whole; they were not booked. Next: import emissions.csv "
        "of the same folder."
    ),
    "default-place": translatable(
        "The place is the one the program writes when it knows none ({place}); it was booked as unknown. Next: say it "
        "with --provider and --region."
    ),
    "machine-counted-twice": translatable(
        "{count} runs overlap with another on a like machine: processes that each counted the whole machine. Next: if "
        "it was the same machine, keep one of them in the file and import it into a fresh book."
    ),
    "part-unread": translatable(
        "{component} was not read all the time; its energy is a lower bound. Next: see whether the meter could read it."
    ),
    "only-accelerators": translatable(
        "Only accelerators were metered; what their hosts used is not in the figures, which are a lower bound. Next: "
        "meter the hosts as well, or add their hours as machines."
    ),
    "windows-inside": translatable(
        "{count} windows lie inside others and were not booked again. Next: nothing to do; each joule counts once."
    ),
    "only-with-pue": translatable(
        "The figures of this file contain the tool's own PUE; they were kept as its statement, not as energy. Next: "
        "import the log beside it, whose name ends in carbontracker.log."
    ),
    "too-few-samples": translatable(
        "{column} has fewer than two samples, so its energy is unknown. Next: export the whole series."
    ),
    "power-gaps": translatable(
        "{count} gaps of together {seconds} s in the power series were filled; the range holds what is not known of "
        "them. Next: export without thinning out, if that can be."
    ),
    "series-without-time": translatable(
        "{count} values have no time, so nothing can be booked of them. Next: export a range, as query_range or "
        "promtool tsdb dump give it."
    ),
    "tokens-and-energy": translatable(
        "The file also counts tokens of model servers, which the format prometheus books as usage. Next: book either "
        "the energy or the tokens of the same servers; an estimate of the tokens would count the energy twice."
    ),
    "counters-repeated": translatable(
        "{count} boards were told by several series (MIG instances, pods or restarts of the exporter); each was "
        "counted once. Next: nothing to do."
    ),
    "counters-began-anew": translatable(
        "Counters began anew {count} times; what was used between the last reading before and the restart is missing. "
        "Next: nothing to do; the energy is a lower bound."
    ),
    "correction-unpaired": translatable(
        "{count} lines take use back that is not in the book, and were not booked. Next: import the bill of the period "
        "they correct, then this one again."
    ),
    "whole-nodes": translatable(
        "Slurm's figure of a job is that of its whole nodes, as far as its energy plugin reads them. Next: where jobs "
        "share nodes, take the figures of the shared nodes' jobs as an upper bound."
    ),
    "no-energy-plugin": translatable(
        "{count} jobs have no energy (no energy plugin, or 0); it is unknown, so what they were allotted was booked "
        "instead. Next: set AcctGatherEnergyType in slurm.conf."
    ),
    "session-open": translatable(
        "This session has not told what it used since it last began: it is open, or was ended hard. That is unknown, "
        "which is not zero. Next: end it in the agent, then read it again."
    ),
    "still-running": translatable(
        "{count} jobs have not ended and were not booked. Next: import again when they have."
    ),
    "not-this-format": translatable(
        "The file is not of the format {format}. Next: see what `joulebook import --detect` makes of it."
    ),
    "wrong-file": translatable(
        "The file is not of the format {format}. It should be: {expected}. Next: `joulebook import --detect FILE` "
        "names the format."
    ),
    "no-use-in-it": translatable(
        "The file is of the format {format}, but tells of no use. Next: check that it is the right one."
    ),
    "bad-text": translatable(
        "{column} is no name: too long, not one line, or not text. Next: correct it, or map another column."
    ),
    "column-twice": translatable("The header names {column} twice. Next: give the columns different names."),
    "part-exceeds-whole": translatable(
        "{column} is smaller than the counts it should contain. Next: map the count without them, if that is what the "
        "supplier gives."
    ),
    "nothing-consumed": translatable(
        "The row says nothing of what was consumed. Next: fill in tokens, images, seconds or hours; the row was not "
        "booked."
    ),
    "ends-before-start": translatable("{column} is before the start. Next: correct the times; the row was not booked."),
    "empty-file": translatable("The file is empty. Next: check that it is the right one."),
    "more-of-the-same": translatable(
        "{count} more findings of the rule {rule}. Next: correct the first ones; the others are likely the same."
    ),
    "same-key": translatable(
        "Two rows carry the same request id but differ. Next: keep the right one; the first was booked."
    ),
    "told-by-another": translatable(
        "{count} uses stand in another record of them too ({source}) and were not booked again. Next: nothing to do; "
        "each use counts once."
    ),
    "covered-by-another": translatable(
        "{count} rows ({provider}, {model}, {first_day} to {last_day}) speak of a time for which {source} has told the "
        "use already, and were not booked. Next: leave it so, or import with --add-overlaps if they are other uses."
    ),
    "log-missing": translatable("A log file of the book is gone. Next: restore it from a copy."),
    "log-changed": translatable(
        "A log file of the book was changed after it was written. Next: restore it from a copy."
    ),
    "log-unchained": translatable(
        "The log file before this one is not the one that was there when it was written. Next: restore the log from a "
        "copy."
    ),
    "segment-missing": translatable("A segment of the book is gone. Next: restore it from a copy."),
    "segment-changed": translatable(
        "A segment of the book was changed after it was written. Next: restore it from a copy."
    ),
    "segment-unnamed": translatable(
        "No version names this segment: an import was killed or is running, or log files were taken away. Next: see "
        "whether versions are missing; what a killed import left is tidied up after a day."
    ),
    "no-cache-split": translatable(
        "The file does not tell cached input apart; all input is priced as computed afresh. Next: map "
        "cache_read_tokens if the source has it."
    ),
    "posting-changed": translatable("Posting {id} is not what its hash says. Next: restore the book from a copy."),
    "resolution-changed": translatable("Factors {id} do not match their hash. Next: restore the book from a copy."),
    "factors-lost": translatable("The factors of posting {id} are gone. Next: restore the book from a copy."),
    "reversal-unpaired": translatable("Posting {id} reverses what does not stand. Next: restore the book from a copy."),
    "posting-not-replayed": translatable(
        "Posting {id} does not come out again from its rows and factors. Next: restore the book from a copy."
    ),
    "method-gone": translatable("Posting {id} was made by an older method. Next: restate the book."),
    "rows-not-posted": translatable("{count} rows have no posting. Next: run joulebook report, then audit."),
    "runs-overlap": translatable(
        "{count} runs on {host} overlap in time with another, and each holds the whole of its {component}: their sum "
        "counts it more than once. Next: read them as the machine's, or measure together what runs together."
    ),
    "factor-without-cell": translatable(
        "{subject} ({tier}) names no cell of its source. Next: say where it was read, or the line in "
        "docs/assumptions.md."
    ),
    "assumption-without-reason": translatable(
        "{subject} {quantity} is assumed without a reason. Next: fill range_basis."
    ),
    "factor-out-of-bounds": translatable(
        "{subject} {quantity} begins at {low}, below {lowest}. Next: correct the value or its range."
    ),
    "source-older-than-value": translatable(
        "{subject} is known since a day after {date_seen}, when its source {source} was last looked at. Next: look at "
        "the source again and correct one of the dates."
    ),
    "known-before-valid": translatable(
        "{subject} is an observation known since {known_from}, before it begins to hold. Next: correct the dates, or "
        "call it estimated."
    ),
    "licence-forbids-shipping": translatable(
        "{subject} comes from {source}, which may not be shipped. Next: take it out and load it from the user's copy."
    ),
    "live-bad-value": translatable(
        "{source}: a value of the answer cannot be read and was left out. Next: fetch again later."
    ),
    "live-hours-missing": translatable(
        "{count} hours from {first} to {last} are not told. Next: fetch again later; until then they are answered "
        "by other hours or by the year."
    ),
    "live-hours-cut": translatable(
        "{count} hours from {first} to {last} are told in part and were left out. Next: fetch again later."
    ),
    "live-hour-twice": translatable(
        "{count} values from {first} to {last} are told twice and differ; the one changed last counts. Next: nothing, "
        "unless it happens often."
    ),
    "orphan-source": translatable("The source {source} is used by nothing. Next: use it or remove it."),
    "direct-above-life-cycle": translatable(
        "{subject}: direct emissions {direct} are above life-cycle emissions {life_cycle}. Next: check both sources."
    ),
    "spread-not-covered": translatable(
        "{subject} differs from {other} by {ratio}x and the ranges do not cover it. Next: widen both ranges."
    ),
    "factors-conflict": translatable(
        "{subject} {quantity} is {value} here and {other_value} in {other}; neither is chosen. Next: remove one of "
        "them, or give the right one in a folder with --factors, which wins over packages."
    ),
    "link-to-nothing": translatable(
        "{subject} {relation} {object}: there is no such subject. Next: correct the name or add its factors."
    ),
    "factor-twice": translatable("{subject} says the same as {first}. Next: remove one of them."),
}
"""Every rule with its message; readers add to this list here, so that all messages are translated and tested."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in an input.

    Attributes:
        file: the file, as the user named it.
        line: 1-based line, or record number where a format has no lines; None where it concerns the whole file.
        rule: key of `RULES`.
        facts: what fills the message; never content of prompts or answers, and no cell values.
        is_error: True where a row was left out; False for a warning.
    """

    file: str
    line: int | None
    rule: str
    facts: Mapping[str, object] = field(default_factory=dict)
    is_error: bool = True

    @property
    def message(self) -> str:
        """The message in English: what is wrong, and the next step."""
        return RULES[self.rule].format(**self.facts)
