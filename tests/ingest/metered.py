"""Recordings of other meters, clusters and statements, with what each must give."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path

from joulebook.ingest.reader import ReadOptions

FOLDER = Path(__file__).parent / "recordings" / "meters"


@dataclass(frozen=True)
class Metered:
    """One file and what it must give.

    Attributes:
        reader: name of the reader.
        file: file under ``recordings/meters``.
        energy: "component method tier" -> kWh as the meter wrote it.
        warnings: rules of the findings that refuse nothing.
        statements: figure -> sum over the statements.
        usage: column -> sum over the rows of usage.
        options: further options of the read.
        is_detected: whether the format is recognised without being named.
    """

    reader: str
    file: str
    energy: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    statements: dict[str, float] = field(default_factory=dict)
    usage: dict[str, float] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    is_detected: bool = True

    def read_options(self) -> ReadOptions:
        """Options for this file."""
        return ReadOptions(file=self.file, **self.options)

    def content(self) -> bytes:
        """The bytes of the file; those that are kept packed come unpacked."""
        content = (FOLDER / self.file).read_bytes()
        return gzip.decompress(content) if self.file.endswith(".gz") else content


GPU_ONLY = ("only-accelerators",)

METERED = (
    Metered(
        "codecarbon",
        "codecarbon.csv",
        {
            "gpu nvml.codecarbon measured": 0.3 + 1.2 / 1.2,
            "gpu powermetrics.codecarbon measured": 1e-05,
            "cpu codecarbon-cpu-tdp estimated": 0.1125,
            "cpu codecarbon-cpu-default assumed": 0.011805556,
            "cpu codecarbon-cpu-unclear estimated": 0.24 / 1.2,
            "cpu powermetrics.codecarbon measured": 2.4e-05,
            "memory codecarbon-ram-size assumed": 0.012 + 0.104166667 + 0.0002,
            "memory codecarbon-ram-modules assumed": 0.06 / 1.2,
        },
        ("default-place", "no-timezone"),
        {"stated_energy_kwh": 0.4245 + 0.115972222 + 1.5 + 0.000234, "stated_co2e_location_g": 172.2 + 0.107 + 900.001},
    ),
    Metered(
        "codecarbon",
        "codecarbon-v1.csv",
        {"node codecarbon-total estimated": 0.25},
        ("no-timezone",),
        {"stated_energy_kwh": 0.25, "stated_co2e_location_g": 50},
    ),
    Metered(
        "zeus",
        "zeus.csv",
        {
            "gpu nvml.zeus measured": 602000 / 3.6e6,
            "cpu rapl.zeus measured": 61000.5 / 3.6e6,
            "memory rapl-dram.zeus measured": 12200.1 / 3.6e6,
        },
        ("meter-silent", "meter-silent", "windows-inside"),
    ),
    Metered("zeus", "zeus.json", {"gpu nvml.zeus measured": 0.01}, GPU_ONLY),
    Metered(
        "eco2ai",
        "eco2ai.csv",
        {"node polling.eco2ai estimated": 0.43},
        ("no-timezone",),
        {"stated_energy_kwh": 0.43, "stated_co2e_location_g": 172},
    ),
    Metered(
        "carbontracker",
        "carbontracker.log",
        {
            "gpu polling.carbontracker measured": 600 * 240 / 3.6e6,
            "cpu carbontracker-constant estimated": 15000 / 3.6e6,
        },
        ("part-unread", "no-timezone"),
    ),
    Metered(
        "carbontracker",
        "carbontracker-2.4.log",
        {"cpu rapl.carbontracker measured": 3 * (49.81273 + 50.20411 + 50) / 3.6e6},
        ("no-timezone",),
    ),
    Metered(
        "carbontracker",
        "carbontracker_output.log",
        {},
        ("only-with-pue", "no-timezone"),
        {"stated_energy_kwh": 0.076340278, "stated_co2e_location_g": 10.92},
    ),
    Metered(
        "perun",
        "perun.hdf5.gz",
        {
            "cpu rapl.perun measured": (500 + 1000) / 3.6e6,
            "memory rapl-dram.perun measured": (50 + 100) / 3.6e6,
            "gpu polling.perun derived": (2000 + 4000) / 3.6e6,
        },
        ("no-timezone",),
        {"stated_energy_kwh": (2550 + 5100) * 1.05 / 3.6e6, "stated_co2e_location_g": 7650 * 1.05 / 3.6e6 * 417.8},
    ),
    Metered(
        "alumet",
        "alumet.csv",
        {
            "cpu rapl.alumet measured": 5400 / 3.6e6,
            "memory rapl-dram.alumet measured": 360 / 3.6e6,
            "gpu nvml.alumet measured": 10800 / 3.6e6,
        },
    ),
    Metered(
        "wandb-system",
        "wandb-events.csv",
        {"gpu polling.wandb derived": (300 * 45 + 250 * 300 + 200 * 15 + 100 * 360) / 3.6e6},
        ("power-gaps", "only-accelerators"),
    ),
    Metered("wandb-system", "wandb-events.jsonl", {"gpu polling.wandb derived": 4500 / 3.6e6}, GPU_ONLY),
    Metered(
        "mlflow-system", "mlflow-history.json", {"gpu polling.mlflow derived": 5500 / 3.6e6}, ("only-accelerators",)
    ),
    Metered(
        "mlflow-system", "mlflow-metrics.csv", {"gpu polling.mlflow derived": 5000 / 3.6e6}, ("only-accelerators",)
    ),
    Metered(
        "mlflow-system", "gpu_0_power_usage_watts", {"gpu polling.mlflow derived": 2500 / 3.6e6}, ("only-accelerators",)
    ),
    Metered(
        "slurm",
        "sacct.txt",
        {"node slurm-plugin.sacct measured": 1 + 0.2 + 600000 / 3.6e6},
        ("no-timezone", "whole-nodes", "no-energy-plugin", "still-running", "no-timezone"),
        usage={"device_hours": 4, "vcpu_hours": 36},
    ),
    Metered(
        "slurm",
        "sacct.json",
        {"node slurm-plugin.sacct measured": 0.5},
        ("whole-nodes", "no-energy-plugin"),
        usage={"vcpu_hours": 4},
    ),
    Metered(
        "prometheus-energy",
        "dcgm.json",
        {"gpu nvml.dcgm measured": 0.1 + (310 / 3600), "gpu polling.dcgm derived": 0.4},
        ("counters-repeated", "counters-began-anew", "only-accelerators"),
    ),
    Metered("prometheus-energy", "dcgm-dump.txt", {"gpu nvml.dcgm measured": 0.1}, GPU_ONLY),
    Metered(
        "prometheus-energy",
        "kepler.json",
        {
            "cpu rapl.kepler measured": 0.011 + 0.02,
            "memory rapl-dram.kepler measured": 0.0002,
            "node platform.kepler measured": 0.02,
            "cpu kepler-model.kepler estimated": 0.01,
        },
    ),
    Metered(
        "prometheus-energy",
        "kepler-watts.json",
        {
            "cpu polling.kepler derived": (40 + 30) / 1000,
            "memory polling.kepler derived": 4 / 1000,
            "cpu rapl.kepler measured": 0.04,
            "node polling.kepler derived": 0.3,
        },
    ),
    Metered(
        "opencost",
        "opencost.json",
        usage={
            "vcpu_hours": 216,
            "device_hours": 48,
            "storage_gb_hours": 2400,
            "network_gb": 5,
            "cost_usd": 123.5,
        },
    ),
    Metered(
        "opencost",
        "opencost.csv",
        usage={
            "vcpu_hours": 60,
            "device_hours": 24,
            "storage_gb_hours": 2400,
            "cost_usd": 10,
        },
    ),
    Metered(
        "azure-bill",
        "azure-ea.csv",
        {},
        ("bill-coverage",),
        usage={
            "device_hours": 48,
            "vcpu_hours": 576,
            "uncached_input_tokens": 1_500_000,
            "visible_output_tokens": 120_000,
            "storage_gb_hours": 7305,
            "network_gb": 50,
            "cost_usd": 97.21,
        },
    ),
    Metered(
        "google-bill",
        "google-bill.jsonl",
        {},
        ("bill-coverage",),
        usage={
            "vcpu_hours": 8,
            "device_hours": 2,
            "storage_gb_hours": 2400,
            "network_gb": 10,
            "uncached_input_tokens": 1_000_000,
            "visible_output_tokens": 0,
            "cost_usd": 8.72,
        },
    ),
    Metered(
        "google-bill",
        "google-bill.csv",
        {},
        ("bill-covered",),
        usage={"vcpu_hours": 12, "storage_gb_hours": 2400, "cost_usd": 0.8},
    ),
    Metered(
        "oracle-bill",
        "oracle-bill.csv",
        {},
        ("bill-covered",),
        usage={
            "vcpu_hours": 10,
            "device_hours": 8 - 2,
            "storage_gb_hours": 730.5,
            "network_gb": 12,
            "cost_usd": 24.1655,
        },
    ),
    Metered(
        "focus",
        "focus-1.2.csv",
        {},
        ("bill-covered",),
        usage={
            "vcpu_hours": 16,
            "device_hours": 1,
            "memory_gb_hours": 2,
            "storage_gb_hours": 730.5,
            "network_gb": 10,
            "cost_usd": 2.08,
        },
    ),
    Metered(
        "aws-carbon",
        "aws-carbon.csv",
        statements={
            "stated_co2e_location_g": 5.5e6,
            "stated_co2e_market_g": 0.5e6,
            "stated_co2e_scope1_g": 2e4,
            "stated_co2e_scope2_location_g": 2.7e6,
            "stated_co2e_scope2_market_g": 1e5,
            "stated_co2e_scope3_g": 2.8e5,
        },
    ),
    Metered(
        "google-carbon",
        "google-carbon.jsonl",
        statements={
            "stated_co2e_location_g": 15000,
            "stated_co2e_market_g": 5000,
            "stated_co2e_scope1_g": 100,
            "stated_co2e_scope2_location_g": 11900,
            "stated_co2e_scope2_market_g": 1900,
            "stated_co2e_scope3_g": 3000,
        },
    ),
    Metered(
        "google-carbon",
        "google-carbon.csv",
        statements={"stated_co2e_location_g": 2000, "stated_co2e_market_g": 0},
    ),
    Metered("azure-carbon", "azure-carbon.json", statements={"stated_co2e_market_g": 300}),
)
