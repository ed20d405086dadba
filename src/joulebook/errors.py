"""One tree of exceptions.

::

    JoulebookError
    ├── UsageError            (ValueError)   a command or function was called wrongly        exit 2
    │   ├── FieldUnmapped                    a mapping lacks a field that every row needs
    │   ├── FieldTwice                       a mapping counts something twice
    │   ├── NotAMapping                      an argument is not FIELD=COLUMN
    │   ├── BookNoFolder                     the path of the book leads through a file
    │   ├── ManyPostings                     the beginning of an id fits several postings
    │   └── ConfigFault                      a file of settings says what cannot be used
    │       ├── ConfigBroken                 it cannot be read
    │       ├── ConfigUnknown                it settles something that does not exist
    │       └── ConfigUnfit                  a value does not fit
    ├── BadValue              (ValueError)   a value cannot be read
    │   └── RowsUnfit                        rows do not fit the columns of their table
    ├── BoundaryMismatch      (ValueError)   two figures have no rung in common
    ├── DimensionMismatch     (ValueError)   two quantities that cannot be added or compared
    ├── FormulaUnreadable     (ValueError)   a written calculation cannot be read
    ├── UnknownName           (KeyError)     a column, unit or reader does not exist   exit 2
    ├── FactorError
    │   ├── FactorFileError   (ValueError)   a factor file breaks a rule: file, line, what, how to mend
    │   ├── FactorMissing     (LookupError)  a question has no factor under the policy
    │   └── FactorAmbiguous   (LookupError)  a question has more than one answer
    ├── LiveError                            a service for hourly values, see `joulebook.live.faults`
    ├── StoreError
    │   ├── StoreConflict                    another writer took the version
    │   ├── StoreDamaged                     a file of the book does not match its hash
    │   │   ├── SegmentMissing, SegmentCut   a segment is gone or has another size
    │   │   ├── LogMissing, LogBroken        a log file is gone or cannot be read
    │   │   ├── TableUnreadable              a segment has its size but not its content
    │   │   └── HotBroken                    the file of waiting records is damaged
    │   ├── StoreUnwritable                  the disk is full or the folder cannot be written
    │   ├── StoreTooNew                      the book was written by a newer program
    │   └── EngineOutOfMemory                neither memory nor the spill folder has room
    ├── InputUnreadable       (ValueError)   an input file cannot be read at all
    │   ├── InputMissing                     it does not exist or may not be read
    │   ├── InputBroken                      it breaks off or is damaged
    │   ├── InputNotParquet                  it is not of the Parquet format
    │   ├── ExtraMissing                     its format needs a package that is not installed
    │   └── JournalUnreadable                a file of samples is not of the format
    ├── ReaderBroken                         another package's reader cannot be loaded
    └── BudgetExceeded                       exit 3

Misuse raises one of these; bad *data* becomes a finding row (`joulebook.terms.finding`). Each error keeps its facts as
attributes; its message ends with the next step. ``template`` is the English message and the key of its translation.
"""

from typing import ClassVar


def translatable(text: str) -> str:
    """Mark a text for the translators; the face that shows it translates it."""
    return text


class JoulebookError(Exception):
    """Root of every error joulebook raises on purpose.

    Args:
        facts: the values that fill ``template``; kept as attributes.
    """

    template: ClassVar[str] = translatable("joulebook cannot go on.")
    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.__dict__.update(facts)
        super().__init__(self.template.format(**facts))

    def __str__(self) -> str:
        return self.template.format(**self.facts)


class UsageError(JoulebookError, ValueError):
    """A command or function was called wrongly."""

    template = translatable("{what} Next: {next_step}")
    exit_code = 2


class BookNoFolder(UsageError):
    """The path of the book leads through a file."""

    template = translatable("The book {path} cannot be a folder: {file} is a file. Next: choose another with --book.")


class PolicyDiffers(UsageError):
    """Figures are asked for under another policy than the book was stated under."""

    template = translatable(
        "The book stands under the policy {stands}, not {asked}. Next: joulebook --policy {asked} restate --cause WHY, "
        "or leave --policy out."
    )


