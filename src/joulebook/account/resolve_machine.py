"""Factors of machines by the hour: instances, accelerators, virtual processors, memory; of storage; of the network.

Nobody says how busy a rented machine was, so its power is a wide range from nearly idle to busy. Hours of an unknown
machine get the range over the known ones. Embodied CO2e is a share of a server over a share of its life.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from statistics import median_high
from typing import Any

from joulebook.account.embodied import embodied_per_hour
from joulebook.account.resolution import Part, Resolution, part_of
from joulebook.account.resolve import HOSTED, effect_of
from joulebook.errors import translatable
from joulebook.estimate.boundary import HOST
from joulebook.estimate.instance import BOARDS, Instance, find_board, find_instance, is_accelerated, nearest_instances
from joulebook.estimate.machines import server_power_w
from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

RENTED = "machine/rented"
NETWORK = "network"
STORAGE = "storage/"
MEMORY = "memory"

HINT_DEVICE = translatable("No machine or accelerator of this name is known: {name}. Nearest: {nearest}.")
HINT_NO_DEVICE = translatable("Name the instance type or accelerator in the column device.")
HINT_BOARDS = translatable(
    "Which accelerators {name} has, and how many, is not known here: the range is over all. "
    "Next: name the accelerator itself in the column device, with its hours."
)
HINT_DRIVE = translatable("Say hdd or ssd in the column device.")
NAMED = translatable("the instance type is named")

Values = Mapping[str, float]


@dataclass
class _Answer:
    """Values and parts of a resolution on their way."""

    edition: Edition
    policy: str
    at: date
    values: dict[str, float | None] = field(default_factory=dict)
    parts: dict[str, tuple[Part, ...]] = field(default_factory=dict)

    def choose(self, quantity: str, *subjects: str) -> tuple[Choice, Range]:
        """A factor; of several subjects the union of their ranges, under the first of them."""
        found = [choose(self.edition, quantity, one, self.at, self.policy) for one in subjects]
        ranges = [one.factor.range for one in found]
        middle = median_high(one.mid for one in ranges)
        return found[0], Range(min(one.low for one in ranges), middle, max(one.high for one in ranges))

    def take(self, column: str, quantity: str, subject: str) -> None:
        """A column that is one factor."""
        choice, _range = self.choose(quantity, subject)
        self.values[column] = choice.factor.value
        self.parts[column] = (part_of(choice.factor, choice.chosen_because, choice.hint),)

    def work_out(
        self,
        column: str,
        function: Callable[[Values], float],
        asked: Mapping[str, tuple[Choice, Range]],
        hint: str | None = None,
    ) -> None:
        """A column that is a function of factors, each with its effect on it."""
        mids = {name: spanned.mid for name, (_choice, spanned) in asked.items()}
        middle = function(mids)
        self.values[column] = middle
        self.parts[column] = tuple(
            part_of(
                choice.factor,
                choice.chosen_because,
                hint or choice.hint,
                is_unknown=choice.is_unknown,
                effect=effect_of(function, mids, name, spanned, middle),
                spanned=spanned,
            )
            for name, (choice, spanned) in asked.items()
            if middle
        )

    def resolution(self, subject: str, **names: str | None) -> Resolution:
        """What was found; power of rented machines is assumed at best, for nobody says how busy they were."""
        self.values.setdefault("embodied_g_per_kwh", float(0))
        self.values.setdefault("node_overhead_ratio", float(1))
        if "idle_overhead_ratio" not in self.values:
            self.take("idle_overhead_ratio", "idle_overhead_ratio", RENTED)
        return Resolution(subject, self.values, self.parts, {"tier": str(Tier.ASSUMED), **names})


def resolve_machine(edition: Edition, policy: str, kind: str, key: Mapping[str, Any], at: date) -> Resolution:
    """Factors of machine-hours, vCPU-hours, memory, storage or network on a day.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        kind: ``device``, ``vcpu``, ``memory``, ``storage`` or ``network``.
        key: ``provider_key``, ``device_key``, ``vcpu_hours_key``.
        at: day of the use.
    """
    answer = _Answer(edition, policy, at)
    name = key.get("device_key") or ""
    if kind == "device":
        return _device(answer, key["provider_key"], name, is_vcpu_told=bool(key.get("vcpu_hours_key")))
    if kind == "vcpu":
        _vcpu(answer)
        return answer.resolution("vcpu")
    if kind == "memory":
        return _memory(answer)
    if kind == "storage":
        return _storage(answer, name)
    answer.take("network_kwh_per_gb", "network_kwh_per_gb", NETWORK)
    answer.values["network_embodied_g_per_gb"] = None
    return answer.resolution("network")


def _device(answer: _Answer, provider: str, name: str, *, is_vcpu_told: bool) -> Resolution:
    instance = find_instance(answer.edition, provider, name, answer.at)
    if instance is not None:
        hint = HINT_BOARDS.format(name=name) if instance.boards is None else None
        _instance(answer, instance, hint)
        return answer.resolution(instance.subject, device=instance.subject, hint=hint)
    boards = find_board(answer.edition, name)
    if boards:
        _accelerator(answer, boards)
        return answer.resolution("|".join(boards), device=boards[0])
    hint, nearest = HINT_NO_DEVICE, ""
    if name:
        nearest = ", ".join(nearest_instances(answer.edition, name))
        hint = HINT_DEVICE.format(name=name, nearest=nearest)
    answer.values["lowest_rung"] = 1
    has_boards = is_accelerated(provider, name)
    if has_boards:
        _boards(answer, (UNKNOWN,), None, hint)
        answer.take("node_overhead_ratio", "board_overhead_ratio", RENTED)
    if is_vcpu_told:
        _vcpu(answer)
    else:
        _unknown_machine(answer, hint, has_boards=has_boards)
    return answer.resolution(name or UNKNOWN, device=UNKNOWN, hint=hint, nearest=nearest)


def _processor(answer: _Answer, *subjects: str) -> dict[str, tuple[Choice, Range]]:
    of_cpu = ("idle_power_w_per_thread", "max_power_w_per_thread", "load_exponent_ratio")
    found = {name: answer.choose(name, *(subjects or (UNKNOWN,))) for name in of_cpu}
    return found | {"load_ratio": answer.choose("load_ratio", RENTED)}


def _thread_w(values: Values) -> float:
    rise = max(0, values["max_power_w_per_thread"] - values["idle_power_w_per_thread"])
    load = values["load_ratio"] ** values["load_exponent_ratio"]
    return server_power_w(1, values["idle_power_w_per_thread"], rise, load)


def _instance(answer: _Answer, instance: Instance, hint: str | None) -> None:
    asked = _processor(answer, *instance.microarchitectures)
    asked |= {name: answer.choose(name, MEMORY) for name in ("memory_power_w_per_gb", "memory_gb_per_thread")}

    def host_kw(values: Values) -> float:
        usual_gb = instance.vcpus * values["memory_gb_per_thread"]
        more_gb = max(0, instance.memory_gb - usual_gb)
        watts = instance.vcpus * _thread_w(values) + more_gb * values["memory_power_w_per_gb"]
        return convert(watts, "W", "kW")

    answer.work_out("host_power_kw", host_kw, asked)
    answer.parts["host_power_kw"] += tuple(part_of(row, NAMED, effect=(1, 1)) for row in instance.facts)
    if instance.boards != 0:
        _boards(answer, (instance.accelerator,), instance.boards, hint)
        answer.take("node_overhead_ratio", "board_overhead_ratio", RENTED)
    _embodied(answer, instance)


def _boards(answer: _Answer, subjects: tuple[str, ...], count: float | None, hint: str | None = None) -> None:
    """Power of accelerators; where nobody knows how many a machine has, over the numbers that machines have."""
    asked = {name: answer.choose(name, *subjects) for name in ("tdp_w", "idle_w")}
    asked["accelerator_load_ratio"] = answer.choose("accelerator_load_ratio", RENTED)
    asked |= _number(answer, count)

    def board_kw(values: Values) -> float:
        rise = max(0, values["tdp_w"] - values["idle_w"])
        number = values[BOARDS] if count is None else count
        return convert(number * (values["idle_w"] + rise * values["accelerator_load_ratio"]), "W", "kW")

    answer.work_out("board_power_kw", board_kw, asked, hint)


def _number(answer: _Answer, count: float | None) -> dict[str, tuple[Choice, Range]]:
    return {BOARDS: answer.choose(BOARDS, UNKNOWN)} if count is None else {}


def _accelerator(answer: _Answer, subjects: tuple[str, ...]) -> None:
    """Hours of an accelerator: what stands around it is as around those that serve models."""
    _boards(answer, subjects, 1)
    answer.take("node_overhead_ratio", "node_overhead_ratio", HOST)
    names = ("server_embodied_g", "devices_per_server_count", "server_life_h", "device_in_use_ratio")
    asked = {"embodied_g": answer.choose("embodied_g", *subjects)}
    asked |= {name: answer.choose(name, HOSTED) for name in names}

    def per_hour(values: Values) -> float:
        return embodied_per_hour(*(values[name] for name in ("embodied_g", *names)))

    answer.work_out("device_embodied_g_per_h", per_hour, asked)


def _embodied(answer: _Answer, instance: Instance) -> None:
    asked = {"vcpu_embodied_g": answer.choose("vcpu_embodied_g", RENTED), **_life(answer)}
    asked |= _number(answer, instance.boards)
    if instance.boards != 0:
        asked["embodied_g"] = answer.choose("embodied_g", instance.accelerator)

    def per_hour(values: Values) -> float:
        boards = values[BOARDS] if instance.boards is None else instance.boards
        made_g = instance.vcpus * values["vcpu_embodied_g"] + boards * values.get("embodied_g", 0)
        return made_g / (values["server_life_h"] * values["device_in_use_ratio"])

    answer.work_out("device_embodied_g_per_h", per_hour, asked)


def _life(answer: _Answer) -> dict[str, tuple[Choice, Range]]:
    return {name: answer.choose(name, HOSTED) for name in ("server_life_h", "device_in_use_ratio")}


def _vcpu(answer: _Answer) -> None:
    """Hours of virtual processors of any platform."""
    answer.work_out("vcpu_power_kw", lambda values: convert(_thread_w(values), "W", "kW"), _processor(answer))
    asked = {"vcpu_embodied_g": answer.choose("vcpu_embodied_g", RENTED), **_life(answer)}
    answer.work_out(
        "vcpu_embodied_g_per_h",
        lambda values: values["vcpu_embodied_g"] / (values["server_life_h"] * values["device_in_use_ratio"]),
        asked,
    )


def _unknown_machine(answer: _Answer, hint: str, *, has_boards: bool) -> None:
    """Hours of a machine of which nothing is known: the range over the instances that are."""
    size = {"vcpus_per_instance_count": answer.choose("vcpus_per_instance_count", UNKNOWN)}
    boards = {**_number(answer, None), "embodied_g": answer.choose("embodied_g", UNKNOWN)} if has_boards else {}

    def host_kw(values: Values) -> float:
        return convert(values["vcpus_per_instance_count"] * _thread_w(values), "W", "kW")

    def per_hour(values: Values) -> float:
        made_g = values["vcpus_per_instance_count"] * values["vcpu_embodied_g"]
        made_g += values.get(BOARDS, 0) * values.get("embodied_g", 0)
        return made_g / (values["server_life_h"] * values["device_in_use_ratio"])

    answer.work_out("host_power_kw", host_kw, {**size, **_processor(answer)}, hint)
    made = {**size, "vcpu_embodied_g": answer.choose("vcpu_embodied_g", RENTED), **_life(answer), **boards}
    answer.work_out("device_embodied_g_per_h", per_hour, made, hint)


def _memory(answer: _Answer) -> Resolution:
    watts = {"memory_power_w_per_gb": answer.choose("memory_power_w_per_gb", MEMORY)}
    answer.work_out("memory_kw_per_gb", lambda values: convert(values["memory_power_w_per_gb"], "W", "kW"), watts)
    asked = {"memory_embodied_g_per_gb": answer.choose("memory_embodied_g_per_gb", MEMORY), **_life(answer)}
    answer.work_out(
        "memory_embodied_g_per_gb_h",
        lambda values: values["memory_embodied_g_per_gb"] / (values["server_life_h"] * values["device_in_use_ratio"]),
        asked,
    )
    return answer.resolution("memory")


def _storage(answer: _Answer, drive: str) -> Resolution:
    """Stored gigabytes: drives of the kind that is named, or of any kind, with copies."""
    kind = drive.strip().lower()
    subject = STORAGE + kind if kind in ("hdd", "ssd") else UNKNOWN
    hint = HINT_DRIVE if subject == UNKNOWN else None
    copies = answer.choose("storage_copies_ratio", RENTED)
    watts = {"storage_power_w_per_gb": answer.choose("storage_power_w_per_gb", subject), "copies": copies}
    made = {"storage_embodied_g_per_gb": answer.choose("storage_embodied_g_per_gb", subject), "copies": copies}
    made["server_life_h"] = answer.choose("server_life_h", HOSTED)
    answer.work_out(
        "storage_kw_per_gb",
        lambda values: convert(values["storage_power_w_per_gb"] * values["copies"], "W", "kW"),
        watts,
        hint,
    )
    answer.work_out(
        "storage_embodied_g_per_gb_h",
        lambda values: values["storage_embodied_g_per_gb"] * values["copies"] / values["server_life_h"],
        made,
        hint,
    )
    return answer.resolution(f"storage {kind}".strip(), hint=hint)
