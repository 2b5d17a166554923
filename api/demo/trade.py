"""Goods and money: order lines with their receipts, late corrections, invoices, catalogues, quotes.

Drawn from the script of `story`; the frames have the columns of their file's kind.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from api.demo.cast import CORRECTED, SHINING
from api.demo.story import FULL_QUARTERS, Stage, happenings, on_weekdays

# code, price of one in cents, usual quantity in tenths
_PRODUCTS = (
    ("PAC-AIR-08", 412_000, 20),
    ("PAC-AIR-12", 538_000, 20),
    ("PAC-SOL-10", 769_000, 10),
    ("BALLON-200", 118_500, 40),
    ("BALLON-300", 149_900, 30),
    ("MODULE-HYDRO", 86_400, 40),
    ("THERMOSTAT-R2", 12_900, 200),
    ("SONDE-EXT", 2_450, 300),
    ("VANNE-3V", 5_890, 150),
    ("SUPPORT-MURAL", 4_300, 250),
    ("FILTRE-MAG", 3_720, 400),
    ("LIAISON-FRIGO-M", 1_180, 750),
    ("ISOLANT-M", 460, 1_250),
    ("KIT-MISE-EN-SERVICE", 9_900, 60),
)
_SOLD_BY_HALF_METRES = ("LIAISON-FRIGO-M", "ISOLANT-M")

_OUTCOMES = {
    "cancelled_by_customer": 0.014,
    "cancelled_by_supplier": 0.0025,
    "nothing": 0.0015,
    "over": 0.012,
    "in_parts": 0.09,
}

_RECEIPT_COLUMNS = ["order_line_source_id", "received_on", "qty"]


def order_lines(
    script: pd.DataFrame, stage: Stage, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Order lines, and the receipts of those that came in several parts.

    A line received at once carries its receipt itself (the short form); the others have theirs
    in the receipts. Nothing was received on or after the stage's last day.
    """
    lines = _promised(_ordered(script, stage, rng), rng)
    lines["outcome"] = _outcomes(lines, rng)
    receipts = _deliveries(lines, rng)
    receipts = receipts[receipts["received_on"] < stage.until]
    alone = ~receipts["place"].duplicated(keep=False) & (rng.random(len(receipts)) < 0.94)
    told = receipts[alone].set_index("place")
    lines["received_qty"] = told["tenths"]
    lines["received_on"] = told["received_on"]
    lines["status"] = _status(lines, receipts, stage)
    lines["cancelled_on"] = _cancelled_on(lines, stage, rng)
    apart = receipts[~alone].sort_values(["received_on", "place"], kind="stable")
    apart = apart.assign(
        order_line_source_id=lines.loc[apart["place"], "source_id"].to_numpy(),
        qty=quantities(apart["tenths"]),
    )
    return _as_order_lines(lines), _numbered(apart[_RECEIPT_COLUMNS], "WR")