class NothingThere(UsageError):
    """Nothing in the book has the name or the values that were given."""

    template = translatable("Nothing in the book is or has {target}. Next: see joulebook report --json.")


class ManyPostings(UsageError):
    """The beginning of an id fits several postings."""

    template = translatable("{count} postings begin with {target}. Next: give more of the id.")


class ConfigFault(UsageError):
    """A file of settings says what cannot be used."""

    template = translatable("{file}: {what} Next: {next_step}")


class ConfigBroken(ConfigFault):
    """A file of settings cannot be read."""

    template = translatable(
        "{file} cannot be read: {detail}. Next: mend it, or name another file in JOULEBOOK_CONFIG (empty: none)."
    )


class ConfigUnknown(ConfigFault):
    """A file of settings settles something that does not exist."""

    template = translatable("{file}: there is no setting {name}. Nearest: {nearest}. Next: see joulebook config.")


class ConfigUnfit(ConfigFault):
    """A value in a file of settings does not fit."""

    template = translatable("{file}: {name} cannot be {value!r}: {detail} Next: see joulebook config.")


class BadValue(JoulebookError, ValueError):
    """A value cannot be read as what it should be."""

    template = translatable("Cannot read {value!r} as {expected}. Next: {next_step}")


class RowsUnfit(BadValue):
    """Rows do not fit the columns of their table."""

    template = translatable("{value}: the rows do not fit its columns ({reason}). Next: mend them and write again.")


class BoundaryMismatch(JoulebookError, ValueError):
    """Two figures have no boundary in common, so they are not compared."""

    template = translatable(
        "{a} and {b} are not compared: their {kind} has no boundary in common. {a}: {rungs_a}. {b}: {rungs_b}. "
        "Next: compare figures on the same rung."
    )


class DimensionMismatch(JoulebookError, ValueError):
    """Two quantities measure different things."""

    template = translatable("This is {found}, not {wanted}. Next: check the units of the inputs and of the result.")


class FormulaUnreadable(JoulebookError, ValueError):
    """A written calculation cannot be read."""

    template = translatable("Cannot read the formula {formula!r} at {place!r}: {what}. Next: {next_step}")


class UnknownName(JoulebookError, KeyError):
    """A name does not exist in its list."""

    exit_code = 2
    template = translatable("There is no {kind} named {name!r}. Nearest: {nearest}. Next: choose one of those.")


class FactorError(JoulebookError):
    """Anything wrong with a number of the world."""


class FactorFileError(FactorError, ValueError):
    """A factor file breaks a rule."""

    template = translatable("{file}:{line}: {what} Next: {next_step}")


class FactorMissing(FactorError, LookupError):
    """A question has no factor under the policy."""

    template = translatable(
        "No factor for {sought} in edition {edition}. Nearest: {nearest}. "
        "Next: add one under a factor folder of your own, or choose another place, date or policy."
    )


class FactorAmbiguous(FactorError, LookupError):
    """A question has more than one answer of equal rank."""

    template = translatable(
        "{sought} has {count} factors of equal rank: {candidates}. Next: name the source or give an exact date."
    )


class LiveError(JoulebookError):
    """Anything wrong with a service for hourly values; what was fetched before stays of use."""


class StoreError(JoulebookError):
    """Anything wrong with where the tables live."""


class StoreConflict(StoreError):
    """Another writer took the version."""

    template = translatable("Version {version} of {table} was written by someone else. Next: run the command again.")


class StoreDamaged(StoreError):
    """A file of the book does not match its hash, or is gone."""

    template = translatable("{file}: {what} Next: restore the file from a copy; the book refuses to guess.")


class SegmentMissing(StoreDamaged):
    """A segment that a version names is gone."""

    template = translatable("{file}: the segment is gone. Next: restore it from a copy; the book refuses to guess.")


