"""Each service against a stub that speaks its documented shape: good answers, gaps, changes, pages, refusals."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from joulebook.errors import UnknownName
from joulebook.live.ask import HOUR, Ask, whole_days
from joulebook.live.faults import LiveBusy, LiveFailed, LiveRefused, LiveUnreadable
from joulebook.live.fetch import Fetched, fetch
from joulebook.live.sources import SOURCES, live_source, zone_of, zones

KNOWN = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 1, tzinfo=UTC)
SECRETS = dict.fromkeys(("token", "user", "password", "key"), "secret")


def asked(source: str, zone: str, hours: int = 24, start: datetime = DAY, stage: str | None = None) -> Ask:
    """A question about some hours."""
    known = zone_of(source, zone)
    return Ask(zone, known.subject, start, start + hours * HOUR, stage, known.code)


def got(source: str, ask: Ask, client) -> Fetched:
    """What a fetch brings."""
    return fetch(live_source(source), ask, client, SECRETS, KNOWN)


def rules(found: Fetched) -> list[str]:
    """The rules of its findings."""
    return [finding.rule for finding in found.findings]


# ---- Electricity Maps


def emaps(start: datetime, hours: int, **changes: object) -> dict:
    """An answer of past-range."""
    entries = [
        {
            "zone": "DE",
            "carbonIntensity": 300 + hour,
            "datetime": f"{start + hour * HOUR:%Y-%m-%dT%H:%M:%S}.000Z",
            "updatedAt": "2026-11-18T07:00:00.000Z",
            "createdAt": "2026-10-29T07:00:00.000Z",
            "emissionFactorType": "lifecycle",
            "isEstimated": False,
            "estimationMethod": None,
        }
        | changes
        for hour in range(hours)
    ]
    return {"zone": "DE", "temporalGranularity": "hourly", "data": entries}


def test_electricity_maps_reads_hours(stub, client) -> None:
    """A day is 24 rows of grams per kWh, life-cycle unless direct is asked for; the token goes into its header."""
    stub.says(emaps(DAY, 24))
    found = got("electricity-maps", asked("electricity-maps", "DE"), client)
    assert found.error is None
    assert [row.value for row in found.rows] == [300.0 + hour for hour in range(24)]
    first = found.rows[0]
    assert (first.subject, first.unit, first.basis["stage"], first.tier) == ("DEU", "g/kWh", "life-cycle", "derived")
    assert first.known_from == KNOWN
    path, query, headers = stub.asked[0]
    assert path == "/v3/carbon-intensity/past-range"
    assert headers["Auth-Token"] == "secret"
    assert query["emissionFactorType"] == "lifecycle"
    got("electricity-maps", asked("electricity-maps", "DE", stage="direct"), client)
    assert stub.asked[-1][1]["emissionFactorType"] == "direct"


def test_electricity_maps_asks_ten_days_at_a_time(stub, client) -> None:
    """25 days are three questions that touch, and every hour comes once."""

    def give(_path: str, query: dict, _headers: dict) -> tuple[int, dict, bytes]:
        start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
        return 200, {}, json.dumps(emaps(start, (end - start) // HOUR + 1)).encode()  # both ends, as it does

    stub.answer = give
    found = got("electricity-maps", asked("electricity-maps", "DE", 25 * 24), client)
    assert len(stub.asked) == 3
    assert len(found.rows) == 25 * 24
    assert len({row.valid_from for row in found.rows}) == 25 * 24


def test_an_estimate_is_told_apart_from_what_is_final(stub, client) -> None:
    """IsEstimated makes the tier, and when it was updated is noted."""
    stub.says(emaps(DAY, 2, isEstimated=True))
    found = got("electricity-maps", asked("electricity-maps", "DE", 2), client)
    assert {row.tier for row in found.rows} == {"estimated"}
    assert "updated 2026-11-18" in (found.rows[0].note or "")


def test_gaps_doubles_and_nonsense_cost_only_themselves(stub, client) -> None:
    """A missing hour, a null, a text and an hour told twice are named; the other hours stand."""
    answer = emaps(DAY, 6)
    entries = answer["data"]
    entries[1]["carbonIntensity"] = None
    entries[2]["carbonIntensity"] = "many"
    entries[3]["datetime"] = "yesterday"
    entries.append(entries[4] | {"carbonIntensity": 999, "updatedAt": "2026-11-19T00:00:00.000Z"})
    stub.says(answer)
    found = got("electricity-maps", asked("electricity-maps", "DE", 6), client)
    assert [row.value for row in found.rows] == [300.0, 999.0, 305.0]
    assert rules(found) == ["live-bad-value", "live-bad-value", "live-hour-twice", "live-hours-missing"]
    assert found.findings[-1].facts["count"] == 3


@pytest.mark.parametrize("body", ["<html>sorry</html>", "[1, 2]", '{"message": "hello"}', '{"data": 3}', ""])
def test_another_form_is_an_error_not_a_zero(stub, client, body: str) -> None:
    """An answer that is not of the documented form ends the fetch with a clear error and no rows."""
    stub.says(body)
    found = got("electricity-maps", asked("electricity-maps", "DE"), client)
    assert isinstance(found.error, LiveUnreadable)
    assert found.rows == ()


def test_what_came_before_a_fault_is_kept(stub, client) -> None:
    """Ten days, then a refusal: the ten days are rows, the rest is missing, the error is told."""
    stub.says(emaps(DAY, 240), 403)
    found = got("electricity-maps", asked("electricity-maps", "DE", 480), client)
    assert isinstance(found.error, LiveRefused)
    assert found.hours_told == 240
    assert found.hours == 480


# ---- WattTime


def moer(start: datetime, minutes: int, **meta: object) -> dict:
    """An answer of v3/historical."""
    data = [
        {
            "point_time": (start + timedelta(minutes=at)).isoformat(),
            "value": 1000.0,
            "last_updated": "2026-11-02T00:00:00+00:00",
        }
        for at in range(0, minutes, 5)
    ]
    told = {
        "data_point_period_seconds": 300,
        "region": "CAISO_NORTH",
        "warnings": [],
        "signal_type": "co2_moer",
        "model": {"date": "2023-03-01"},
        "units": "lbs_co2_per_mwh",
    }
    return {"data": data, "meta": told | meta}


def test_watttime_logs_in_and_gives_marginal_grams(stub, client) -> None:
    """Name and password become a token; pounds per MWh become grams per kWh; the signal is marginal, never average."""
    stub.says({"token": "t-1"}, moer(DAY, 120))
    found = got("watttime", asked("watttime", "CAISO_NORTH", 2), client)
    assert [row.value for row in found.rows] == pytest.approx([453.59237, 453.59237])
    assert found.rows[0].quantity == "marginal_intensity_g_per_kwh"
    assert found.rows[0].basis["signal"] == "marginal"
    assert found.rows[0].subject == "EIA-CISO"
    login, historical = stub.asked
    assert login[2]["Authorization"] == "Basic " + base64.b64encode(b"secret:secret").decode()
    assert historical[2]["Authorization"] == "Bearer t-1"
    assert historical[1]["signal_type"] == "co2_moer"


def test_watttime_logs_in_again_when_the_token_runs_out(stub, client) -> None:
    """A token holds for half an hour; one that ran out is renewed once."""
    stub.says({"token": "t-1"}, 401, {"token": "t-2"}, moer(DAY, 60))
    found = got("watttime", asked("watttime", "CAISO_NORTH", 1), client)
    assert found.error is None
    assert len(found.rows) == 1
    assert stub.asked[-1][2]["Authorization"] == "Bearer t-2"


def test_watttime_in_another_unit_is_refused(stub, client) -> None:
    """A percentile or another unit is not taken for pounds."""
    stub.says({"token": "t"}, moer(DAY, 60, units="percentile"))
    assert isinstance(got("watttime", asked("watttime", "CAISO_NORTH", 1), client).error, LiveUnreadable)


@pytest.mark.parametrize("period", [None, 0, -300, "five minutes"])
def test_watttime_without_the_length_of_a_point_is_refused(stub, client, period: object) -> None:
    """Where the answer does not say how long a point lasts, none is assumed."""
    stub.says({"token": "t"}, moer(DAY, 60, data_point_period_seconds=period))
    found = got("watttime", asked("watttime", "CAISO_NORTH", 1), client)
    assert isinstance(found.error, LiveUnreadable)
    assert not found.rows


def test_an_hour_told_in_part_counts_from_three_quarters(stub, client) -> None:
    """45 of 60 minutes make an hour that says so; 30 do not."""
    stub.says({"token": "t"}, moer(DAY, 45))
    found = got("watttime", asked("watttime", "CAISO_NORTH", 1), client)
    assert found.rows[0].note.startswith("45 of 60 minutes told")
    stub.says({"token": "t"}, moer(DAY, 30))
    found = got("watttime", asked("watttime", "CAISO_NORTH", 1), client)
    assert found.rows == ()
    assert rules(found) == ["live-hours-cut"]


# ---- UK


def half_hours(start: datetime, count: int, actual: int | None = 200) -> list[dict]:
    """Half-hours as the UK gives them, the one before the start included."""
    return [
        {
            "from": f"{start + at * HOUR / 2:%Y-%m-%dT%H:%MZ}",
            "to": f"{start + (at + 1) * HOUR / 2:%Y-%m-%dT%H:%MZ}",
            "intensity": {"forecast": 100, "actual": actual, "index": "moderate"},
        }
        for at in range(-1, count)
    ]


def test_uk_national_takes_actual_before_forecast(stub, client) -> None:
    """Where there is an actual value it counts; where there is none the forecast does, as an estimate."""
    stub.says({"data": half_hours(DAY, 2) + half_hours(DAY + HOUR, 2, None)[1:]})
    found = got("uk-carbon-intensity", asked("uk-carbon-intensity", "GB", 2), client)
    assert [(row.value, row.tier) for row in found.rows] == [(200.0, "derived"), (100.0, "estimated")]
    assert stub.asked[0][0] == "/intensity/2026-11-01T00:00Z/2026-11-01T02:00Z"
    assert found.rows[0].subject == "GBR"


def test_uk_regions_are_not_the_nation(stub, client) -> None:
    """A region's list lies deeper, and its subject is its own."""
    entries = [entry | {"intensity": {"forecast": 80, "index": "low"}} for entry in half_hours(DAY, 2)]
    stub.says({"data": {"regionid": 13, "shortname": "London", "data": entries}})
    found = got("uk-carbon-intensity", asked("uk-carbon-intensity", "13", 1), client)
    assert [(row.subject, row.value, row.tier) for row in found.rows] == [("uk-carbon-intensity:13", 80.0, "estimated")]
    assert stub.asked[0][0].endswith("/regionid/13")


