"""The words of bills: their columns, and the names of machines."""

import re
from collections.abc import Mapping
from types import MappingProxyType

FOCUS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("ChargePeriodStart",),
        "end": ("ChargePeriodEnd",),
        "cost": ("BilledCost",),
        "currency": ("BillingCurrency",),
        "quantity": ("ConsumedQuantity", "PricingQuantity"),
        "priced": ("PricingQuantity",),
        "priced_unit": ("PricingUnit",),
        "block": ("x_PricingBlockSize",),
        "block_unit": ("x_PricingUnitDescription",),
        "contracted_price": ("ContractedUnitPrice",),
        "contracted_cost": ("ContractedCost",),
        "list_price": ("ListUnitPrice",),
        "list_cost": ("ListCost",),
        "unit": ("ConsumedUnit", "PricingUnit"),
        "kind": ("ChargeCategory",),
        "class": ("ChargeClass",),
        "provider": ("ProviderName", "ServiceProviderName"),
        "region": ("RegionId",),
        "account": ("SubAccountName", "SubAccountId"),
        "resource": ("ResourceId",),
        "sku": ("SkuMeter", "x_UsageType", "x_SkuMeterName", "SkuPriceId", "SkuId"),
        "description": ("ChargeDescription",),
        "details": ("SkuPriceDetails", "x_SkuDetails"),
        "machine": (),
        "vcpus": (),
        "service": ("ServiceName",),
        "id": (),
    }
)
"""Our word -> columns of a FOCUS bill, the first that is filled in."""

CUR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("lineItem/UsageStartDate", "line_item_usage_start_date"),
        "end": ("lineItem/UsageEndDate", "line_item_usage_end_date"),
        "cost": ("lineItem/UnblendedCost", "line_item_unblended_cost"),
        "currency": ("lineItem/CurrencyCode", "line_item_currency_code"),
        "quantity": ("lineItem/UsageAmount", "line_item_usage_amount"),
        "unit": ("pricing/unit", "pricing_unit"),
        "kind": ("lineItem/LineItemType", "line_item_line_item_type"),
        "class": ("bill/BillType", "bill_bill_type"),
        "provider": (),
        "region": ("product/regionCode", "product_region_code", "product/region"),
        "account": ("lineItem/UsageAccountId", "line_item_usage_account_id"),
        "resource": ("lineItem/ResourceId", "line_item_resource_id"),
        "sku": ("lineItem/UsageType", "line_item_usage_type"),
        "description": ("lineItem/LineItemDescription", "line_item_line_item_description"),
        "details": ("product",),
        "machine": ("product/instanceType", "product_instance_type"),
        "vcpus": ("product/vcpu", "product_vcpu"),
        "service": ("product/ProductName", "line_item_product_code", "lineItem/ProductCode"),
        "id": (),
    }
)
"""The same for an AWS cost and usage report, by its names in CUR and in CUR 2.0."""

AZURE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("Date", "UsageDateTime", "UsageDate", "date"),
        "end": (),
        "cost": ("CostInBillingCurrency", "costInBillingCurrency", "Cost", "PreTaxCost", "CostInUSD"),
        "currency": ("BillingCurrencyCode", "BillingCurrency", "billingCurrency", "Currency", "CurrencyCode"),
        "quantity": ("Quantity", "quantity", "UsageQuantity"),
        "unit": ("UnitOfMeasure", "unitOfMeasure"),
        "kind": ("ChargeType", "chargeType"),
        "class": ("PricingModel", "pricingModel", "Frequency"),
        "provider": (),
        "region": ("ResourceLocation", "resourceLocation", "ResourceLocationNormalized"),
        "account": ("SubscriptionName", "subscriptionName", "SubscriptionId", "SubscriptionGuid"),
        "resource": ("ResourceId", "resourceId", "InstanceId"),
        "sku": ("MeterName", "meterName"),
        "description": ("ProductName", "productName", "Product"),
        "service": ("MeterCategory", "meterCategory"),
        "details": ("AdditionalInfo", "additionalInfo"),
        "machine": (),
        "vcpus": (),
        "id": (),
    }
)
"""The same for Azure's usage details of an Enterprise Agreement (EA) or a Microsoft Customer Agreement (MCA)."""

GOOGLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("usage_start_time",),
        "end": ("usage_end_time",),
        "cost": ("cost",),
        "currency": ("currency",),
        "quantity": ("usage.amount", "usage_amount"),
        "unit": ("usage.unit", "usage_unit"),
        "kind": ("adjustment_info.type", "adjustment_info_type", "cost_type"),
        "class": (),
        "provider": (),
        "region": ("location.region", "location_region"),
        "account": ("project.id", "project_id"),
        "resource": ("resource.global_name", "resource.name", "resource_global_name", "resource_name"),
        "sku": ("sku.description", "sku_description"),
        "description": (),
        "service": ("service.description", "service_description"),
        "details": (),
        "machine": (),
        "vcpus": (),
        "id": (),
    }
)
"""The same for Google Cloud's billing export to BigQuery, nested (JSON) or flat (CSV)."""

ORACLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": ("lineItem/intervalUsageStart",),
        "end": ("lineItem/intervalUsageEnd",),
        "cost": ("cost/myCost",),
        "currency": ("cost/currencyCode",),
        "quantity": ("usage/billedQuantity",),
        "unit": ("cost/billingUnitReadable", "usage/consumedQuantityUnits"),
        "kind": (),
        "class": ("lineItem/isCorrection",),
        "provider": (),
        "region": ("product/region",),
        "account": ("product/compartmentName", "lineItem/tenantId"),
        "resource": ("product/resourceId",),
        "sku": ("product/Description", "cost/productSku"),
        "description": (),
        "service": ("product/service",),
        "details": (),
        "machine": (),
        "vcpus": (),
        "id": ("lineItem/referenceNo",),
    }
)
"""The same for a cost report of Oracle Cloud Infrastructure."""

_ORACLE_UNIT = re.compile(
    r"(?:ONE|[\d.,]+) (?:(?P<size>[KMGTP]iB|[KMGTP]?B) )?(?:NONE )?(?P<time>HOURS|MONTHS|SECONDS|NONE) "
    r"(?P<what>STORAGE_SIZE|MEMORY|DATA_TRANSFERRED|OCPUS?|GPUS?|INSTANCES?)\Z",
    re.IGNORECASE,
)


def oracle_unit(unit: str) -> str | None:
    """A unit of an Oracle cost report as other bills write it; None where it is none of those that we know.

    What is sent is counted by its size alone, though its unit may name a time.

    >>> oracle_unit("1 GiB MONTHS STORAGE_SIZE"), oracle_unit("1 GiB HOURS DATA_TRANSFERRED"), oracle_unit("GB Months")
    ('GiB-MONTHS', 'GiB', None)
    >>> oracle_unit("ONE HOURS OCPUS"), oracle_unit("1 NONE HOURS INSTANCE"), oracle_unit("1 NONE NONE DATAPOINTS")
    ('OCPU Hours', 'Hours', None)
    """
    found = _ORACLE_UNIT.match(unit.strip())
    if found is None:
        return None
    size, time, what = found["size"], found["time"].upper(), found["what"].upper().removesuffix("S")
    if what == "DATA_TRANSFERRED":
        return size
    if time == "NONE":
        return None
    if size:
        return f"{size}-{time}"
    return time.capitalize() if what == "INSTANCE" else f"{what} {time.capitalize()}"


_MARKS = re.compile(r"[^a-z0-9]+")


def spelled(column: str) -> str:
    """A column's name in the spelling that all engines have in common.

    Athena and Redshift write the names of an export in small letters, Snowflake in capitals, and models of a warehouse
    with underscores.

    >>> spelled("BilledCost"), spelled("x_UsageType"), spelled("CHARGE_PERIOD_START")
    ('billedcost', 'xusagetype', 'chargeperiodstart')
    """
    return _MARKS.sub("", column.lower())


_AWS = re.compile(
    r"\b((?:db\.|cache\.|ml\.)?[a-z][a-z0-9]*(?:-[a-z0-9]+)?"
    r"\.(?:nano|micro|small|medium|large|\d*xlarge|metal(?:-\w+)?))\b"
)
_AZURE = re.compile(r"Virtual Machines .*? - ([A-Z]+\d+(?:-\d+)?\w*(?: (?!Spot|Low Priority|Hours)\w+)*)")


def instance_type(text: str) -> str | None:
    """The machine that a description of machine-hours names.

    >>> instance_type("$0.34 per On Demand Linux c5.2xlarge Instance Hour")
    'c5.2xlarge'
    >>> instance_type("Virtual Machines Dv2/DSv2 Series - D11 v2/DS11 v2 - US East 2")
    'D11 v2'
    >>> instance_type("Virtual Machines NCadsA100v4 Series - NC24ads A100 v4 Spot Hours - US East")
    'NC24ads A100 v4'
    >>> instance_type("Virtual Machines NDisrH200v5 Series - ND96isrH200v5 Low Priority - AU East")
    'ND96isrH200v5'
    """
    found = _AWS.search(text) or _AZURE.search(text)
    return found[1] if found else None


