"""Reading any table of usage: hostile files, mappings, keys."""

import io
from datetime import UTC, datetime

import pytest

from joulebook.errors import FieldTwice, FieldUnmapped, InputBroken, InputMissing, NotAMapping, UnknownName
from joulebook.ingest.limit import FINDINGS_PER_RULE
from joulebook.ingest.mapping import mapping_from
from joulebook.ingest.reader import ReadOptions, detect, read_path, reader
from joulebook.terms.finding import RULES, Finding

MAPPING = {"started_at": "time", "input_tokens": "in", "cache_read_tokens": "cached", "output_tokens": "out"}
HEADER = "time,in,cached,out,model\n"
GOOD = "2026-01-02T03:04:05Z,10,4,5,m\n"


def parse(text, name="csv", written="utf-8", **options):
    """Everything that a reader makes of a text."""
    data = text if isinstance(text, bytes) else text.encode(written)
    options.setdefault("mapping", MAPPING)
    return list(reader(name).parse(io.BytesIO(data), ReadOptions(file="f", **options)))


def rows(found):
    """The rows of a parse."""
    return [row for row in found if not isinstance(row, Finding)]


def findings(found):
    """Line and rule of the findings of a parse."""
    return [(row.line, row.rule) for row in found if isinstance(row, Finding)]


def test_inclusive_counts_become_disjoint_classes():
    """Input with cached tokens and output with reasoning are split into classes that do not overlap."""
    found = parse(
        "time,in,cached,out,think\n2026-01-02T03:04:05Z,10,4,5,2\n",
        mapping={**MAPPING, "reasoning_output_tokens": "think"},
    )
    assert found[0]["uncached_input_tokens"] == 6
    assert found[0]["cache_read_tokens"] == 4
    assert found[0]["visible_output_tokens"] == 3
    assert found[0]["reasoning_output_tokens"] == 2
    assert "cache_write_tokens" not in found[0]


def test_absent_is_unknown_not_zero():
    """An empty cell leaves the field out; a written 0 stays 0."""
    found = parse(HEADER + "2026-01-02T03:04:05Z,10,,0,\n", mapping={**MAPPING, "model": "model"})
    assert "cache_read_tokens" not in found[0]
    assert "model" not in found[0]
    assert found[0]["visible_output_tokens"] == 0


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("2026-01-02T03:04:05Z,-1,0,5,m", "negative"),
        ("2026-01-02T03:04:05Z,ten,0,5,m", "bad-number"),
        ("2026-01-02T03:04:05Z,nan,0,5,m", "bad-number"),
        ("2026-01-02T03:04:05Z,1.5,0,5,m", "bad-number"),
        ("2026-01-02T03:04:05Z,1e400,0,5,m", "bad-number"),
        ("2026-01-02T03:04:05Z,99999999999999999999,0,5,m", "bad-number"),
        ("yesterday,10,0,5,m", "bad-timestamp"),
        ("0001-01-01T00:00:00Z,10,0,5,m", "bad-timestamp"),
        (",10,0,5,m", "missing-value"),
        ("2026-01-02T03:04:05Z,10,40,5,m", "part-exceeds-whole"),
        ("2026-01-02T03:04:05Z,,,,m", "nothing-consumed"),
        ("2026-01-02T03:04:05Z,10,4", "ragged-row"),
        ("2026-01-02T03:04:05Z,10,4,5,m,7", "ragged-row"),
        ('2026-01-02T03:04:05Z,"10"x,4,5,m', "bad-quotes"),
    ],
)
def test_a_bad_row_is_a_finding_with_its_line(row, rule):
    """One bad row is told with line and rule, is not booked, and the good rows around it are."""
    found = parse(HEADER + GOOD + row + "\n" + GOOD)
    assert findings(found) == [(3, rule)]
    assert len(rows(found)) == 2


def test_findings_hold_no_cells():
    """What stands in the cells never reaches a finding, which may be shown and logged."""
    found = parse(HEADER + "secret-time,secret,secret,secret,secret\n2026-01-02T03:04:05Z,secret,0,0,m\n")
    for one in found:
        assert "secret" not in one.message + str(one.facts)


def test_line_numbers_count_newlines_in_quotes():
    """A quoted cell with newlines does not shift the line numbers of later findings."""
    found = parse(HEADER + '2026-01-02T03:04:05Z,1,0,1,"a\nb"\n2026-01-02T03:04:05Z,x,0,1,m\n')
    assert findings(found) == [(4, "bad-number")]