class SegmentCut(StoreDamaged):
    """A segment has another size than when it was written."""

    template = translatable(
        "{file}: the segment has another size than when it was written. Next: restore it from a copy; the book refuses "
        "to guess."
    )


class LogMissing(StoreDamaged):
    """A log file between others is gone."""

    template = translatable("{file}: the log file is gone. Next: restore it from a copy; the book refuses to guess.")


class LogBroken(StoreDamaged):
    """A log file is cut off or was not written by joulebook."""

    template = translatable(
        "{file}: the log file cannot be read. Next: restore it from a copy; the book refuses to guess."
    )


class TableUnreadable(StoreDamaged):
    """A segment has its size but not its content."""

    template = translatable(
        "A table of the book {file} cannot be read ({reason}). Next: run `joulebook audit`, which names the damaged "
        "file."
    )


class HotBroken(StoreDamaged):
    """The file of waiting records is damaged."""

    template = translatable(
        "{file}: the waiting records cannot be read ({reason}). Next: restore the file from a copy; what is sealed is "
        "not touched."
    )


class StoreUnwritable(StoreError):
    """The disk is full, or the folder cannot be written."""

    template = translatable(
        "{path} cannot be written: {reason}. Next: make room, allow writing, or choose another book with --book."
    )


class StoreTooNew(StoreError):
    """A table has columns that this program does not know."""

    template = translatable(
        "The table {table} was written by a newer joulebook; unknown columns: {columns}. Next: update joulebook."
    )


class EngineOutOfMemory(StoreError):
    """Neither memory nor the spill folder has room for a computation."""

    template = translatable(
        "The computation needs more room: {reason}. "
        "Next: make room on the disk of the book, or ask for a shorter period."
    )


class ReaderBroken(JoulebookError):
    """A reader that another package registered cannot be loaded; ``name`` and ``reason`` say which and why."""

    template = translatable(
        "The reader {name} of another package cannot be loaded ({reason}). Next: update or remove that package."
    )


class InputUnreadable(JoulebookError, ValueError):
    """An input file cannot be read at all."""

    template = translatable("{file}: {what} Next: {next_step}")


class ExtraMissing(InputUnreadable):
    """A format needs a package that is not installed."""

    template = translatable(
        "The format {format} needs the package {package}. Next: pip install 'joulebook[{extra}]', then import again."
    )


class InputNotParquet(InputUnreadable):
    """An input file is not of the Parquet format."""

    template = translatable(
        "{file} cannot be read as Parquet. Next: check the file; other formats have readers of their own."
    )


class JournalUnreadable(InputUnreadable):
    """A file of samples is not of the format, or has no whole beginning."""

    template = translatable(
        "{file} is no journal of the format {format}, or breaks off before its first sample. Next: delete it, or read "
        "it with the version of joulebook that wrote it."
    )


class InputMissing(InputUnreadable):
    """An input file does not exist, or may not be read."""

    template = translatable("{file} cannot be opened: {reason}. Next: check the name and the permissions.")


class InputBroken(InputUnreadable):
    """An input file breaks off, is damaged, or is not of the format."""

    template = translatable(
        "{file} is damaged or breaks off: {reason}. Next: get a whole copy and import it again; nothing is booked "
        "twice."
    )


class FieldUnmapped(UsageError):
    """A mapping lacks a field without which no row can be made."""

    template = translatable("No column is mapped to {fields}. Next: add --map FIELD=COLUMN for one of these fields.")


class FieldTwice(UsageError):
    """A mapping counts something twice."""

    template = translatable(
        "{field} is given twice, by itself or within {whole}. Next: keep the one that the supplier's count means."
    )


class NotAMapping(UsageError):
    """An argument is not FIELD=COLUMN."""

    template = translatable("{argument!r} is not FIELD=COLUMN. Next: write it as in --map started_at=Time.")


class BudgetExceeded(JoulebookError):
    """A footprint is above the budget that was set."""

    template = translatable("{what} is {amount}, above the budget of {budget}. Next: see `joulebook report`.")
    exit_code = 3
