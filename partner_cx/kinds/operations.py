"""What else happened, as files tell it: visits, portal, catalogue, learning, invoices, leads."""

from __future__ import annotations

from partner_cx.operations import facts
from partner_cx.operations.clocks import (
    local_days,
)
from partner_cx.operations.drafts import Draft, refuse_disorder
from partner_cx.operations.fields import (
    choice,
    currency,
    day,
    email,
    instant,
    quantity,
    text,
    whole_number,
    yes_or_no,
)
from partner_cx.operations.intake import ABOUT_A_PARTNER, Desk, Kind, name_partners
from partner_cx.words import Words

VISITS = Kind(
    name="visits",
    table=facts.Visit.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        text("asset", required=True, longest=200),
        day("visited_on", required=True),
        choice("outcome", ["fixed", "part_missing", "not_fixed", "no_access"], required=True),
    ),
    finish=name_partners,
    family="visits",
    days=("visited_on",),
    events=("visited_on",),
    left_behind=(
        "SELECT v.partner_id, v.visited_on FROM visits v JOIN former f ON v.asset = f.asset"
    ),
)


def _finish_portal_events(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    draft["on"] = local_days(draft["at"], desk.settings.time_zone)


PORTAL_EVENTS = Kind(
    name="portal-events",
    table=facts.PortalEvent.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        instant("at", required=True),
        choice("kind", ["login", "sheet_view", "media_download", "search", "quote"], required=True),
        email("person_email"),
        yes_or_no("internal"),
    ),
    finish=_finish_portal_events,
    family="portal",
    kept=(
        (("person_email",), ("person_email",)),
        (("internal",), ("internal",)),
    ),
    days=("on",),
    events=("on",),
)


def _finish_catalogue(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    refuse_disorder(
        draft,
        "filled",
        "required",
        shown="filled",
        reason=Words("More fields are filled than required.", "Plus de champs remplis que requis."),
        remedy=Words("Count only required fields.", "Ne comptez que les champs requis."),
    )


CATALOGUE_STATUS = Kind(
    name="catalogue-status",
    table=facts.CatalogueStatus.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        day("on", required=True),
        whole_number("filled", required=True),
        whole_number("required", required=True),
    ),
    finish=_finish_catalogue,
    family="catalogue",
    days=("on",),
    events=("on",),
)


def _finish_learning(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    refuse_disorder(
        draft,
        "enrolled_on",
        "completed_on",
        shown="completed_on",
        reason=Words(
            "The course was completed before the enrolment.",
            "La formation est achevée avant l’inscription.",
        ),
        remedy=Words("Mend one of the two days.", "Corrigez l’un des deux jours."),
    )


LEARNING = Kind(
    name="learning",
    table=facts.Enrolment.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        email("person_email", required=True),
        text("course_code", required=True, longest=200),
        day("enrolled_on", required=True),
        day("completed_on"),
        quantity("progress"),
    ),
    finish=_finish_learning,
    family="learning",
    kept=((("progress",), ("progress",)),),
    days=("enrolled_on",),
    events=("enrolled_on", "completed_on"),
)


def _finish_invoices(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    refuse_disorder(
        draft,
        "disputed_lines",
        "lines",
        shown="disputed_lines",
        reason=Words(
            "More lines are disputed than the invoice has.",
            "Plus de lignes contestées que la facture n’en compte.",
        ),
        remedy=Words("Mend one of the two counts.", "Corrigez l’un des deux nombres."),
    )


INVOICES = Kind(
    name="invoices",
    table=facts.Invoice.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        day("on", required=True),
        whole_number("value_minor", required=True, most=10**15),
        currency("currency"),
        whole_number("lines"),
        whole_number("disputed_lines"),
        whole_number("credited_minor", most=10**15),
    ),
    finish=_finish_invoices,
    family="invoices",
    kept=(
        (("lines", "disputed_lines"), ("lines", "disputed_lines")),
        (("credited_minor",), ("credited_minor",)),
    ),
    days=("on",),
    events=("on",),
)

REFERRALS = Kind(
    name="referrals",
    table=facts.Referral.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        day("on", required=True),
        text("referred_name"),
    ),
    finish=name_partners,
    family="referrals",
    kept=((("referred_name",), ("referred_name",)),),
    days=("on",),
    events=("on",),
)


def _finish_quotes(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    refuse_disorder(
        draft,
        "requested_at",
        "quoted_at",
        shown="quoted_at",
        reason=Words("The quote is earlier than its request.", "Le devis précède la demande."),
        remedy=Words("Mend one of the two moments.", "Corrigez l’un des deux instants."),
    )
    draft["requested_on"] = local_days(draft["requested_at"], desk.settings.time_zone)
    draft["quoted_on"] = local_days(draft["quoted_at"], desk.settings.time_zone)


QUOTES = Kind(
    name="quotes",
    table=facts.Quote.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        instant("requested_at", required=True),
        instant("quoted_at"),
    ),
    finish=_finish_quotes,
    family="quotes",
    days=("requested_on", "quoted_on"),
    events=("requested_on", "quoted_on"),
)
