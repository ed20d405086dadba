"""Bills: what is booked, what is counted in the coverage only, and the reference bills."""

import io
import json
import re
from collections import Counter
from datetime import date

import pytest
from recorded import RECORDINGS

from joulebook.faces.cli.main import run_command
from joulebook.factors.model import resolve_model
from joulebook.factors.place import resolve_place
from joulebook.factors.read import read_edition
from joulebook.ingest.bill_blocks import UNTOLD, told_in_tokens
from joulebook.ingest.bill_tokens import model_of, tokens_of
from joulebook.ingest.bill_use import in_tokens, untold_use, use_of
from joulebook.ingest.bill_words import instance_type
from joulebook.ingest.reader import ReadOptions, detect, read_path, reader
from joulebook.terms.finding import Finding

BILLS = {one.reader: one for one in RECORDINGS if one.file in {"focus.csv", "aws-cur.csv"}}


def split(found):
    """Rows and findings of a parse."""
    everything = list(found)
    findings = [row for row in everything if isinstance(row, Finding)]
    return [row for row in everything if not isinstance(row, Finding)], findings


def test_machines_accelerators_and_processors():
    """Hours of machines, accelerators and virtual processors are booked; equal lines are two uses."""
    rows, _ = split(reader("focus").parse(io.BytesIO(BILLS["focus"].content()), ReadOptions(file="f")))
    hours = Counter()
    for row in rows:
        hours[row.get("device")] += row.get("device_hours") or 0
    assert hours["c5.2xlarge"] == 2
    assert hours["p5.48xlarge"] == 0.5  # of the instance, which has eight accelerators
    assert sum(row.get("vcpu_hours") or 0 for row in rows) == 8 + 8 + 96 + 0.5
    assert all(row["tier"] == "derived" for row in rows)


def test_coverage_is_told():
    """Every bill ends with how much of its cost was booked."""
    _, findings = split(reader("focus").parse(io.BytesIO(BILLS["focus"].content()), ReadOptions(file="f")))
    (coverage,) = findings
    assert coverage.rule == "bill-coverage"
    assert not coverage.is_error
    counts = {"lines": "9", "uses": "7", "inside": "0", "back": "0"}
    assert coverage.facts == {"ratio": "97.3%", "cost": "110.02", "currency": "USD", **counts}


def test_use_taken_back_is_a_correction():
    """A line with a negative quantity gives a row with negative amounts that is marked as a correction."""
    text = BILLS["focus"].content().decode().splitlines()
    back = text[1].replace(",1,Hours", ",-1,Hours").replace("0.34,USD", "-0.34,USD")
    content = "\n".join([text[0], text[1], back]) + "\n"
    rows, findings = split(reader("focus").parse(io.BytesIO(content.encode()), ReadOptions(file="f")))
    assert [row.rule for row in findings] == ["bill-covered"]
    assert [(row["device_hours"], "correction_key" in row) for row in rows] == [(1, False), (-1, True)]
    assert rows[0]["device"] == rows[1]["device"]


def test_a_bill_without_its_columns():
    """A bill that lacks a column that every line needs is refused with the name of the column."""
    _, findings = split(reader("focus").parse(io.BytesIO(b"ChargePeriodStart,BilledCost\n"), ReadOptions(file="f")))
    assert [(row.rule, row.facts["column"]) for row in findings] == [
        ("missing-column", "ConsumedQuantity"),
        ("missing-column", "ConsumedUnit"),
    ]


def test_the_reference_bills(shared_data):
    """The FOCUS sample and the AWS report are recognised and read with their coverage; nothing is guessed."""
    folder = shared_data / "billing"
    focus, cur = folder / "focus_1.0_sample.csv", folder / "aws_cur_anonymous_focus_converters.csv"
    assert (detect(focus)[0].name, detect(cur)[0].name) == ("focus", "aws-cur")
    rows, findings = split(read_path("focus", focus))
    assert len({row["usage_key"] for row in rows}) == len(rows) == 541
    assert sum("correction_key" in row for row in rows) == 6
    (coverage,) = findings
    told = {"ratio": "92.5%", "lines": "1,000", "uses": "535", "inside": "8", "back": "6"}
    assert coverage.rule == "bill-coverage"
    assert {name: coverage.facts[name] for name in told} == told
    rows, findings = split(read_path("aws-cur", cur))
    assert len(rows) == 503
    assert findings[0].facts["lines"] == "1,281"