def _ordered(script: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """One row per order line, lines of an order standing together and sharing their window."""
    orders = happenings(script, script["lines"] / 2.4, rng)
    orders["window_end"] = on_weekdays(orders["day"])
    horizon = stage.until + pd.Timedelta(weeks=3)
    orders = orders[orders["window_end"].between(stage.start, horizon)].reset_index(drop=True)
    orders["order_code"] = [f"SO{40_000 + place}" for place in range(len(orders))]
    width = rng.choice([-1, 0, 1, 2, 4], size=len(orders), p=[0.3, 0.1, 0.3, 0.2, 0.1])
    start = on_weekdays(orders["window_end"] - pd.to_timedelta(np.maximum(width, 0), "D"))
    orders["window_start"] = start.where(width >= 0)  # the others may come early
    orders["delay"] = np.where(
        rng.random(len(orders)) < orders["late"], rng.geometric(0.3, len(orders)), 0
    )
    lines = orders.loc[orders.index.repeat(1 + rng.poisson(1.4, len(orders)))]
    lines = lines.reset_index(drop=True)
    lines["source_id"] = [f"L{100_000 + place}" for place in range(len(lines))]
    return lines


def _promised(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    products = pd.DataFrame(_PRODUCTS, columns=["product_code", "price", "usual"])
    chosen = products.loc[rng.integers(0, len(products), len(lines))].reset_index(drop=True)
    many = (chosen["usual"] * rng.lognormal(0, 0.5, len(lines))).round().astype("int64")
    step = np.where(chosen["product_code"].isin(_SOLD_BY_HALF_METRES), 5, 10)
    lines["product_code"] = chosen["product_code"]
    lines["tenths"] = np.maximum(many // step * step, 10)
    lines["cents"] = chosen["price"] * lines["tenths"] // 10
    lines["currency"] = np.where(lines["country"] == "CH", "CHF", "EUR")
    return lines


def _outcomes(lines: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """What became of each line. Nothing ever goes wrong for the partner that shines."""
    edges = np.cumsum(list(_OUTCOMES.values()))
    names = np.array([*_OUTCOMES, "whole"])
    outcome = names[np.searchsorted(edges, rng.random(len(lines)), side="right")]
    short = rng.random(len(lines)) < lines["short"].to_numpy()
    outcome = np.where(short & np.isin(outcome, ["whole", "in_parts"]), "short", outcome)
    shines = (lines["partner_code"] == SHINING).to_numpy()
    return np.where(
        shines & np.isin(outcome, ["nothing", "cancelled_by_supplier"]), "whole", outcome
    )


def _deliveries(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Every receipt of every line: place (of the line), received_on, tenths."""
    came = lines[lines["outcome"].isin(["whole", "over", "in_parts", "short"])]
    day = _delivery_day(came, rng)
    tenths = came["tenths"].where(came["outcome"] != "over", came["tenths"] * 12 // 100 * 10 + 10)
    split = came["outcome"].isin(["in_parts", "short"]) & (came["tenths"] >= 20)
    share = np.where(came["outcome"] == "short", rng.uniform(0.6, 0.97, len(came)), 0.5)
    first = (came["tenths"] * share // 10 * 10).clip(lower=10).where(split, tenths)
    # A piece that can't be split and should come incomplete comes late instead.
    late = on_weekdays(came["window_end"] + pd.Timedelta(days=3), later=True)
    day = day.where(split | (came["outcome"] != "short"), late)
    rest_day = day.where(
        came["outcome"] != "short",
        on_weekdays(came["window_end"] + pd.to_timedelta(rng.integers(3, 15, len(came)), "D")),
    ).clip(lower=day)
    forgotten = (came["outcome"] == "short") & (rng.random(len(came)) < 0.15)
    parts = pd.DataFrame({"place": came.index, "received_on": day, "tenths": first.astype("int64")})
    rest = pd.DataFrame({"place": came.index, "received_on": rest_day})
    rest["tenths"] = (tenths - first).astype("int64")
    return pd.concat([parts, rest[split & ~forgotten]], ignore_index=True)


def _delivery_day(came: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """The day a delivery came: within the window, or as late as the carrier made it."""
    width = (came["window_end"] - came["window_start"]).dt.days.fillna(4)
    before = (rng.random(len(came)) * (width + 1)) // 1
    day = on_weekdays(came["window_end"] - pd.to_timedelta(before, "D"))
    day = day.where(~(day < came["window_start"]), came["window_end"])
    late = came["window_end"] + pd.to_timedelta(came["delay"], "D")
    return day.where(came["delay"] == 0, on_weekdays(late, later=True))


def _status(lines: pd.DataFrame, receipts: pd.DataFrame, stage: Stage) -> np.ndarray:
    got = receipts.groupby("place")["tenths"].sum().reindex(lines.index, fill_value=0)
    cancelled = lines["outcome"].str.startswith("cancelled").to_numpy()
    known = (lines["window_end"] - pd.Timedelta(days=6) < stage.until).to_numpy()
    done = np.where(got >= lines["tenths"], "done", "open")
    return np.where(cancelled & known, lines["outcome"], done)


def _cancelled_on(lines: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.Series:
    """Some days before the window's end, and before the stage's."""
    ago = pd.to_timedelta(rng.integers(1, 8, len(lines)), "D")
    last = stage.until - pd.Timedelta(days=1)
    day = (lines["window_end"] - ago).where(lines["window_end"] - ago < last, last)
    return day.where(lines["status"].str.startswith("cancelled"))


def _as_order_lines(lines: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_id": lines["source_id"],
            "order_code": lines["order_code"],
            "partner_code": lines["partner_code"],
            "product_code": lines["product_code"],
            "ordered_qty": quantities(lines["tenths"]),
            "value": [f"{cents // 100}.{cents % 100:02d}" for cents in lines["cents"].tolist()],
            "currency": lines["currency"],
            "window_start": lines["window_start"],
            "window_end": lines["window_end"],
            "status": lines["status"],
            "cancelled_on": lines["cancelled_on"],
            "received_qty": quantities(lines["received_qty"]),
            "received_on": lines["received_on"],
        }
    )


def corrections(lines: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """Rows sent again with other receipts, learned only after their quarter had been closed.

    About forty receipts of the last full year turn out later, earlier or smaller than told. Five
    lines of one partner, on time as first told in the last full quarter, came after their window.
    """
    told = lines[lines["received_on"].notna()]
    told = told[told["window_end"] < stage.quarter_start(FULL_QUARTERS)]
    told = told[~told["partner_code"].isin([SHINING, CORRECTED])]
    lately = told[told["window_end"] >= stage.quarter_start(4)].sample(40, random_state=rng)
    moved = pd.to_timedelta(rng.choice([-2, -1, 1, 2, 4], size=len(lately)), "D")
    lately = lately.assign(received_on=on_weekdays(lately["received_on"] + moved))
    fewer = lately.index[::5]
    lately.loc[fewer, "received_qty"] = lately.loc[fewer, "ordered_qty"].map(_one_less)
    return pd.concat([lately, _after_all_late(lines, stage)]).sort_index(ignore_index=True)


def _after_all_late(lines: pd.DataFrame, stage: Stage) -> pd.DataFrame:
    last = lines["window_end"].between(
        stage.quarter_start(FULL_QUARTERS - 1), stage.quarter_start(FULL_QUARTERS), inclusive="left"
    )
    kept = lines[last & (lines["partner_code"] == CORRECTED) & (lines["status"] == "done")]
    kept = kept[kept["received_on"] <= kept["window_end"]]
    several = kept.iloc[:: max(1, len(kept) // 5)].head(5)
    late = on_weekdays(several["window_end"] + pd.Timedelta(days=3), later=True)
    return several.assign(received_on=late)


def _one_less(qty: str) -> str:
    """A quantity with a piece missing; a single piece that didn't come at all."""
    whole, point, fraction = qty.partition(".")
    return f"{max(int(whole) - 1, 0)}{point}{fraction}"


def invoices(
    lines: pd.DataFrame, script: pd.DataFrame, stage: Stage, rng: np.random.Generator
) -> pd.DataFrame:
    """One invoice per partner and month, for what was received in it."""
    received = lines[lines["received_on"].notna()]
    bills = pd.DataFrame(
        {
            "partner_code": received["partner_code"],
            "month": received["received_on"].dt.to_period("M").dt.to_timestamp(),
            "currency": received["currency"],
            "value_minor": received["value"].str.replace(".", "").astype("int64"),
        }
    )
    bills = bills.groupby(["month", "partner_code", "currency"], as_index=False).agg(
        value_minor=("value_minor", "sum"), lines=("value_minor", "size")
    )
    chances = script[["partner_code", "month", "disputed"]]
    bills = bills.merge(chances, on=["partner_code", "month"], how="left").fillna({"disputed": 0})
    bills["on"] = bills["month"] + pd.offsets.MonthEnd(0)
    bills = bills[bills["on"].between(stage.start, stage.until, inclusive="left")]
    bills = bills.reset_index(drop=True)
    bills["disputed_lines"] = rng.binomial(bills["lines"], bills["disputed"])
    line_value = bills["value_minor"] // bills["lines"]
    granted = rng.choice([0, 20, 35, 60], size=len(bills), p=[0.3, 0.3, 0.25, 0.15])
    bills["credited_minor"] = line_value * bills["disputed_lines"] * granted // 100
    columns = ["partner_code", "on", "value_minor", "currency"]
    columns += ["lines", "disputed_lines", "credited_minor"]
    return _numbered(bills[columns], "FA")


def catalogue_status(script: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """How much of its product sheets each selling partner had filled at the end of each month."""
    sells = script[script["kind"].isin(["distributor", "reseller"])]
    sells = sells[sells["beyond"] <= stage.until].copy()
    at_first = pd.Series(rng.uniform(0.35, 0.8, sells["partner_code"].nunique()))
    at_first.index = sells["partner_code"].unique()
    months_in = sells.groupby("partner_code").cumcount()
    filled = sells["partner_code"].map(at_first) + 0.012 * months_in
    sells["required"] = 40 + 2 * sells["quarter"]
    noise = rng.normal(0, 0.02, len(sells))
    sells["filled"] = ((filled + noise).clip(0, 1) * sells["required"]).astype("int64")
    sells.loc[months_in == 0, "filled"] *= (sells["joined_on"] < stage.start).astype("int64")
    sells["on"] = sells["beyond"] - pd.Timedelta(days=1)
    sells = sells.sort_values(["on", "partner_code"])
    return _numbered(sells[["partner_code", "on", "filled", "required"]], "CS")


def quotes(script: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """Leads given to partners, most of them quoted within days, a few never."""
    leads = happenings(script, "quotes", rng)
    requested = on_weekdays(leads["day"]) + pd.to_timedelta(
        rng.integers(480, 1080, len(leads)), "m"
    )
    hours = rng.lognormal(3.0, 0.8, len(leads)) * np.where(leads["partner_code"] == SHINING, 0.3, 1)
    quoted = requested + pd.to_timedelta((hours * 60).astype("int64"), "m")
    answered = (rng.random(len(leads)) < 0.9) & (quoted < stage.until)
    happened = (requested >= stage.start) & (requested < stage.until)
    frame = pd.DataFrame(
        {
            "partner_code": leads["partner_code"],
            "requested_at": requested,
            "quoted_at": quoted.where(answered),
        }
    )
    return _numbered(frame[happened].sort_values("requested_at", kind="stable"), "Q")


def quantities(tenths: pd.Series) -> list[str]:
    """Quantities counted in tenths, as people write them: `12`, `12.5`, nothing for none."""
    return [
        "" if pd.isna(count) else f"{int(count) // 10}.{int(count) % 10}".removesuffix(".0")
        for count in tenths.tolist()
    ]


def _numbered(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """The same rows, each with a source_id, in their order."""
    frame = frame.reset_index(drop=True)
    frame.insert(0, "source_id", [f"{prefix}{10_000 + place}" for place in range(len(frame))])
    return frame