# ---- ENTSO-E


def series(kind: str, start: datetime, end: datetime, step: str, values: dict[int, float], **words: str) -> str:
    """One time series."""
    domain = words.get("domain", "inBiddingZone_Domain.mRID")
    curve, unit = words.get("curve", "A01"), words.get("unit", "")
    system = f"<PowerSystemResources><mRID>{unit}</mRID></PowerSystemResources>" if unit else ""
    points = "".join(
        f"<Point><position>{at}</position><quantity>{value}</quantity></Point>" for at, value in values.items()
    )
    return (
        f"<TimeSeries><mRID>1</mRID><{domain}>10Y1001A1001A82H</{domain}><quantity_Measure_Unit.name>MAW"
        f"</quantity_Measure_Unit.name><curveType>{curve}</curveType><MktPSRType><psrType>{kind}</psrType>{system}"
        f"</MktPSRType><Period><timeInterval><start>{start:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end>"
        f"</timeInterval><resolution>{step}</resolution>{points}</Period></TimeSeries>"
    )


def document(*found: str, kind: str = "A75") -> str:
    """A whole answer."""
    space = "urn:iec62325.351:tc57wg16.451-6:generationloaddocument:3:0"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><GL_MarketDocument xmlns="{space}"><type>{kind}</type>'
        f"<createdDateTime>2026-11-20T00:00:00Z</createdDateTime>{''.join(found)}</GL_MarketDocument>"
    )