@pytest.mark.parametrize("written", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(written, end):
    """Byte order marks, UTF-16 and CRLF change neither rows nor keys."""
    text = (HEADER + GOOD).replace("\n", end)
    assert parse(text, written=written) == parse(HEADER + GOOD)


def test_bytes_that_are_no_text():
    """A name that is no UTF-8 is refused with its line; with the right encoding it is read."""
    data = HEADER.encode() + "2026-01-02T03:04:05Z,1,0,1,모델\n".encode("cp949")
    mapping = {**MAPPING, "model": "model"}
    assert findings(parse(data, mapping=mapping)) == [(2, "bad-text")]
    assert parse(data, mapping=mapping, encoding="cp949")[0]["model"] == "모델"


def test_a_cut_off_last_line_is_told():
    """A file that breaks off in the middle of its last row books the others and says so."""
    assert findings(parse(HEADER + GOOD + "2026-01-02T03:04:05Z,10")) == [(3, "truncated")]
    assert findings(parse(HEADER + GOOD + '2026-01-02T03:04:05Z,10,4,5,"m')) == [(3, "truncated")]
    assert findings(parse('{"time": 1767323045, "in": 1}\n{"time": 17', name="jsonl")) == [(2, "truncated")]


def test_times_without_zone_are_read_as_utc_with_one_warning():
    """A missing time zone is warned of once per file, and --timezone settles it."""
    text = HEADER + "2026-01-02 03:04:05,1,0,1,m\n" * 3
    found = parse(text)
    assert [(row.line, row.rule, row.is_error) for row in found if isinstance(row, Finding)] == [
        (2, "no-timezone", False)
    ]
    assert found[0]["started_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    seoul = parse(text, timezone="Asia/Seoul")
    assert findings(seoul) == []
    assert seoul[0]["started_at"] == datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC)
    assert parse(text, timezone="+09:00")[0]["started_at"] == seoul[0]["started_at"]


@pytest.mark.parametrize(
    "time", ["1767323045", "1767323045000", "1767323045000000", "1767323045.0", "2026-01-02 03:04:05 UTC"]
)
def test_numbers_are_seconds_milli_or_microseconds_since_1970(time):
    """Times as numbers are told apart by their size and need no zone."""
    found = parse(HEADER + f"{time},1,0,1,m\n")
    assert found[0]["started_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert findings(found) == []


def test_equal_rows_are_told_apart_and_stay_the_same():
    """Rows without id that are equal get different keys, and the same keys when the file is read again."""
    first = [row["usage_key"] for row in parse(HEADER + GOOD * 3)]
    assert len(set(first)) == 3
    assert [row["usage_key"] for row in parse(HEADER + GOOD * 3, constants={"model": "other"})] == first


def test_request_ids_are_the_key():
    """With a request id, equal rows are one use, and rows that contradict each other are told."""
    text = "time,id,in\n" + "".join(f"2026-01-02T03:04:05Z,{one}\n" for one in ("a,1", "a,1", "a,2", ",2"))
    found = parse(text, mapping={"started_at": "time", "request_id": "id", "input_tokens": "in"})
    assert len({row["usage_key"] for row in rows(found)}) == 1
    assert findings(found) == [(4, "same-key"), (5, "missing-value"), (None, "no-cache-split")]


def test_user_ids_are_hashed():
    """The id of a user is never kept, only its hash."""
    found = parse(
        "time,u,in\n2026-01-02T03:04:05Z,kim,1\n", mapping={"started_at": "time", "user_id": "u", "input_tokens": "in"}
    )
    assert "kim" not in str(found)
    assert len(found[0]["user_hash"]) == 32


def test_a_prompt_in_the_wrong_column_is_refused():
    """Text that is too long or has lines is no name and is not kept."""
    found = parse(HEADER + f'2026-01-02T03:04:05Z,1,0,1,"{"x" * 600}"\n', mapping={**MAPPING, "model": "model"})
    assert findings(found) == [(2, "bad-text")]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_delimiters(mark):
    """Semicolons, tabs and bars are recognised by the mapped columns."""
    assert parse((HEADER + GOOD).replace(",", mark)) == parse(HEADER + GOOD)


def test_missing_and_doubled_columns():
    """A mapped column that is not in the header, or is there twice, is told and nothing is guessed."""
    assert findings(parse("time,in,out\n")) == [(1, "missing-column")]
    assert findings(parse("time,in,in,cached,out\n")) == [(1, "column-twice")]
    assert findings(parse("")) == [(None, "empty-file")]


def test_json_lines_with_nested_fields():
    """Dots lead into nested objects; lines that are no JSON object are findings."""
    text = '{"at": 1767323045, "usage": {"prompt_tokens": 7}}\n[1]\n{oops}\n\n{"at": 1767323045, "usage": null}\n'
    found = parse(text, name="jsonl", mapping={"started_at": "at", "input_tokens": "usage.prompt_tokens"})
    assert rows(found)[0]["uncached_input_tokens"] == 7
    told = [(2, "not-an-object"), (3, "not-json"), (5, "nothing-consumed"), (None, "no-cache-split")]
    assert findings(found) == told


def test_columns_named_like_ours_need_no_mapping():
    """A table that already speaks our words is read without --map."""
    found = parse("started_at,input_tokens,model\n2026-01-02T03:04:05Z,3,m\n", mapping={})
    assert found[0]["model"] == "m"


def test_bad_mappings_are_refused_with_the_nearest():
    """A mapping without time, without consumption, with a class twice or with an unknown field is refused."""
    with pytest.raises(FieldUnmapped):
        parse(HEADER, mapping={"input_tokens": "in"})
    with pytest.raises(FieldUnmapped):
        parse(HEADER, mapping={"started_at": "time"})
    with pytest.raises(FieldTwice):
        parse(HEADER, mapping={**MAPPING, "uncached_input_tokens": "in"})
    with pytest.raises(UnknownName, match="input_tokens"):
        mapping_from(["input_token=in"])
    with pytest.raises(NotAMapping):
        mapping_from(["input_tokens"])
    with pytest.raises(FieldTwice):
        mapping_from(["model=a", "model=b"])
    with pytest.raises(UnknownName, match="azure-llm"):
        reader("azure-lm")


def test_many_findings_are_counted(tmp_path):
    """A rule broken very often is told a hundred times and then as one number."""
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "x,1,0,1,m\n" * (FINDINGS_PER_RULE + 5))
    found = list(read_path("csv", path, ReadOptions(mapping=MAPPING)))
    assert len(found) == FINDINGS_PER_RULE + 1
    assert found[-1].facts == {"rule": "bad-timestamp", "count": 5}


def test_unreadable_files(tmp_path):
    """A missing file, a folder and a broken gzip are errors that name the file."""
    with pytest.raises(InputMissing, match="nothing"):
        list(read_path("csv", tmp_path / "nothing.csv"))
    with pytest.raises(InputMissing):
        list(read_path("csv", tmp_path))
    broken = tmp_path / "b.csv.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00garbage")
    with pytest.raises(InputBroken):
        list(read_path("csv", broken, ReadOptions(mapping=MAPPING)))


