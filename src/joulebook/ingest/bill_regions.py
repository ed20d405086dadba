"""The regions that bills name, in the ids of their clouds."""

import re
from collections.abc import Mapping
from types import MappingProxyType

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
