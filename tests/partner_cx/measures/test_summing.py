"""Figures against a slow, obvious reference that loops over members, values and days."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_cx.measures import summing
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import AddsUp, Unit, Weights
from partner_cx.measures.members import Network
from partner_cx.periods import Period
from partner_cx.quantities import MICRO
from tests.harness.kpi_facts import counts_of, facts, figure, measured, network_of, spread_of

often = settings(max_examples=40)

PERIOD = Period.parse("2026Q2")
PARTNERS = [1, 2, 3, 4]
PROMISED = """
    otif otif_order otif_case on_time in_full sla_response sla_resolution first_response
    resolution backlog ftfr fcr dispute_rate credit_rate portal_adoption portal_depth sheet_views
    media_downloads catalogue_completion learning_completion time_to_quote nps pnps
    pnps_by_partner csat ces dsi cxi retention churn referral_rate
"""
GROUPS = {"tier:gold": [1, 2], "tier:silver": [3], "region:north": [2, 3, 4]}

partner_ids = st.sampled_from(PARTNERS)
some_days = st.integers(-40, 130).map(lambda n: date(2026, 4, 1) + timedelta(days=n))


def tallies(codes: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    row: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {
            "kpi": st.sampled_from(codes),
            "partner_id": partner_ids,
            "day": some_days,
            "of": st.integers(0, 9),
            "hits": st.integers(0, 9),
        }
    )
    rows = st.lists(row, max_size=25, unique_by=lambda r: (r["kpi"], r["partner_id"], r["day"]))
    return rows.map(
        lambda rows: [r | {"hits": min(r["hits"], r["of"]), "n": r["of"]} for r in rows]
    )


def spreads(codes: list[str], lowest: int, highest: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries(
        {
            "kpi": st.sampled_from(codes),
            "partner_id": partner_ids,
            "day": some_days,
            "value": st.integers(lowest, highest),
            "times": st.integers(1, 4),
        }
    )
    return st.lists(row, max_size=25)


def subjects() -> dict[str, list[int]]:
    return {"network": PARTNERS, **{f"P{i}": [i] for i in PARTNERS}, **GROUPS}


def network() -> Network:
    return network_of(facts("partners", [{"id": i} for i in PARTNERS]), groups=GROUPS)


def each_subject(kpi: str, is_so: Callable[[Any, list[int]], None], **tallies_given: Any) -> None:
    """Check one KPI of every subject, which all stand in the answer, whatever was tallied."""
    cards = measured(kpi, network=network(), **tallies_given)
    assert cards.keys() == subjects().keys()
    for subject, members in subjects().items():
        is_so(cards[subject][kpi], members)


def of_members(rows: list[dict[str, Any]], code: str, members: list[int]) -> list[dict[str, Any]]:
    return [
        row
        for row in rows
        if row["kpi"] == code and row["partner_id"] in members and row["day"] in PERIOD
    ]


@often
@given(tallies(["otif", "fcr", "fcr_known"]))
def test_a_share_is_total_hits_over_total_of(rows):
    for kpi in ("otif", "fcr"):

        def is_so(found, members, kpi=kpi):
            mine, known = of_members(rows, kpi, members), of_members(rows, "fcr_known", members)
            hits, of = sum(row["hits"] for row in mine), sum(row["of"] for row in mine)
            assert (found.hits, found.of, found.n) == (hits, of, of)
            assert found.value == (Fraction(hits, of) if of else None)
            if of:
                assert 0 <= found.low <= hits / of <= found.high <= 1
            covered, coverable = (sum(row[part] for row in known) for part in ("hits", "of"))
            share = Fraction(covered, coverable) if coverable else None
            assert found.coverage == (share if kpi == "fcr" else None)

        each_subject(kpi, is_so, counts=facts("counts", rows))


@often
@given(tallies(["catalogue_completion"]))
def test_completion_adds_up_each_partner_s_latest_day(rows):
    def is_so(found, members):
        hits = of = 0
        for partner in members:
            mine = of_members(rows, "catalogue_completion", [partner])
            latest = max(mine, key=lambda row: row["day"], default={"hits": 0, "of": 0})
            hits, of = hits + latest["hits"], of + latest["of"]
        assert (found.hits, found.of) == (hits, of)

    each_subject("catalogue_completion", is_so, counts=facts("counts", rows))


@often
@given(tallies(["tickets_opened", "tickets_resolved", "tickets_reopened"]))
def test_the_backlog_runs_on_from_period_to_period(rows):
    def is_so(found, members):
        ever = [r for r in rows if r["day"] < PERIOD.end_day and r["partner_id"] in members]
        sums = {
            code: sum(row["hits"] for row in ever if row["kpi"] == f"tickets_{code}")
            for code in ("opened", "resolved")
        }
        waiting = sums["opened"] - sums["resolved"]
        assert found.value == (waiting if found.n else None)
        if found.n:
            moves = found.details
            came, went = moves["created"] + moves["reopened"], moves["solved"]
            assert moves["start"] + came - went == waiting

    each_subject("backlog", is_so, counts=facts("counts", rows))


@often
@given(tallies(["pnps_score"]))
def test_each_partner_votes_once_with_its_mean(rows):
    rows = [row | {"hits": row["hits"] + 6 * row["of"]} for row in rows]  # between 6 and 7 or 10

    def is_so(found, members):
        votes = []
        for partner in members:
            mine = of_members(rows, "pnps_score", [partner])
            answers = sum(row["of"] for row in mine)
            if answers:
                mean = Fraction(sum(row["hits"] for row in mine), answers)
                votes.append((mean >= 9) - (mean <= 6))
        assert (found.hits, found.of, found.n) == (sum(votes), len(votes), len(votes))
        assert found.value == (Fraction(100 * sum(votes), len(votes)) if votes else None)

    each_subject("pnps_by_partner", is_so, counts=facts("counts", rows))


@often
@given(spreads(["first_response", "time_to_quote"], 0, 90_000))
def test_times_have_a_mean_a_median_and_a_nearest_rank(rows):
    def seconds_of(code, members):
        return sorted(
            row["value"] for row in of_members(rows, code, members) for _ in range(row["times"])
        )

    def minutes_are_so(found, members):
        seconds = seconds_of("first_response", members)
        assert found.n == len(seconds)
        if not seconds:
            assert (found.value, found.details) == (None, {})
            return
        assert found.value == Fraction(sum(seconds), 60 * len(seconds))
        assert found.details["median"] == pytest.approx(statistics.median(seconds) / 60)
        nearest_rank = seconds[math.ceil(Fraction(9, 10) * len(seconds)) - 1]
        assert found.details["p90"] == pytest.approx(nearest_rank / 60)

    def hours_are_so(found, members):
        seconds = [Fraction(value) for value in seconds_of("time_to_quote", members)]
        assert found.value == (statistics.median(seconds) / 3600 if seconds else None)

    each_subject("first_response", minutes_are_so, spreads=facts("spreads", rows))
    each_subject("time_to_quote", hours_are_so, spreads=facts("spreads", rows))


@often
@given(
    spreads(["dsi.product", "dsi.price", "dsi.help"], 0, 100 * MICRO),
    st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(1, 50)),
    st.integers(1, 4),
)
def test_an_index_weighs_the_parts_that_have_answers_enough(rows, some_weights, answers_min):
    weights = dict(zip(("product", "price", "help"), some_weights, strict=True))

    def is_so(found, members):
        weighed, present = Fraction(0), 0
        for factor, weight in weights.items():
            mine = of_members(rows, f"dsi.{factor}", members)
            scores = [row["value"] for row in mine for _ in range(row["times"])]
            if len(scores) >= answers_min:
                weighed += weight * Fraction(sum(scores), len(scores) * MICRO)
                present += weight
        total = sum(weights.values())
        is_published = present > 0 and Fraction(present, total) >= Fraction(70, 100)
        assert found.value == (weighed / present if is_published else None)
        assert found.coverage == Fraction(present, total)

    each_subject(
        "dsi",
        is_so,
        spreads=facts("spreads", rows),
        weights=Weights(dsi=weights, answers_min=answers_min),
    )


def test_seventy_per_cent_of_the_weights_is_enough():
    scores = [
        spread_of("dsi.logistics", 50),
        spread_of("dsi.product", 50),
        spread_of("dsi.pricing", 50),
    ]
    dsi = figure("dsi", spreads=facts("spreads", scores))
    assert (dsi.value, dsi.coverage) == (50, Fraction(7, 10))


def test_an_index_of_zero_is_a_value():
    scores = [spread_of(f"cxi.{item}", 1) for item in ("effective", "easy", "enjoyable")]
    assert figure("cxi", spreads=facts("spreads", scores)).value == 0


def test_an_index_of_many_answers_stays_exact():
    """The product of five factors' answers outgrows 64 bits long before the network does."""
    factors = {"logistics": 199_999, "product": 199_967, "pricing": 199_961, "support": 199_933,
               "training": 199_931}  # fmt: skip
    rows = [spread_of(f"dsi.{factor}", 1, times) for factor, times in factors.items()]
    rows += [spread_of(f"dsi.{factor}", 0) for factor in factors]
    dsi = figure("dsi", spreads=facts("spreads", rows))
    weights = {"logistics": 30, "product": 20, "pricing": 20, "support": 15, "training": 15}
    assert dsi.value == sum(
        Fraction(weights[factor] * times, 100 * (times + 1)) for factor, times in factors.items()
    )