_DIRECTIONS = {
    "n": "north", "s": "south", "e": "east", "w": "west", "c": "central", "se": "southeast", "wc": "westcentral",
    "sc": "southcentral", "nc": "northcentral",
}  # fmt: skip
_COUNTRIES = {
    "ae": "uae", "at": "austria", "au": "australia", "be": "belgium", "br": "brazil", "ca": "canada",
    "ch": "switzerland", "cl": "chile", "cn": "china", "de": "germany", "dk": "denmark", "es": "spain",
    "fi": "finland", "fr": "france", "gr": "greece", "id": "indonesia", "il": "israel", "it": "italy", "ja": "japan",
    "kr": "korea", "mx": "mexico", "my": "malaysia", "no": "norway", "nz": "newzealand", "pl": "poland",
    "qa": "qatar", "sa": "southafrica", "se": "sweden", "tw": "taiwan", "za": "southafrica",
}  # fmt: skip
_LANDS = {"us": "us", "eu": "europe", "europe": "europe", "ap": "asia", "asia": "asia", "in": "india", "india": "india"}
_OWN = {
    "usgovaz": "usgovarizona", "usgovtx": "usgovtexas", "insouthcentral": "indiasouthcentral",
    "indiasouthcentral": "indiasouthcentral", "indiasc": "indiasouthcentral", "incentraljio": "jioindiacentral",
    "inwestjio": "jioindiawest", "germanywcentral": "germanywestcentral", "saeast": "saudiarabiaeast",
    "singapore": "southeastasia", "uks": "uksouth", "ukw": "ukwest", "chnorth": "switzerlandnorth",
}  # fmt: skip
_WAY = "|".join(_DIRECTIONS.values())
_BEHIND = re.compile(rf"({'|'.join(_LANDS)})({_WAY})(\d?)\Z")
_BEFORE = re.compile(rf"({'|'.join(_COUNTRIES)})({_WAY})(\d?)\Z")
_SHORT = re.compile(rf"({'|'.join(_COUNTRIES.values())})({'|'.join(_DIRECTIONS)})(\d?)\Z")
_NOWHERE = frozenset({"global", "unassigned", "unknown", "allregions", "intercontinental", "notavailable", "na"})


def azure_region(place: str | None) -> str | None:
    """The id of an Azure region, which its bills write in several ways; None where they name no region.

    The names of places as meters have them turn the words around or shorten the country. "chnorth" in one word stands
    for China as well as Switzerland and stays as it is.

    Source: Microsoft, FinOps toolkit, open data, Regions.csv (the values of bills and the regions that they mean).

    >>> [azure_region(name) for name in ("US East 2", "useast2", "EU West", "AP Southeast", "IN South", "East US 2")]
    ['eastus2', 'eastus2', 'westeurope', 'southeastasia', 'southindia', 'eastus2']
    >>> [azure_region(name) for name in ("SE Central", "DE West Central", "CH North", "germanywc", "US Gov AZ")]
    ['swedencentral', 'germanywestcentral', 'switzerlandnorth', 'germanywestcentral', 'usgovarizona']
    >>> azure_region("chnorth"), azure_region("Unassigned"), azure_region("Zone 1"), azure_region("")
    ('chnorth', None, None, None)
    """
    name = (place or "").lower().replace(" ", "").replace("_", "")
    if not name or name in _NOWHERE or name.startswith("zone"):
        return None
    if name in _OWN:
        return name if place == "chnorth" else _OWN[name]
    if found := _BEHIND.match(name):
        return f"{found[2]}{_LANDS[found[1]]}{found[3]}"
    if found := _BEFORE.match(name):
        return f"{_COUNTRIES[found[1]]}{found[2]}{found[3]}"
    if found := _SHORT.match(name):
        return f"{found[1]}{_DIRECTIONS[found[2]]}{found[3]}"
    return name


_AWS_CODES: Mapping[str, str] = MappingProxyType(
    {
        "USE1": "us-east-1", "USE2": "us-east-2", "USW1": "us-west-1", "USW2": "us-west-2", "CAN1": "ca-central-1",
        "CAN2": "ca-west-1", "MXC1": "mx-central-1", "AFS1": "af-south-1", "APE1": "ap-east-1", "APE2": "ap-east-2",
        "APN1": "ap-northeast-1", "APN2": "ap-northeast-2", "APN3": "ap-northeast-3", "APS1": "ap-southeast-1",
        "APS2": "ap-southeast-2", "APS3": "ap-south-1", "APS4": "ap-southeast-3", "APS5": "ap-south-2",
        "APS6": "ap-southeast-4", "APS7": "ap-southeast-5", "APS8": "ap-southeast-6", "APS9": "ap-southeast-7",
        "EU": "eu-west-1", "EUC1": "eu-central-1", "EUC2": "eu-central-2", "EUW2": "eu-west-2", "EUW3": "eu-west-3",
        "EUN1": "eu-north-1", "EUS1": "eu-south-1", "EUS2": "eu-south-2", "ILC1": "il-central-1",
        "MES1": "me-south-1", "MEC1": "me-central-1", "SAE1": "sa-east-1", "UGW1": "us-gov-west-1",
    }
)  # fmt: skip
_AWS_CODE = re.compile(r"(?:MP:)?([A-Z]{2,3}\d?)[-_]")


def aws_region(sku: str | None) -> str | None:
    """The region whose code a usage type begins with, for lines without a column of the region; None where none does.

    A type without a code is of us-east-1 or of no region: None.

    Source: AWS, "AWS Region billing codes".

    >>> aws_region("EUC1-Claude4.6Sonnet-input-tokens"), aws_region("MP:APN2_InputTokenCount-Units")
    ('eu-central-1', 'ap-northeast-2')
    >>> aws_region("BoxUsage:c5.large"), aws_region("CW-Requests"), aws_region(None)
    (None, None, None)
    """
    found = _AWS_CODE.match(sku or "")
    return _AWS_CODES.get(found[1]) if found else None