def by_fuel(found: Fetched) -> dict[str, list[float]]:
    """Fuel -> energy of each hour."""
    sums: dict[str, list[float]] = {}
    for row in found.rows:
        sums.setdefault(row.basis["fuel"], []).append(row.value)
    return sums


def test_entsoe_adds_types_up_to_hours(stub, client) -> None:
    """Quarter-hours of MW become kWh; two kinds of hydropower add up; what storage takes in is left out."""
    end = DAY + HOUR
    quarters = dict.fromkeys(range(1, 5), 100.0)
    stub.says(
        document(
            series("B14", DAY, end, "PT15M", {1: 10, 2: 20, 3: 30, 4: 40}),
            series("B11", DAY, end, "PT60M", {1: 5}),
            series("B12", DAY, end, "PT60M", {1: 7}),
            series("B10", DAY, end, "PT15M", quarters, domain="outBiddingZone_Domain.mRID"),
        )
    )
    found = got("entsoe", asked("entsoe", "DE_LU", 1), client)
    assert by_fuel(found) == {"nuclear": [25_000.0], "hydro": [12_000.0]}
    _path, query, _headers = stub.asked[0]
    assert (query["documentType"], query["processType"]) == ("A75", "A16")
    assert query["in_Domain"] == "10Y1001A1001A82H"
    assert (query["periodStart"], query["periodEnd"]) == ("202611010000", "202611010100")