def snake(name):
    """A name as models of a warehouse write it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("spelling", [str.lower, str.upper, snake], ids=["athena", "snowflake", "warehouse"])
@pytest.mark.parametrize("recording", BILLS.values(), ids=BILLS)
def test_a_bill_out_of_a_warehouse(recording, spelling, tmp_path):
    """The same bill queried through an engine that spells its columns otherwise gives the same rows and coverage."""
    header, _, rest = recording.content().decode().partition("\n")
    path = tmp_path / "bill.csv"
    path.write_text(spelling(header) + "\n" + rest)
    assert detect(path)[0].name == recording.reader
    options = ReadOptions(file="f")
    whole = list(reader(recording.reader).parse(io.BytesIO(recording.content()), options))
    assert list(read_path(recording.reader, path, options)) == whole


def test_columns_of_one_cloud_in_small_letters():
    """The columns that a cloud adds to FOCUS are found in small letters too; an exact name goes before a like one."""
    text = (
        "chargeperiodstart,billedcost,billingcurrency,consumedquantity,consumedunit,providername,x_usagetype,UNIT,"
        "BilledCost\n2026-03-01T00:00:00Z,7,USD,2,GB,AWS,USE1-DataTransfer-Out-Bytes,x,1\n"
    )
    (row,), _ = split(reader("focus").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    assert (row["network_gb"], row["cost_usd"]) == (2, 1)


def test_the_coverage_and_the_booking_agree(shared_data, tmp_path, capsys):
    """What a bill is told to hold is what is booked and refused: uses, and lines that take back what is not there."""
    bill = shared_data / "billing" / "focus_1.0_sample.csv"
    assert run_command(["--book", str(tmp_path / "book"), "import", "focus", str(bill), "--json"]) == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert (file["added"], file["refused"]) == (535, 6)
    assert {finding["file"] for finding in file["findings"]} == {str(bill)}


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ("$2.00 per On Demand Linux m4.10xlarge Instance Hour", "m4.10xlarge"),
        ("USD 0.023 per db.t3.micro Single-AZ instance hour", "db.t3.micro"),
        ("$0.19152 per On Demand Linux m7i-flex.xlarge Instance Hour", "m7i-flex.xlarge"),
        ("Virtual Machines NCasT4_v3 Series - NC4as T4 v3 - US East", "NC4as T4 v3"),
        ("$0.045 per NAT Gateway Hour", None),
        ("$0.005 per In-use public IPv4 address per hour", None),
    ],
)
def test_names_of_machines(text, machine):
    """A machine is found by its name in the description, and nothing else is taken for one."""
    assert instance_type(text) == machine


@pytest.mark.parametrize(
    ("text", "unit", "tokens"),
    [
        ("USE1-Claude3Sonnet-input-tokens", "1K tokens", {"uncached_input_tokens": 1500}),
        ("USE1-Claude-cache-read-input-token-count", "1K tokens", {"cache_read_tokens": 1500}),
        ("gpt 4o 0806 Outp regnl Tokens", "1M tokens", {"visible_output_tokens": 1_500_000}),
        ("storage", "GB-Mo", None),
        ("USE1-MP:USE1_InputTokenCount-Units|Million Input Tokens", "Units", {"uncached_input_tokens": 1_500_000}),
        (
            "USE1-MP:USE1_CacheReadInputTokenCount_Global-Units|Million Tokens",
            "Units",
            {"cache_read_tokens": 1_500_000},
        ),
        ("USE1-MP:USE1_output_tokens_standard-Units|Million Tokens", "Units", {"visible_output_tokens": 1_500_000}),
        ("Gemini 3 Flash Text Input - Predictions", "1000000 count", {"uncached_input_tokens": 1_500_000}),
        ("gpt 4o 1120 Inp glbl Tokens", "1000", {"uncached_input_tokens": 1500}),
        ("gpt 4o 1120 Inp glbl Tokens", "10K", {"uncached_input_tokens": 15_000}),
        ("gpt 4o 1120 Inp glbl Tokens", "1 million input tokens", {"uncached_input_tokens": 1_500_000}),
        ("gpt 4o 1120 Inp glbl Tokens", "Task tokens", {"uncached_input_tokens": 2}),
        ("gpt 4o 1120 Inp glbl Tokens", "GB", None),
        ("text-embedding-3-large-glbl Tokens", "1K", {"embedding_tokens": 1500}),
        ("5.4 opt Gl 1M Tokens", "Units", {"visible_output_tokens": 1_500_000}),
        ("gpt 4o 1120 Inp glbl Tokens", "Units", None),
        (
            "USE1-MP:USE1_InputTokenCount-Units",
            "Units",
            {"uncached_input_tokens": 1_500_000},
        ),  # a million a unit
        ("USE1-xai.grok-4-mantle-input-tokens-global-standard", "1K tokens", {"uncached_input_tokens": 1500}),
        ("5.4 opt Gl 1M Tokens Azure OpenAI GPT5", "1M", {"visible_output_tokens": 1_500_000}),
        ("5.6 sol ShortCo Cd Inp Std Gl 1M Tokens", "1M", {"cache_read_tokens": 1_500_000}),
        ("GPT 5 Mini Inpt Glbl 1M Tokens", "1M", {"uncached_input_tokens": 1_500_000}),
        ("Gemini 2.5 Flash GA Text Input - Predictions", "requests", {"uncached_input_tokens": 2}),
        ("Gemini 2.5 Flash GA Text Input Caching", "count", {"cache_read_tokens": 2}),
        ("Gemini 2.5 Flash GA Text Input Caching Storage", "h", None),
        ("Gemini 1.5 Flash Text Input - Predictions", "count", None),  # characters
        (
            "Generate content output token count gemini 2.5 flash short input text",
            "count",
            {"visible_output_tokens": 2},
        ),
        ("Generate content cached input token count gemini 3.5 flash text", "count", {"cache_read_tokens": 2}),
        ("Grounding with Google Search", "count", None),
    ],
)
def test_units_of_tokens(text, unit, tokens):
    """Tokens are counted by the unit of the line and put into the class that its SKU names."""
    assert tokens_of(text, unit, 1.5) == tokens


@pytest.mark.parametrize(
    ("sku", "product", "model"),
    [
        ("USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global", "", "Claude4.6Opus"),
        ("USE1-openai.gpt-oss-120b-mantle-input-tokens-standard", "", "openai.gpt-oss-120b"),
        ("EU-gpt-oss-120b-output-tokens-batch", "", "gpt-oss-120b"),
        ("USW2-MP:USW2_input_tokens_standard-Units", "Claude Haiku 4.5 (Amazon Bedrock Edition)", "Claude Haiku 4.5"),
        ("USW2-MP:USW2_InputTokenCount-Units", "", None),
        ("gpt 4o 1120 cached Inp glbl Tokens", "Azure OpenAI", "gpt 4o 1120"),
        ("5 mini pp cd Inp Dz 1M Tokens", "Azure OpenAI GPT5", "gpt-5 mini"),
        ("text-embedding-3-large-glbl Tokens", "Azure OpenAI", "text-embedding-3-large"),
        ("V4 Pro Outp glbl Tokens", "Azure Deepseek Models", "deepseek-V4 Pro"),
        ("Gemini 2.5 Flash GA Thinking Text Output - Predictions", "", "Gemini 2.5 Flash"),
        ("Gemini 3.7 Flash Global Text Input - Predictions", "", "Gemini 3.7 Flash"),
        ("Generate content output token count gemini 2.5 flash short input text", "", "gemini 2.5 flash"),
        ("Generate_content text input token count for gemini 3 pro short", "", "gemini 3 pro"),
    ],
)
def test_models_of_tokens(sku, product, model):
    """A model is named by the SKU or the product, without place, class and manner of the call."""
    assert model_of(sku, product) == model


SIZED = {
    "single tokens": ({"quantity": "12000", "priced": "12", "block": "1000"}, 12_000),
    "blocks, by the price": (
        {"quantity": "2", "priced": "0.002", "block": "1000", "contracted_price": "0.01", "contracted_cost": "0.02"},
        2_000,
    ),
    "blocks, by the list price": (
        {"quantity": "12000", "priced": "12", "block_unit": "1K", "list_price": "0.0025", "list_cost": "0.03"},
        12_000,
    ),
    "blocks in both quantities": ({"quantity": "2", "priced": "2", "block_unit": "1K"}, 2_000),
    "taken back": ({"quantity": "-12000", "priced": "-12", "block": "1000"}, -12_000),
    "blocks of the pricing unit": ({"quantity": "12000", "priced": "12", "priced_unit": "1K Tokens"}, 12_000),
    "priced by the token": ({"quantity": "700", "priced": "700", "block": "1"}, 700),
    "no block": ({"quantity": "700", "priced": "700"}, None),
    "a block and one quantity": ({"quantity": "700", "block": "1000"}, None),
    "a price that fits neither": (
        {"quantity": "2", "priced": "2", "block": "1000", "list_price": "1", "list_cost": "7"},
        None,
    ),
    "quantities that do not fit": ({"quantity": "12000", "priced": "7", "block": "1000"}, None),
}


@pytest.mark.parametrize(("told", "tokens"), SIZED.values(), ids=SIZED)
def test_tokens_in_units(told, tokens):
    """Where a unit is only called a unit, price, quantities and block tell the tokens together, or they are unknown."""
    quantity, unit = told_in_tokens(told, "gpt 4o 1120 Inp glbl Tokens")
    assert (quantity, unit) == (tokens, "tokens") if tokens is not None else unit == UNTOLD


@pytest.mark.parametrize(
    ("told", "tokens"),
    [
        ({"quantity": "12000", "priced": "12", "block": "1000", "list_price": "2", "list_cost": "24"}, 12_000),
        ({"quantity": "12", "priced": "0.012", "block": "1000", "list_price": "2", "list_cost": "24"}, 12_000),
        ({"quantity": "12000"}, None),
        ({"quantity": "12000", "priced": "12000", "block": "1000"}, None),
        ({"quantity": "12000", "priced": "7", "block": "1000", "list_price": "2", "list_cost": "5"}, None),
    ],
)
def test_a_unit_called_a_token(told, tokens):
    """A line in tokens counts blocks where its price says so, and else what its unit says (None)."""
    found = in_tokens({"unit": "Tokens", "sku": "gpt 4o 1120 Inp glbl Tokens", **told})
    assert found == (None if tokens is None else (tokens, "tokens"))


def test_a_block_in_the_name_of_a_meter():
    """A meter whose name holds the block tells it, and the quantities whether they count blocks."""
    name = "5.4 opt Gl 1M Tokens"
    assert told_in_tokens({"quantity": "1.5"}, name) == (1_500_000, "tokens")
    assert told_in_tokens({"quantity": "1500000", "priced": "1.5", "block": "1"}, name) == (1_500_000, "tokens")


UNITS_HEADER = (
    "ChargePeriodStart,BilledCost,BillingCurrency,ConsumedQuantity,ConsumedUnit,ProviderName,SkuMeter,ServiceName\n"
)


@pytest.mark.parametrize(
    ("unit", "meter", "service", "rule"),
    [
        ("Units", "gpt 4o 1120 Inp glbl Tokens", "Azure OpenAI", "tokens-untold"),
        ("Units", "MP:USE1_ClaudeConsumptionUnits-Units", "Claude Platform on AWS", "tokens-as-money"),
        ("Units", "Claude Consumption Unit", "SaaS", "tokens-as-money"),
        ("CCU", "Usage", "Anthropic", "tokens-as-money"),
    ],
)
def test_tokens_that_a_bill_does_not_tell(unit, meter, service, rule):
    """Use of a hosted model that a bill counts in units of untold size, or in money, is told with its cost."""
    lines = f"2026-03-01,7,USD,2,{unit},X,{meter},{service}\n2026-03-01,1,USD,2,GB,X,Bandwidth,Net\n"
    rows, findings = split(reader("focus").parse(io.BytesIO((UNITS_HEADER + lines).encode()), ReadOptions(file="f")))
    assert len(rows) == 1
    told, coverage = findings
    assert (told.rule, told.line, told.facts["count"], told.facts["cost"]) == (rule, 2, 1, "7.00")
    assert told.is_error
    assert coverage.facts["ratio"] == "12.5%"


def test_units_of_another_company_are_not_claude():
    """A unit of the same letters that another company sells is no use of Claude."""
    lines = "2026-03-01,7,USD,2,Units,X,CCU,CelerData Cloud\n"
    _, findings = split(reader("focus").parse(io.BytesIO((UNITS_HEADER + lines).encode()), ReadOptions(file="f")))
    assert [row.rule for row in findings] == ["bill-coverage"]


def test_details_of_aws_as_a_map():
    """CUR 2.0 keeps the machine and the product in one map, as JSON or as the text of a map of Parquet."""
    header = "line_item_usage_start_date,line_item_usage_type,line_item_usage_amount,line_item_unblended_cost,"
    header += "pricing_unit,line_item_line_item_description,line_item_resource_id,product\n"
    text = header + (
        '2026-03-01T00:00:00Z,BoxUsage,2,1,Hrs,,i-1,"{""instance_type"":""c5.large"",""vcpu"":""2""}"\n'
        '2026-03-01T00:00:00Z,BoxUsage,2,1,Hrs,,i-2,"{vcpu=2, product_name=Amazon EC2, instance_type=c5.large}"\n'
        "2026-03-01T00:00:00Z,USE1-MP:USE1_InputTokenCount-Units,2,1,Units,Million Input Tokens,a,"
        '"{product_name=Claude Sonnet 4.6 (Amazon Bedrock Edition)}"\n'
        "2026-03-01T00:00:00Z,USE1-MP:USE1_InputTokenCount-Units,2,1,Units,Million Input Tokens,"
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0,\n"
    )
    rows, _ = split(reader("aws-cur").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    assert [(row.get("device"), row.get("vcpu_hours")) for row in rows[:2]] == [("c5.large", 4)] * 2
    assert [(row.get("model"), row.get("uncached_input_tokens")) for row in rows[2:]] == [
        ("Claude Sonnet 4.6", 2_000_000),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", 2_000_000),
    ]


def test_focus_of_one_cloud_in_its_own_columns():
    """AWS and Azure name the meter in columns of their own while the SKU is a number; no cloud is guessed."""
    header = "ChargePeriodStart,BilledCost,BillingCurrency,ConsumedQuantity,ConsumedUnit,ProviderName,SkuId,"
    text = header + (
        "x_UsageType,x_SkuMeterName\n"
        "2026-03-01T00:00:00Z,1,USD,2,GB,AWS,ABC123,USE1-DataTransfer-Out-Bytes,\n"
        "2026-03-01T00:00:00Z,1,USD,2,1K Tokens,Microsoft,DZH1,,gpt 4o 1120 Outp glbl Tokens\n"
        "2026-03-01T00:00:00Z,1,USD,2,GB,,ABC123,Bandwidth,\n"
    )
    rows, _ = split(reader("focus").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    told = [(row.get("provider"), row.get("network_gb"), row.get("visible_output_tokens")) for row in rows]
    assert told == [("aws", 2, None), ("azure", None, 2000), (None, 2, None)]


@pytest.mark.parametrize(
    ("sku", "unit", "used"),
    [
        ("USE1-Fargate-GB-Hours", "GB-Hours", {}),
        ("USE1-Fargate-vCPU-Hours:perCPU", "hours", {"vcpu_hours": 3.0}),
        ("TimedStorage-ByteHrs", "GB-Mo", {"storage_gb_hours": 2191.5}),
        ("DataTransfer-In-Bytes", "GB", None),
        ("USE1-USW2-AWS-Out-Bytes data transfer", "GB", {"network_gb": 3.0}),
        ("NatGateway-Hours", "Hrs", None),
        ("LoadBalancerUsage", "LCU-Hours", None),
        ("Requests-Tier1", "Requests", None),
        ("Hot LRS Data Stored", "1 GiB/Month", {"storage_gb_hours": 3 * 730.5 * 1.073741824}),
    ],
)
def test_what_a_line_used(sku, unit, used):
    """A line is told by its SKU and unit; memory beside processors is covered by them; what comes in is not."""
    found = use_of({"kind": "Usage", "sku": sku, "unit": unit}, 3.0)
    assert found == (used if used is None else pytest.approx(used))


ORACLE_LINES = (
    "COMPUTE,12,Virtual Machine Standard - E2 Micro - Free,ONE HOURS OCPUS,OCPU Hours",
    "COMPUTE,4,Standard - E4 - Memory,1 GiB HOURS MEMORY,GB Hours",
    "MYSQL,0.5,MySQL Database Service - Storage,1 GiB MONTHS STORAGE_SIZE,GB Months",
    "DATABASE,0.25,Oracle Autonomous Transaction Processing - Exadata Storage,1 TiB MONTHS STORAGE_SIZE,TB",
    "STREAMING,2,Streaming - Storage,1 GiB HOURS STORAGE_SIZE,Gigabytes Per Hour",
    "NETWORK,3,Outbound Data Transfer Zone 1,1 GiB HOURS DATA_TRANSFERRED,GB Months",
    "STREAMING,1,Streaming - PUT or GET,1 GiB NONE DATA_TRANSFERRED,GB Of Data Transferred",
    "TELEMETRY,9,Monitoring Service - Retrieval,1000000 NONE NONE DATAPOINTS,Million Datapoints",
    "DATABASE,7,Oracle APEX Application Development,1 NONE HOURS INSTANCE,Hours",
)


def test_units_of_oracles_cost_reports():
    """Oracle writes a unit as number, size, time and what is counted; what is sent is no storage over months.

    Source: the cost report in the tests of the FinOps Foundation's focus_converters, November 2023.
    """
    header = "lineItem/intervalUsageStart,lineItem/intervalUsageEnd,cost/myCost,cost/currencyCode,product/region,"
    header += (
        "product/service,usage/billedQuantity,product/Description,cost/billingUnitReadable,cost/skuUnitDescription\n"
    )
    lines = "".join(f"2023-11-13T10:00Z,2023-11-13T11:00:00Z,2.3E-9,USD,us-sanjose-1,{line}\n" for line in ORACLE_LINES)
    rows, findings = split(reader("oracle-bill").parse(io.BytesIO((header + lines).encode()), ReadOptions(file="f")))
    names = ("vcpu_hours", "storage_gb_hours", "network_gb")
    gib, tib = 1.073741824, 1099.511627776
    assert [next((name, row[name]) for name in names if name in row) for row in rows] == [
        ("vcpu_hours", 24),
        ("storage_gb_hours", pytest.approx(0.5 * gib * 730.5)),
        ("storage_gb_hours", pytest.approx(0.25 * tib * 730.5)),
        ("storage_gb_hours", pytest.approx(2 * gib)),
        ("network_gb", pytest.approx(3 * gib)),
    ]
    assert [(one.facts["uses"], one.facts["inside"], one.facts["lines"]) for one in findings] == [("5", "1", "9")]


def test_machines_of_azures_usage_details():
    """Spot machines are machines of their type, databases count virtual cores by size or each, licences are no use.

    Source: usage details in the tests of the FinOps Foundation's focus_converters and of Microsoft's FinOps toolkit.
    """
    header = (
        "Date,Cost,BillingCurrency,ResourceLocation,ChargeType,UnitOfMeasure,Quantity,MeterCategory,MeterName,Product\n"
    )
    lines = (
        "Usage,1 Hour,2,Virtual Machines,DS4 v2 Spot,Virtual Machines DSv2 Series - DS4 v2 Spot Hours - US Central",
        "Usage,1 Hour,3,Virtual Machines,NC24ads A100 v4,Virtual Machines NCadsA100v4 Series - NC24ads A100 v4 - East",
        "Usage,1 Hour,24,MySQL,2 vCore,Azure Database for MySQL Basic - Compute Gen5 - 2 vCore - US Central",
        "Usage,1 Hour,48,SQL,vCore,SQL Managed Instance General Purpose - Compute Gen5 - vCore - US West 2",
        "Usage,1 Hour,2,SQL,vCore,SQL Managed Instance General Purpose - SQL License - Standard Edition",
        "Usage,1 Hour,11,Virtual Network,Standard Private Endpoint,Virtual Network Private Link - Private Endpoint",
        "Purchase,1 Hour,1,Virtual Machines,B1s,Virtual Machines BS Series - B1s - UK South",
    )
    text = header + "".join(f"09/04/2023,1,USD,CentralUS,{line}\n" for line in lines)
    rows, _ = split(reader("azure-bill").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    assert [(row.get("device"), row.get("device_hours"), row.get("vcpu_hours")) for row in rows] == [
        ("DS4 v2", 2, None),
        ("NC24ads A100 v4", 3, None),
        (None, None, 48),
        (None, None, 48),
    ]
    assert (rows[0]["started_at"].month, rows[0]["started_at"].day, rows[0]["region"]) == (9, 4, "centralus")


AWS_MODELS = (
    ("USE1-Claude4.6Sonnet-cache-read-input-token-count", "", "anthropic/claude-sonnet-4-6"),
    ("USE1-Claude4.5Sonnet-input-tokens-cross-region-global", "", "anthropic/claude-sonnet-4-5-20250929"),
    ("USE1-anthropic.claude-opus-4-8-mantle-input-tokens-standard", "", "anthropic/claude-opus-4-8"),
    ("USE1-NovaLite-input-tokens", "", "amazon/nova-lite"),
    ("USE1-Nova2.0Pro-text-input-tokens-priority-cross-region-global", "", "amazon/nova-2-pro"),
    ("USE1-NovaPro-cache-write-input-token-count-custom-model", "", "amazon/nova-pro"),
    ("USW2-TitanEmbeddingV2-Text-input-tokens", "", "amazon/titan-embed-text-v2"),
    ("USE1-MistralLarge-output-tokens", "", "mistral/mistral-large-2402"),
    ("USE1-GPT-OSS-Safeguard-20B-input-tokens-priority", "", "openai/gpt-oss-20b"),
    ("USE1-MP:USE1_InputTokenCount-Units", "Cohere Command R+ (Amazon Bedrock Edition)", "cohere/command-r-plus"),
    ("USE1-MP:USE1_InputTokenCount-Units", "Claude Opus 4.8 (Amazon Bedrock Edition)", "anthropic/claude-opus-4-8"),
)


@pytest.mark.parametrize(("sku", "product", "model"), AWS_MODELS)
def test_models_of_bedrock_are_known_by_their_usage_types(sku, product, model):
    """A usage type of Bedrock names a model of the registry, however AWS runs its words together.

    Source: usage types in the tests of grafana's cloudcost-exporter and of other public repositories that read the
    price list of AWS, 2025 and 2026.
    """
    found = resolve_model(read_edition(), "aws", model_of(sku, product), date(2026, 11, 1))
    assert found.model == model


MARKETPLACE_UNITS = (
    ("CacheWriteInputTokenCount", "Million Cache Write Input Tokens", "cache_write_tokens"),
    ("CacheWrite1hInputTokenCount_Global", "Million 1 hour Cache Write Input Tokens Global", "cache_write_tokens"),
    ("CacheReadInputTokenCount_Global", "Million Cache Read Input Tokens Regional CRIS", "cache_read_tokens"),
    ("OutputTokenCount_Batch", "Million Batch Response Tokens Global", "visible_output_tokens"),
    ("InputTokenCount_Global", "Input Tokens - Standard, Global", "uncached_input_tokens"),
    ("InputTokenCount", "Price per 1 million input tokens", "uncached_input_tokens"),
)


@pytest.mark.parametrize(("sku", "words", "name"), MARKETPLACE_UNITS)
def test_units_of_models_in_the_marketplace_of_aws(sku, words, name):
    """A unit of a model sold through the Marketplace is a million tokens, with and without the word in its description.

    Source: descriptions of the price list AmazonBedrockFoundationModels in tests of public repositories, 2026.
    """
    text = f"USE1-MP:USE1_{sku}-Units AWS Marketplace software usage|us-east-1|{words}"
    assert tokens_of(text, "Units", 0.5) == {name: 500_000}


GOOGLE_LINES = (
    ("Gemini 2.5 Flash GA Input Text Caching (Long)", "count", ("cache_read_tokens", 3600)),
    (
        "Generate content input token count gemini 2.5 flash lite short input text",
        "requests",
        ("uncached_input_tokens", 3600),
    ),
    ("Gemini 3.8 Flash Text Input Caching Storage", "count", None),
    ("Nvidia H100 80GB Mega GPU running in Frankfurt", "seconds", ("device", "Nvidia H100 80GB")),
    ("A4 Nvidia B200 (1 gpu slice) running in Netherlands", "seconds", ("device", "Nvidia B200")),
    ("RTX 6000 96GB running in Oregon", "seconds", ("device", "RTX PRO 6000")),
    ("TpuV6e attached to Spot Preemptible VMs running in Americas", "seconds", ("device", "TPU v6e")),
    ("Commitment v1: Nvidia H100 80GB GPU running in us-west4 for 3 Year", "seconds", ()),
    ("Commitment: Compute optimized Core running in Belgium for 1 Year", "seconds", ()),
    ("Sole Tenancy Premium for C4 Sole Tenancy Instance Core running in Americas", "seconds", ()),
    ("Memory Optimized Upgrade Premium for Memory-optimized Instance Core running in Americas", "seconds", ()),
    ("C3 Sole Tenancy Instance Core running in Americas", "seconds", ("vcpu_hours", 1)),
    ("DB standard Intel N1 2 VCPU running in Americas", "seconds", ("vcpu_hours", 2)),
    ("Licensing Fee for SUSE Linux Enterprise Server 12 on VM with 2 VCPU", "seconds", None),
    ("Services CPU (Instance-based billing) in us-central1", "seconds", ("vcpu_hours", 1)),
    ("Autopilot Pod mCPU Requests (us-central1)", "seconds", ("vcpu_hours", 0.001)),
    ("Vertex AI: ReasoningEngine management fee on CPU", "seconds", ("vcpu_hours", 1)),
    ("Download Worldwide Destinations (excluding Asia & Australia)", "bytes", ("network_gb", 3.6e-6)),
)


@pytest.mark.parametrize(("sku", "unit", "told"), GOOGLE_LINES)
def test_skus_of_google(sku, unit, told):
    """Lines of Google's export use what their SKU says; commitments and premiums are inside other lines.

    Source: SKUs in tests and price lists of public repositories that read Google's catalog and export, 2024 to 2026.
    """
    used = use_of({"kind": "regular", "service": "Google Cloud", "sku": sku, "unit": unit}, 3600.0)
    if told is None or told == ():
        assert used == (None if told is None else {})
        return
    assert used is not None
    assert used[told[0]] == pytest.approx(told[1]) if isinstance(told[1], (int, float)) else used[told[0]] == told[1]


def test_corrections_of_googles_use():
    """An adjustment that corrects the use takes it back; one of the price changes nothing that was used.

    Source: Google Cloud, "Standard usage cost data" (adjustment_info).
    """
    base = {
        "usage_start_time": "2026-03-05 01:00:00 UTC", "usage_end_time": "2026-03-05 02:00:00 UTC", "currency": "USD",
        "service": {"description": "Compute Engine"}, "sku": {"description": "N2 Instance Core running in Americas"},
        "location": {"region": "us-central1"}, "project": {"id": "p"},
    }  # fmt: skip
    lines = [
        {**base, "cost": cost, "cost_type": kind, "adjustment_info": info, "usage": {"amount": used, "unit": "seconds"}}
        for cost, kind, info, used in (
            (0.25, "regular", None, 28800),
            (-0.25, "adjustment", {"type": "USAGE_CORRECTION"}, -28800),
            (0.03, "adjustment", {"type": "USAGE_CORRECTION"}, 3600),
            (-0.01, "adjustment", {"type": "PRICE_CORRECTION"}, -28800),
        )
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    rows, findings = split(reader("google-bill").parse(io.BytesIO(content), ReadOptions(file="f")))
    assert [(row["vcpu_hours"], "correction_key" in row) for row in rows] == [(8, False), (1, False), (-8, True)]
    assert findings[-1].facts["lines"] == "4"


AWS_LINES = (
    ("USE1-Reservation:p5.48xlarge", "Hrs", {}),
    ("UnusedBox:p5.48xlarge", "Hrs", {"device": "p5.48xlarge", "device_hours": 3.0}),
    ("CPUCredits:t3", "vCPU-Hours", {}),
    ("USE1-Fargate-GB-Hours", "hours", {}),
    ("USE1-Fargate-EphemeralStorage-GB-Hours", "GB-Hours", {"storage_gb_hours": 3.0}),
    ("Multi-AZUsage:db.r5.xlarge", "Hrs", {"device": "db.r5.xlarge", "device_hours": 6.0}),
    ("InstanceUsage:db.r5.xlarge", "Hrs", {"device": "db.r5.xlarge", "device_hours": 3.0}),
)


@pytest.mark.parametrize(("sku", "unit", "used"), AWS_LINES)
def test_usage_types_of_aws(sku, unit, used):
    """A capacity reservation costs nothing beside the machines in it, and a database with a standby runs on two.

    Source: AWS, "Monitoring your On-Demand capacity reservations" (rates of Reservation and DedicatedRes are zero) and
    "On-Demand DB instances for Amazon RDS" (Multi-AZ: primary and standby).
    """
    assert use_of({"kind": "Usage", "sku": sku, "unit": unit}, 3.0) == used


AZURE_METERS = (
    ("gpt img 1.5 out txt gl", "Azure OpenAI Media - gpt img 1.5 out", "visible_output_tokens", "gpt img 1.5"),
    ("gpt img 1.5 in img Gl", "Azure OpenAI Media - gpt img 1.5 in", "uncached_input_tokens", "gpt img 1.5"),
    ("FW DeepSeek V3.2 Inp DZ", "Azure Fireworks Models - FW DeepSeek V3.2", "uncached_input_tokens", "DeepSeek V3.2"),
)  # fmt: skip


@pytest.mark.parametrize(("meter", "product", "name", "model"), AZURE_METERS)
def test_meters_of_azure_without_the_word_token(meter, product, name, model):
    """Azure's newer meters of models leave out the word token; their unit is still a thousand or a million of them.

    Source: products of usage details and billed transactions that a public repository keeps, April 2026.
    """
    used = use_of(
        {"kind": "Usage", "sku": meter, "unit": "1M", "description": product, "service": "Foundry Models"}, 2.0
    )
    assert used is not None
    assert (used[name], used["model"]) == (2_000_000, model)


@pytest.mark.parametrize(
    ("sku", "unit", "service"),
    [
        ("USE1-Nova-ProvisionedThroughput", "hour", "Amazon Bedrock"),
        ("Provisioned Managed Global Unit", "1 Hour", "Cognitive Services"),
        ("USE1-MP:USE1_Reserved_1Month_InputTPM_Global-Units", "1M TPM Hour", "Claude Opus 4.8"),
    ],
)
def test_capacity_tells_no_tokens(sku, unit, service):
    """Provisioned throughput is told as such, for its hours are neither tokens nor a machine that is known."""
    told = {"kind": "Usage", "sku": sku, "unit": unit, "service": service}
    assert (use_of(told, 1.0), untold_use(told)) == (None, "capacity-without-tokens")


def test_azures_names_of_regions():
    """Meters turn the words of a region around: every spelling of Microsoft's own table finds the region's grid.

    Source: values of bills in Microsoft's FinOps toolkit, src/open-data/Regions.csv.
    """
    header = "Date,Cost,BillingCurrency,ResourceLocation,ChargeType,UnitOfMeasure,Quantity,MeterCategory,Product\n"
    places = ("US West 3", "EU North", "apsoutheast", "IN Central", "KR Central", "norwaye", "uksouth", "Unassigned")
    used = "Usage,1 Hour,1,Virtual Machines,Virtual Machines Dsv3 Series - D2s v3 - "
    text = header + "".join(f"09/04/2026,1,USD,{place},{used}{place}\n" for place in places)
    rows, _ = split(reader("azure-bill").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    edition = read_edition()
    zones = [resolve_place(edition, "azure", row.get("region"), date(2026, 9, 4)).zone for row in rows]
    assert zones == ["US-AZNM", "IRL", "SGP", "IND", "KOR", "NOR", "GBR", "unknown"]


def test_a_region_that_only_the_usage_type_tells():
    """Models that AWS sells through its Marketplace may have no region of the product: the code of the type tells it.

    Source: AWS, "AWS Region billing codes"; a Marketplace line of Bedrock in a public repository's tests.
    """
    header = (
        "line_item_usage_start_date,line_item_unblended_cost,line_item_currency_code,line_item_usage_amount,"
        "pricing_unit,line_item_line_item_type,product_region_code,line_item_usage_type,line_item_line_item_description\n"
    )
    lines = (
        "Units,Usage,,EUC1-MP:EUC1_InputTokenCount-Units,AWS Marketplace software usage|Million Input Tokens",
        "Hrs,Usage,us-west-2,USE1-BoxUsage:c5.large,$0.085 per On Demand Linux c5.large Instance Hour",
        "Hrs,Usage,,BoxUsage:c5.large,$0.085 per On Demand Linux c5.large Instance Hour",
    )
    text = header + "".join(f"2026-09-04T00:00:00Z,1,USD,2,{line}\n" for line in lines)
    rows, _ = split(reader("aws-cur").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    assert [row.get("region") for row in rows] == ["eu-central-1", "us-west-2", None]


def test_what_nobody_used_of_a_commitment():
    """A part of a reservation that no machine took is no use, though its line has hours to pay; what it covered is.

    Source: FOCUS specification, ConsumedQuantity (null unless the status is Used); the header of an AWS export of
    FOCUS 1.2 in a public repository's tests.
    """
    header = (
        "BilledCost,BillingCurrency,ChargeCategory,ChargeClass,ChargePeriodEnd,ChargePeriodStart,"
        "CommitmentDiscountStatus,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ProviderName,RegionId,"
        "SkuMeter,SkuPriceDetails,ChargeDescription\n"
    )
    period = "2026-09-01T01:00:00.000Z,2026-09-01T00:00:00.000Z"
    machine = """AWS,us-east-1,BoxUsage:m5.xlarge,"{""InstanceType"":""m5.xlarge""}",reserved instance applied\n"""
    text = (
        header
        + f"0,USD,Usage,,{period},Used,1,Hours,1,Hours,{machine}"
        + f"3,USD,Usage,,{period},Unused,,,3,Hours,{machine}"
    )
    rows, _ = split(reader("focus").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    assert [(row["device"], row["device_hours"]) for row in rows] == [("m5.xlarge", 1)]


@pytest.mark.parametrize(
    ("meter", "product", "unit", "gib", "kind"),
    [
        ("P30 LRS Disk", "Premium SSD Managed Disks - P30 LRS - US West 2", "1/Month", 1024, "ssd"),
        ("E2 Disks", "Standard SSD Managed Disks - E2 - LRS - Disks - US East", "1/Month", 8, "ssd"),
        ("S4 LRS Disk", "Standard HDD Managed Disks - S4 LRS - EU West", "Units/Month", 32, "hdd"),
        ("P30 LRS Disk Mount", "Premium SSD Managed Disks - P30 LRS Disk Mount - US West 2", "1/Month", None, None),
        ("Disk Operations", "Standard HDD Managed Disks - Disk Operations", "10K", None, None),
        ("Snapshots LRS", "Standard HDD Managed Disks - Snapshots LRS - US East", "1 GB/Month", 1 / 1.073741824, "hdd"),
    ],
)
def test_azures_disks(meter, product, unit, gib, kind):
    """A disk is billed by the name of its size and by the month; its operations and further mounts store nothing.

    Source: usage details in the tests of Microsoft's FinOps toolkit (EA_AmortizedCost_Small.csv).
    """
    used = use_of({"kind": "Usage", "sku": meter, "description": product, "unit": unit}, 2.0)
    if gib is None:
        assert used is None
    else:
        assert used == {"storage_gb_hours": pytest.approx(2 * gib * 1.073741824 * 730.5), "device": kind}


def test_units_that_azure_writes_in_other_languages():
    """A bill of a customer agreement may have its units in the language of its country.

    Source: units of bills in Microsoft's FinOps toolkit, src/open-data/PricingUnits.csv.
    """
    header = "Date,Cost,BillingCurrency,ResourceLocation,ChargeType,MeterCategory,UnitOfMeasure,Quantity,Product\n"
    machine = "Virtual Machines Dsv3 Series - D2s v3 - EU West"
    lines = (f"Virtual Machines,1 hora,3,{machine}", f"Virtual Machines,1 小时,-1,{machine}")
    lines += ("Storage,1 GB/mes,2,Tiered Block Blob - Hot LRS - Data Stored",)
    text = header + "".join(f"09/04/2026,1,USD,EU West,Usage,{line}\n" for line in lines)
    rows, _ = split(reader("azure-bill").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    used = [(row.get("device_hours"), row.get("storage_gb_hours")) for row in rows]
    assert used == [(3, None), (None, 1461), (-1, None)]