def test_azure_traces(shared_data):
    """The production traces give every line, exact totals, warnings for zone and cache, and no key twice."""
    for name, count, tokens_in, tokens_out in (
        ("code", 8819, 18059974, 245896),
        ("conv", 19366, 22361870, 4088665),
    ):
        path = shared_data / "usage" / f"azure_llm_2023_{name}.csv"
        assert detect(path)[0].name == "azure-llm"
        found = list(read_path("azure-llm", path))
        booked = rows(found)
        assert findings(found) == [(2, "no-timezone"), (None, "no-cache-split")]
        assert len({row["usage_key"] for row in booked}) == len(booked) == count
        assert sum(row["uncached_input_tokens"] for row in booked) == tokens_in
        assert sum(row["visible_output_tokens"] for row in booked) == tokens_out
        assert all("model" not in row and "cache_read_tokens" not in row for row in booked)


def test_every_rule_ends_with_the_next_step():
    """Every message about bad data tells what to do next."""
    assert all("Next: " in message for message in RULES.values())


@pytest.mark.parametrize(
    ("cell", "is_time"),
    [
        ("2026-11-22T09:00:00Z", True),
        (" 2026-11-22 09:00 +0900 ", True),
        ("20261122T090000Z", True),
        ("2026-11-22T09:00:00xZ", False),
        ("2026-11-22T09:00xZ", False),
        ("2026-11-22T09:00:00.123456x+09:00", False),
        ("2026-11-22T09:00:00.123456+09:00", True),
        ("2026-11-22x09:00:00Z", False),
    ],
)
def test_a_letter_that_no_time_has_makes_it_none(cell, is_time):
    """White space around a time is taken off; another letter within it is refused, though Python passes over it."""
    from joulebook.ingest.cells import CellFaultError, instant

    if is_time:
        assert instant(cell, None)[0].hour in {0, 9}
    else:
        with pytest.raises(CellFaultError):
            instant(cell, None)


def test_cursors_dashboard_by_its_columns(tmp_path):
    """The CSV of Cursor's dashboard is read as docs/agent-logs.md says."""
    header = "Date,Kind,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Cost\n"
    row = '"2026-10-01T10:00:00.000Z","Included","claude-4.5-sonnet","No","200","1000","5000","300","0.12"\n'
    (tmp_path / "usage-events.csv").write_text(header + row)
    mapping = {
        "started_at": "Date",
        "model": "Model",
        "cache_write_tokens": "Input (w/ Cache Write)",
        "uncached_input_tokens": "Input (w/o Cache Write)",
        "cache_read_tokens": "Cache Read",
        "visible_output_tokens": "Output Tokens",
    }
    options = ReadOptions(file="usage-events.csv", mapping=mapping)
    (found,) = read_path("csv", tmp_path / "usage-events.csv", options)
    assert [found[name] for name in list(mapping)[2:]] == [200, 1000, 5000, 300]
