"""What KPIs are held against, as files tell it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partner_cx.errors import Invalid
from partner_cx.kinds.answers import SCALES
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Unit
from partner_cx.measures.targets import DatedTarget
from partner_cx.network.names import NARROWER
from partner_cx.operations.drafts import Draft
from partner_cx.operations.fields import (
    day,
    text,
    whole_number,
)
from partner_cx.operations.intake import Desk, Kind
from partner_cx.quantities import MICRO, UNITS_MAX, parse_micro, parse_share
from partner_cx.words import Words

_REACH: dict[Unit | None, tuple[int, int]] = {Unit.NPS: (-100, 100), Unit.INDEX: (0, 100)}


def _finish_targets(draft: Draft, desk: Desk) -> None:
    """Read each target in its KPI's own unit."""
    draft["kpi"] = pc.utf8_lower(draft["kpi"])
    unknown = ~np.asarray(pc.is_in(draft["kpi"], value_set=pa.array(list(CATALOGUE))))
    draft.refuse(
        unknown & np.asarray(draft["kpi"].is_valid()),
        "kpi",
        Words("No KPI has this code.", "Aucun indicateur n’a ce code."),
        Words("The codes are: {codes}.", "Les codes sont\u202f: {codes}.").format(
            codes=", ".join(CATALOGUE)
        ),
    )
    _refuse_no_groups(draft)
    draft["group_code"] = pc.fill_null(draft["group_code"], "")
    kpis = draft["kpi"].to_pylist()
    for column, exact in (("target", _exact), ("coverage_min", _coverage)):
        read: list[str | None] = []
        wrong = np.zeros(len(draft), dtype=bool)
        for row, (written, kpi) in enumerate(zip(draft[column].to_pylist(), kpis, strict=True)):
            try:
                value = None if written is None else exact(written, kpi)
                read.append(None if value is None else f"{value.numerator}/{value.denominator}")
            except Invalid:
                wrong[row] = True
                read.append(None)
        draft.refuse(
            wrong,
            column,
            Words(
                "This is not a number the KPI can reach.",
                "Ce n’est pas un nombre que l’indicateur puisse atteindre.",
            ),
            Words(
                "Write a share as 0.95 or 95 %, anything else as a number.",
                "Écrivez une part comme 0.95 ou 95 %, toute autre valeur comme un nombre.",
            ),
        )
        draft[column] = pa.array(read, pa.string())


def _refuse_no_groups(draft: Draft) -> None:
    """Refuse groups that no partner can ever be in: their target would hold for nobody."""
    named = pc.match_substring_regex(draft["group_code"], f"^({'|'.join(NARROWER)}):.")
    draft.refuse(
        np.asarray(pc.fill_null(pc.invert(named), False)),
        "group",
        Words("No group is called so.", "Aucun groupe ne s’appelle ainsi."),
        Words(
            "Write kind:reseller, tier:gold, country:FR, region:Bretagne, distributor:D01 or "
            "group:pilot.",
            "Écrivez kind:reseller, tier:gold, country:FR, region:Bretagne, distributor:D01 ou "
            "group:pilot.",
        ),
    )


def _exact(written: str, kpi: str) -> Fraction:
    """A target in its KPI's own unit, within what the KPI can be."""
    if kpi in CATALOGUE and CATALOGUE[kpi].unit is Unit.SHARE:
        return parse_share(written)
    number = written.replace(" ", "")
    value = Fraction(parse_micro(number, "," if "," in number else "."), MICRO)
    least, most = _reach(kpi)
    if not least <= value <= most:
        raise Invalid(f"“{written}” lies outside {least} to {most}.")
    return value


def _coverage(written: str, _kpi: str) -> Fraction:
    return parse_share(written)


def _reach(kpi: str) -> tuple[int, int]:
    """The least and the most that a KPI other than a share can be."""
    unit = CATALOGUE[kpi].unit if kpi in CATALOGUE else None
    if unit is Unit.SCORE and kpi in SCALES:
        least, most, _ = SCALES[kpi]
        return least, most
    return _REACH.get(unit, (0, UNITS_MAX))


TARGETS = Kind(
    name="targets",
    table=DatedTarget.__table__,
    fields=(
        text("kpi", required=True, longest=100),
        text("target", required=True, longest=40),
        day("from", column="starts_on", required=True),
        whole_number("n_min", least=0),
        text("coverage_min", longest=40),
        whole_number("stale_after_days", least=1, most=10_000),
        text("group", column="group_code", longest=200),
    ),
    finish=_finish_targets,
    key=("kpi", "group_code", "starts_on"),
    key_field="kpi",
    whole=True,
)
