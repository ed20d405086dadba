"""Everything that can be wrong with a factor file, each with file, line and how to mend it."""

from joulebook.errors import FactorFileError, translatable

FAULTS: dict[str, str] = {
    "not-yaml": translatable("{file}:{line}: this is not YAML: {reason}. Next: correct the line."),
    "not-a-map": translatable(
        "{file}:{line}: {where} should be a map of keys to values. Next: write it as `key: value`."
    ),
    "not-a-list": translatable("{file}:{line}: {where} should be a list. Next: begin each entry with `- `."),
    "not-a-word": translatable("{file}:{line}: {key} should be one text. Next: put the text in quotation marks."),
    "duplicate-key": translatable(
        "{file}:{line}: the key {key!r} stands twice; the first is in line {first}. Next: remove one of them."
    ),
    "unknown-key": translatable(
        "{file}:{line}: there is no key {key!r} here. Nearest: {nearest}. Next: correct or remove the key."
    ),
    "missing-key": translatable(
        "{file}:{line}: {subject} has no {key}. Next: add `{key}:` here, in the factor or under `defaults:`."
    ),
    "bad-date": translatable("{file}:{line}: {key} {text!r} is not a date. Next: write it as 2025-04-08."),
    "bad-number": translatable("{file}:{line}: {key} {text!r} is not a finite number. Next: write it as 415.65."),
    "bad-bool": translatable("{file}:{line}: {key} {text!r} is neither true nor false. Next: write one of them."),
    "bad-tier": translatable(
        "{file}:{line}: {text!r} is not a tier. Next: write measured, derived, estimated or assumed."
    ),
    "low-above-value": translatable(
        "{file}:{line}: low {low} is above value {value}. Next: exchange them, or correct the range."
    ),
    "high-below-value": translatable(
        "{file}:{line}: value {value} is above high {high}. Next: exchange them, or correct the range."
    ),
    "validity-reversed": translatable(
        "{file}:{line}: valid_to {valid_to} is not after valid_from {valid_from}. Next: valid_to is the first day the "
        "factor no longer holds; correct one of them."
    ),
    "overlap": translatable(
        "{file}:{line}: {subject} {quantity} overlaps with {other_file}:{other_line}, same source, basis and "
        "known_from. Next: end the earlier one with valid_to, or give the later one its own known_from."
    ),
    "unknown-quantity": translatable(
        "{file}:{line}: there is no column {quantity!r}. Nearest: {nearest}. Next: use one of those, or add the column "
        "to the dictionary first."
    ),
    "wrong-unit": translatable(
        "{file}:{line}: {quantity} is kept in {expected}, not {unit}. Next: convert value, low and high to {expected}."
    ),
    "unknown-source": translatable(
        "{file}:{line}: there is no source {source!r}. Nearest: {nearest}. Next: use one of those, or add it to the "
        "bibliography."
    ),
    "duplicate-source": translatable(
        "{file}:{line}: the source {source!r} stands also in {other_file}:{other_line}. Next: remove one of them."
    ),
    "series-changed": translatable(
        "{file}:{line}: {data} is not the file this descriptor was written for. Next: restore it from a copy, or state "
        "its rows and SHA-256 anew."
    ),
}
"""Rule -> message; every message ends with the next step."""


class FactorFault(FactorFileError):
    """One fault of one factor file.

    Attributes:
        rule: key of `FAULTS`.
        file: the file.
        line: 1-based line.
        faults: all faults found in the same run, this one first (on the error that is raised).
    """

    rule: str
    file: str
    line: int
    faults: "tuple[FactorFault, ...]"

    def __init__(self, rule: str, *, file: str, line: int, **facts: object) -> None:
        super().__init__(template=FAULTS[rule], rule=rule, file=file, line=line, **facts)
        self.faults = (self,)

    def with_all(self, faults: "tuple[FactorFault, ...]") -> "FactorFault":
        """The same error, carrying every fault of the run."""
        self.faults = faults
        return self
