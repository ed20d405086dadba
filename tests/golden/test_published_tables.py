"""Every row of the published tables behind the cases, so that the readings hold for more than the chosen rows."""

import pytest

from joulebook.disclose.check import Agreement

WUE = "(WUE + PUE*EWIF)"


def _case(name, formula, inputs, expected, unit, rel_tol=None, abs_tol=None):
    return {
        "id": name,
        "formula": formula,
        "inputs": inputs,
        "expected": float(expected),
        "unit": unit,
        "rel_tol": rel_tol,
        "abs_tol": abs_tol,
    }


def _ren(table):
    for row in table("ren2023_table1_water.csv"):
        place, site = row["location"], {"pue": row["pue"], "wue": row["wue_l_per_kwh"], "ewif": row["ewif_l_per_kwh"]}
        train = f"1287 MWh*{WUE}"
        yield _case(f"ren.train.{place}", train, {"mwh": 1287, **site}, row["train_total_ML"], "million L", 0.002)
        yield _case(f"ren.req.{place}", f"0.004 kWh*{WUE}", {"kwh": 0.004, **site}, row["req_total_mL"], "mL", 0.002)
        yield _case(f"ren.n500.{place}", "500/mL per request", {}, row["requests_per_500mL"], "requests", 0.003)


def _patterson(table):
    for row in table("patterson2021_table4.csv"):
        name = row["model"]
        run = {"w": row["w_per_accelerator"], "chips": row["chips"], "days": row["days"], "pue": row["pue"]}
        yield _case(f"patterson.mwh.{name}", "W*chips*days*24*PUE/1e6", run, row["mwh"], "MWh", 0.02)
        for view in ("gross", "net"):
            inputs = {"mwh": row["mwh"], "kg": row[f"kg_per_kwh_{view}"]}
            yield _case(f"patterson.t{view}.{name}", "MWh*kg/kWh", inputs, row[f"t_{view}"], "tCO2e", 0.01, 0.06)
    for row in table("patterson2021_table1.csv"):
        name = f"{row['model']}.{row['processor']}.{row['datacenter']}"
        run = {"w": row["w_per_chip"], "chips": row["chips"], "days": row["days"], "pue": row["pue"]}
        yield _case(f"patterson.t1.kwh.{name}", "W*chips*days*24*PUE/1000", run, row["kwh"], "kWh", 0.015)


def _others(table):
    for row in table("strubell2019_table3.csv"):
        if row["kwh_pue"]:
            run = {"hours": row["hours"], "power_w": row["power_w"], "pue": 1.58}
            formula = "1.58*t*P/1000 (P = total power of the whole machine)"
            yield _case(f"strubell.kwh.{row['model']}", formula, run, row["kwh_pue"], "kWh", 0.02)
            lb = {"kwh": row["kwh_pue"], "lb_per_kwh": 0.954}
            yield _case(f"strubell.lb.{row['model']}", "0.954 lb/kWh * kWh", lb, row["co2e_lb"], "lb", 0.01)
    for row in table("olmo2024_table7.csv"):
        inputs = {"mwh": row["gpu_mwh"], "pue": row["pue"], "kg": row["kg_per_kwh"]}
        yield _case(f"olmo.t7.{row['model']}", "MWh*PUE*kg/kWh", inputs, row["tco2e"], "tCO2e", None, 0.5)
    for row in table("php2024_table5_parity.csv"):
        inputs = {"train": row["train_kwh"], "ft": row["finetune_kwh"], "inf": row["kwh_per_inference"]}
        formula = "(train+finetune)/per_inference"
        yield _case(f"php.parity.{row['model']}", formula, inputs, row["parity"], "inferences", 0.0002)
    for row in table("morrison2025_table3_inference.csv"):
        name, kwh = f"{row['model']}.{row['req_per_s']}", {"kwh": row["kwh_2400"]}
        yield _case(f"morrison.inf.g.{name}", "kWh*0.332*1000", kwh, row["g_2400"], "g", 0.01, 0.1)
        yield _case(f"morrison.inf.l.{name}", "kWh*1.49", kwh | {"wue": 1.49}, row["l_2400"], "L", 0.01, 0.0011)


@pytest.mark.parametrize("rows", [_ren, _patterson, _others])
def test_every_row_of_a_published_table_agrees(published, rows):
    """Rows that no case was made of go through the same readings and agree."""
    wrong = {
        case["id"]: (case["expected"], found.computed)
        for case in rows(published.table)
        if (found := published.verdict(case)).agreement is not Agreement.CONSISTENT
    }
    assert not wrong


def test_the_green_algorithms_cases_agree(published):
    """Cores, accelerators and memory kept apart give the energy of the Green Algorithms calculator."""
    from joulebook.disclose.recompute import recompute

    formula = (
        "psf * facility_energy_kwh(components_energy_kwh("
        "component_energy_kwh(t, n_cpu, p_cpu, u_cpu), component_energy_kwh(t, n_gpu, p_gpu, u_gpu), "
        "memory_energy_kwh(t, mem, 0.3725 W)), pue)"
    )
    units = {"t": "h", "p_cpu": "W", "p_gpu": "W", "ci": "g/kWh"}
    for row in published.table("green_algorithms_cases.csv"):
        inputs = {
            name: f"{value} {units.get(name, '')}"
            for name, value in row.items()
            if name not in ("id", "expected_kwh", "expected_gco2e")
        }
        energy = recompute(formula, inputs, "kWh")
        carbon = recompute(f"co2e_operational_location_g({formula}, ci)", inputs, "g")
        assert energy.value.mid == pytest.approx(float(row["expected_kwh"]), rel=1e-9), row["id"]
        assert carbon.value.mid == pytest.approx(float(row["expected_gco2e"]), rel=1e-9), row["id"]


def test_the_llama_cards_agree_except_the_one_that_cannot(published):
    """One factor per generation explains every Llama card within 4 %, but for Llama 3.3: 12.9 t for 2,027 t."""
    factors = {"Llama 2": 0.4235, "Llama 3 ": 0.4235, "Llama 3.": 0.4137, "Llama 4": 0.387}
    inconsistent = []
    for row in published.table("llama_cards.csv"):
        factor = next(value for start, value in factors.items() if row["model"].startswith(start))
        inputs = {"gpu_h": row["gpu_hours"], "w": row["power_w"], "k_kg_per_kwh": factor}
        case = _case(f"llama.{row['model']}", "GPUh*W/1000*k", inputs, row["tco2e_location"], "tCO2e", 0.04)
        if published.verdict(case).agreement is Agreement.INCONSISTENT:
            inconsistent.append(row["model"])
    assert inconsistent == ["Llama 3.3 70B"]