def test_entsoe_fills_one_curve_and_not_the_other(stub, client) -> None:
    """In a curve A03 a missing point equals the one before; in A01 it is a gap, and the hour is cut."""
    end = DAY + 2 * HOUR
    stub.says(document(series("B04", DAY, end, "PT30M", {1: 10, 4: 30}, curve="A03")))
    assert by_fuel(got("entsoe", asked("entsoe", "FR", 2), client)) == {"gas": [10_000.0, 20_000.0]}
    stub.says(document(series("B04", DAY, end, "PT30M", {1: 10, 2: 10, 4: 30})))
    found = got("entsoe", asked("entsoe", "FR", 2), client)
    assert by_fuel(found) == {"gas": [10_000.0]}
    assert rules(found) == ["live-hours-cut"]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_local_day_has_as_many_hours_as_it_has(stub, client, day: date, hours: int) -> None:
    """The days on which clocks change are asked for and read as 23 and 25 hours, none twice and none lost."""
    start, end = whole_days(day, day, ZoneInfo("Europe/Berlin"))
    assert (end - start) // HOUR == hours
    stub.says(document(series("B16", start, end, "PT60M", {at: float(at) for at in range(1, hours + 1)})))
    found = got("entsoe", Ask("DE_LU", "DEU", start, end, None, "10Y1001A1001A82H"), client)
    assert by_fuel(found)["solar"] == [1000.0 * at for at in range(1, hours + 1)]
    assert found.findings == ()


def test_entsoe_adds_units_up(stub, client) -> None:
    """Document A73 names each unit; units of one type add up, and a day is one question."""
    end = DAY + HOUR
    units = (series("B05", DAY, end, "PT60M", {1: 10 * at}, unit=f"unit-{at}") for at in (1, 2))
    stub.says(document(*units, kind="A73"))
    found = got("entsoe-units", asked("entsoe-units", "DE_LU", 1), client)
    assert by_fuel(found) == {"coal": [30_000.0]}
    assert stub.asked[0][1]["documentType"] == "A73"


