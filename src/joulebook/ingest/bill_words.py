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
        "commitment": ("CommitmentDiscountStatus",),
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


_OTHER_TONGUES = {"hora": "Hour", "小时": "Hour", "mes": "Month", "月": "Month", "1 1 Hour": "1 Hour"}
_OTHER_TONGUE = re.compile(r"(?<![a-z])(?:hora|小时|mes|月)\Z|\A1 1 Hour\Z")


def azure_unit(unit: str) -> str:
    """A unit of Azure's usage details in English.

    Source: Microsoft, FinOps toolkit, open data, PricingUnits.csv (all values of ``UnitOfMeasure``).

    >>> azure_unit("1 hora"), azure_unit("1 GB/月"), azure_unit("1 Hour"), azure_unit("1 1 Hour")
    ('1 Hour', '1 GB/Month', '1 Hour', '1 Hour')
    """
    return _OTHER_TONGUE.sub(lambda found: _OTHER_TONGUES[found[0]], unit)