def test_scales_of_ease_are_never_mixed():
    rows = [spread_of("ces", 7), spread_of("ces5", 1)]
    cards = measured("ces", "ces5", spreads=facts("spreads", rows))["network"]
    assert (cards["ces"].value, cards["ces"].n) == (7, 1)
    assert (cards["ces5"].value, cards["ces5"].n) == (1, 1)


def test_zero_views_by_a_visitor_is_a_zero_and_nobody_at_all_is_no_data():
    came = counts_of("sheet_views", 0, 0) | {"n": 4}
    assert figure("sheet_views", counts=facts("counts", [came])).value == 0
    assert figure("sheet_views").value is None


def test_depth_counts_invited_people_once():
    people = [("ana@x.example", 1), ("bo@x.example", 1), ("cy@y.example", 2)]
    invited = facts("invited", [{"partner_id": p, "who": who} for who, p in people])
    seen = [
        {"kpi": "portal_depth", "partner_id": p, "month": date(2026, month, 1), "who": who}
        for month in (3, 4, 5)
        for who, p in (("ana@x.example", 1), ("uninvited@x.example", 1))
    ]
    cards = measured(
        "portal_depth",
        presences=facts("presences", seen),
        network=network_of(facts("partners", [{"id": 1}, {"id": 2}]), invited=invited),
    )
    depth = {subject: (card["portal_depth"].hits, card["portal_depth"].of)
             for subject, card in cards.items()}  # fmt: skip
    assert depth == {"network": (1, 3), "P1": (1, 2), "P2": (0, 1)}