def acknowledgement(code: str) -> str:
    """How the platform says that there is nothing, or that it refuses."""
    space = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"
    tag = "Acknowledgement_MarketDocument"
    return f'<{tag} xmlns="{space}"><Reason><code>{code}</code></Reason></{tag}>'


def test_entsoe_with_nothing_to_say_is_a_gap(stub, client) -> None:
    """Reason 999 is no error: all hours are missing, and that is told."""
    stub.says(acknowledgement("999"))
    found = got("entsoe", asked("entsoe", "FR"), client)
    assert found.error is None
    assert rules(found) == ["live-hours-missing"]
    stub.says(acknowledgement("A01"))
    assert isinstance(got("entsoe", asked("entsoe", "FR"), client).error, LiveFailed)


def test_a_document_that_declares_entities_is_not_read(stub, client) -> None:
    """No answer needs a document type; one that could expand without end is refused."""
    stub.says('<!DOCTYPE a [<!ENTITY b "cccc">]><GL_MarketDocument>&b;</GL_MarketDocument>')
    assert isinstance(got("entsoe", asked("entsoe", "FR"), client).error, LiveUnreadable)


# ---- EIA


def eia_rows(start: datetime, hours: int, fuels: dict[str, object]) -> list[dict]:
    """Rows as EIA gives them: the period is the end of the hour."""
    return [
        {
            "period": f"{start + (hour + 1) * HOUR:%Y-%m-%dT%H}",
            "respondent": "CISO",
            "fueltype": fuel,
            "value": value,
            "value-units": "megawatthours",
        }
        for hour in range(hours)
        for fuel, value in fuels.items()
    ]


def test_eia_names_the_end_of_the_hour(stub, client) -> None:
    """The period 01 is the hour from 00 to 01; numbers may be texts; two kinds of solar add up."""
    rows = eia_rows(DAY, 2, {"NG": "100", "SUN": 40, "SNB": 2, "BAT": -5})
    stub.says({"response": {"total": str(len(rows)), "data": rows}})
    found = got("eia", asked("eia", "CISO", 2), client)
    assert found.rows[0].valid_from == DAY
    assert by_fuel(found) == {"gas": [1e5, 1e5], "solar": [42e3, 42e3], "storage": [-5e3, -5e3]}
    assert stub.asked[0][1]["start"] == "2026-11-01T01"
    assert stub.asked[0][1]["end"] == "2026-11-01T02"


def test_eia_turns_the_pages(stub, client) -> None:
    """More rows than a page are asked for page by page; an hour that a page cuts is whole."""
    rows = eia_rows(DAY, 24 * 90, {"NG": 100, "WAT": 10, "NUC": 5})

    def give(_path: str, query: dict, _headers: dict) -> tuple[int, dict, bytes]:
        at, size = int(query["offset"]), int(query["length"])
        return 200, {}, json.dumps({"response": {"total": len(rows), "data": rows[at : at + size]}}).encode()

    stub.answer = give
    found = got("eia", asked("eia", "CISO", 24 * 90), client)
    assert [query["offset"] for _path, query, _headers in stub.asked] == ["0", "5000"]
    assert by_fuel(found)["gas"] == [1e5] * 24 * 90
    assert found.findings == ()


@pytest.mark.parametrize("total", [{}, {"total": None}, {"total": "many"}])
def test_eia_without_a_number_of_rows_is_an_error(stub, client, total) -> None:
    """Where the answer does not tell how many rows there are, the fetch fails instead of ending after one page."""
    stub.says({"response": {**total, "data": eia_rows(DAY, 2, {"NG": 100})}})
    assert isinstance(got("eia", asked("eia", "CISO", 2), client).error, LiveUnreadable)


def test_an_hour_without_a_large_fuel_is_no_hour(stub, client) -> None:
    """Where gas is null, the mix would look clean; the hour is left out and named."""
    rows = eia_rows(DAY, 3, {"NG": 100, "WAT": 50})
    rows[2]["value"] = None
    stub.says({"response": {"total": 6, "data": rows}})
    found = got("eia", asked("eia", "CISO", 3), client)
    assert len(by_fuel(found)["gas"]) == 2
    assert rules(found) == ["live-hours-cut"]


# ---- KPX


def kpx(day: date, steps: Iterator[int] | range = range(288), **changes: object) -> dict:
    """A Korean day in steps of five minutes."""
    midnight = datetime.combine(day, datetime.min.time())
    items = [
        {"baseDatetime": f"{midnight + at * timedelta(minutes=5):%Y%m%d%H%M%S}", "rn": at + 1}
        | {"fuelPwr1": 12, "fuelPwr3": 600, "fuelPwr4": 1200, "fuelPwr5": -240, "fuelPwr6": 1200, "fuelPwr7": 120}
        | {"fuelPwr8": "24", "fuelPwr9": 0, "fuelPwrTot": 3000}
        | changes
        for at in steps
    ]
    body = {"pageNo": 1, "numOfRows": 300, "totalCount": len(items), "items": {"item": items}}
    return {"response": {"header": {"resultCode": "00", "resultMsg": "NORMAL SERVICE."}, "body": body}}


def test_kpx_days_are_korean(stub, client) -> None:
    """A day of UTC touches two Korean days; each is asked for, and hours are placed by UTC+9."""
    stub.answer = lambda _path, query, _headers: (
        200,
        {},
        json.dumps(kpx(datetime.strptime(query["baseDate"], "%Y%m%d").replace(tzinfo=UTC).date())).encode(),
    )
    found = got("kpx", asked("kpx", "KR"), client)
    assert [query["baseDate"] for _path, query, _headers in stub.asked] == ["20261101", "20261102"]
    fuels = by_fuel(found)
    assert len(fuels["nuclear"]) == 24
    assert fuels["coal"][0] == pytest.approx(720_000.0)
    assert fuels["storage"][0] == pytest.approx(-240_000.0)
    assert fuels["other-renewable"][0] == pytest.approx(24_000.0)
    assert found.rows[0].subject == "KOR"
    assert found.findings == ()


@pytest.mark.parametrize(("code", "error"), [("30", LiveRefused), ("22", LiveBusy), ("12", LiveFailed)])
def test_kpx_gateway_refuses_in_xml_with_status_200(stub, client, code: str, error: type[Exception]) -> None:
    """The portal's gateway says no in XML; that is an error, not an empty day."""
    stub.says(
        "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg><returnAuthMsg>NO</returnAuthMsg>"
        f"<returnReasonCode>{code}</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
    )
    assert isinstance(got("kpx", asked("kpx", "KR"), client).error, error)


def test_kpx_with_one_row_or_none(stub, client) -> None:
    """One row comes as an object, none as an empty text; neither breaks the reading."""
    one = kpx(date(2026, 11, 1), range(1))
    one["response"]["body"]["items"]["item"] = one["response"]["body"]["items"]["item"][0]
    none = kpx(date(2026, 11, 2), range(0))
    none["response"]["body"]["items"] = ""
    stub.says(one, none)
    found = got("kpx", asked("kpx", "KR", 9, DAY - 9 * HOUR), client)
    assert found.error is None
    assert found.rows == ()


# ---- all


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_zones_and_says_what_it_measures(name: str) -> None:
    """Each source knows its address, its zones and the words of its numbers; what is marginal is never average."""
    source = live_source(name)
    assert source.url.startswith("https://")
    assert zones(name)
    meaning = source.meaning(asked(name, zones(name)[0]))
    assert (meaning.basis.get("signal") == "marginal") == (meaning.quantity == "marginal_intensity_g_per_kwh")


def test_an_unknown_source_gives_the_nearest() -> None:
    """A name that is nearly right is answered with the right one."""
    with pytest.raises(UnknownName) as caught:
        live_source("watt-time")
    assert "watttime" in str(caught.value)