def test_a_partner_that_has_not_joined_yet_is_not_expected_on_the_portal():
    partners = facts("partners", [{"id": 1, "joined_on": date(2026, 5, 10)}])
    seen = facts("counts", [counts_of("portal_sessions", 1, 1)])
    given_all = {"counts": seen, "network": network_of(partners)}
    before = figure("portal_adoption", as_of_day=date(2026, 5, 9), **given_all)
    after = figure("portal_adoption", as_of_day=date(2026, 5, 10), **given_all)
    assert (before.value, after.value) == (None, 1)


def test_every_kpi_is_drawn_from_nothing_without_inventing_a_value():
    drawn = measured(*CATALOGUE, network=network_of(facts("partners")))
    assert drawn == {}
    alone = network_of(facts("partners", [{"id": 1, "joined_on": date(2027, 1, 1)}]))
    for card in measured(*CATALOGUE, network=alone).values():
        assert {kpi: found.value for kpi, found in card.items()} == dict.fromkeys(CATALOGUE)
        assert all(found.details == {} and found.low is None for found in card.values())


def test_the_catalogue_names_each_tally_that_figures_rest_on():
    assert summing.codes_that(AddsUp.LATEST) == ["catalogue_completion"]
    assert set(summing.codes_that(AddsUp.RUNNING)) == {
        "tickets_opened",
        "tickets_resolved",
        "tickets_reopened",
    }
    for kpi in CATALOGUE.values():
        assert bool(kpi.tallies) != (kpi.adds_up is AddsUp.STANDING)


def test_the_catalogue_holds_every_kpi_in_both_languages():
    assert set(PROMISED.split()) <= CATALOGUE.keys()
    for code, kpi in CATALOGUE.items():
        assert code == kpi.code
        for words in (kpi.label, kpi.formula):
            assert words.en.strip()
            assert words.fr.strip()
        assert kpi.formula.en != kpi.formula.fr
    shares = {code for code, kpi in CATALOGUE.items() if kpi.unit is Unit.SHARE}
    assert {"otif", "csat", "churn"} <= shares
    assert not {"nps", "backlog", "ces", "dsi"} & shares
