"""Who is in the network, as files tell it: partners, people, groups, and who visits whom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from partner_cx.errors import Invalid
from partner_cx.network.groups import GroupMember
from partner_cx.network.names import PartnerKind
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.network.reps import PartnerRep
from partner_cx.operations.drafts import Draft, refuse_disorder
from partner_cx.operations.fields import (
    choice,
    day,
    email,
    text,
    yes_or_no,
)
from partner_cx.operations.intake import Desk, Kind, name_partners
from partner_cx.words import Words


def _finish_partners(draft: Draft, desk: Desk) -> None:
    only_dots = pc.match_substring_regex(draft["code"], r"^\.+$")
    draft.refuse(
        np.asarray(pc.fill_null(only_dots, False)),
        "code",
        Words(
            "The code is nothing but dots, which no page's address can hold.",
            "Le code n’est fait que de points, ce qu’aucune adresse de page ne peut contenir.",
        ),
        Words("Give the partner another code.", "Donnez un autre code au partenaire."),
    )
    draft["country"] = pc.utf8_upper(draft["country"])
    refuse_disorder(
        draft,
        "joined_on",
        "left_on",
        shown="left_on",
        reason=Words(
            "The partner left before it joined.", "Le partenaire est parti avant d’entrer."
        ),
        remedy=Words("Mend one of the two days.", "Corrigez l’un des deux jours."),
    )
    draft["parent_id"] = desk.ids_of(draft, "parent_code", Partner.__table__)


def _parents_first(draft: Draft, desk: Desk) -> Iterator[Draft]:
    """Split partners so that each comes after the partner above it; refuse those that can't."""
    waiting = draft.good.copy()
    own = pc.fill_null(pc.equal(draft["code"], draft["parent_code"]), False)
    draft.refuse(
        np.asarray(own),
        "parent_code",
        Words(
            "A partner can't stand above itself.", "Un partenaire ne peut pas dépendre de lui-même."
        ),
        Words("Name the partner above it, or none.", "Nommez le partenaire au-dessus, ou aucun."),
    )
    waiting &= draft.good
    while waiting.any():
        still = pc.is_in(draft["parent_code"], value_set=draft["code"].filter(pa.array(waiting)))
        ready = waiting & ~np.asarray(pc.fill_null(still, False))
        if not ready.any():
            break
        desk.forget_codes()
        known = desk.ids_of(draft, "parent_code", Partner.__table__)
        missing = np.asarray(known.is_null()) & np.asarray(draft["parent_code"].is_valid())
        draft.refuse(
            ready & missing,
            "parent_code",
            Words("No partner has this code.", "Aucun partenaire n’a ce code."),
            Words(
                "Add the partner above to the file, or mend the code.",
                "Ajoutez le partenaire au-dessus au fichier, ou corrigez le code.",
            ),
        )
        if (ready & ~missing).any():
            yield draft.keep(ready & ~missing)
        waiting &= ~ready
    draft.refuse(
        waiting,
        "parent_code",
        Words(
            "The partners above this one lead back to it.",
            "Les partenaires au-dessus de celui-ci ramènent à lui.",
        ),
        Words("Break the circle.", "Rompez le cercle."),
    )


def _no_circles(desk: Desk) -> None:
    """Refuse the whole file when its changes make a partner stand above itself."""
    rows = desk.session.execute(sa.select(Partner.id, Partner.parent_id, Partner.code)).all()
    above = {number: parent for number, parent, _ in rows}
    codes = {number: code for number, _, code in rows}
    for number, parent in above.items():
        seen = {number}
        while parent is not None:
            if parent in seen:
                raise Invalid(
                    f"Partner {codes[number]} would stand above itself.",
                    remedy="Look at the column parent_code of the partners in between.",
                )
            seen.add(parent)
            parent = above[parent]


PARTNERS = Kind(
    name="partners",
    table=Partner.__table__,
    fields=(
        text("code", required=True, longest=200),
        text("name", required=True),
        choice("kind", [kind.value for kind in PartnerKind], required=True),
        text("parent_code", column="", longest=200),
        text("tier", longest=100),
        text("region", longest=100),
        text("country", longest=100),
        choice("language", ["fr", "en"]),
        day("joined_on"),
        day("left_on"),
        text("source_id", longest=200),
    ),
    finish=_finish_partners,
    key=("code",),
    key_field="code",
    kept=(
        (("parent_id",), ("parent_code",)),
        (("tier",), ("tier",)),
        (("region",), ("region",)),
        (("country",), ("country",)),
        (("language",), ("language",)),
        (("joined_on", "left_on"), ("joined_on", "left_on")),
        (("source_id",), ("source_id",)),
    ),
    whole=True,
    in_order=_parents_first,
    settled=_no_circles,
)


def _finish_people(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    alone = pc.and_(pc.equal(draft["role"], Role.PARTNER.value), draft["partner_code"].is_null())
    draft.refuse(
        np.asarray(pc.fill_null(alone, False)),
        "partner_code",
        Words(
            "A person with the role partner needs one.", "Une personne au rôle partner en exige un."
        ),
        Words("Write the code of the person's partner.", "Écrivez le code de son partenaire."),
    )


PEOPLE = Kind(
    name="people",
    table=Person.__table__,
    fields=(
        email("email", required=True),
        text("name", required=True),
        choice("role", [role.value for role in Role], required=True),
        text("partner_code", column="", longest=200),
        choice("language", ["fr", "en"]),
    ),
    finish=_finish_people,
    key=("email",),
    key_field="email",
    kept=(
        (("partner_id",), ("partner_code",)),
        (("language",), ("language",)),
    ),
    whole=True,
)

GROUPS = Kind(
    name="groups",
    table=GroupMember.__table__,
    fields=(
        text("group_code", required=True, longest=100),
        text("partner_code", column="", required=True, longest=200),
        text("label"),
    ),
    finish=name_partners,
    key=("group_code", "partner_id"),
    key_field="group_code",
    kept=((("label",), ("label",)),),
    whole=True,
)


def _finish_reps(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    people = desk.session.execute(sa.select(Person.email, Person.id, Person.role)).all()
    reps = {email: number for email, number, role in people if role == Role.REP}
    named = draft["rep_email"].to_pylist()
    ids = pa.array([reps.get(email) for email in named], pa.int64())
    others = pc.is_in(draft["rep_email"], value_set=pa.array([each.email for each in people]))
    draft.refuse(
        np.asarray(ids.is_null()) & np.asarray(others),
        "rep_email",
        Words("This person isn't a rep.", "Cette personne n’a pas le rôle rep."),
        Words(
            "Name a rep; managers and administrators see every partner anyway.",
            "Nommez un commercial\u202f; responsables et administrateurs voient tous les "
            "partenaires.",
        ),
    )
    draft.refuse(
        np.asarray(ids.is_null()) & np.asarray(draft["rep_email"].is_valid()),
        "rep_email",
        Words("Nobody here has this address.", "Personne ici n’a cette adresse."),
        Words(
            "Import the person with the role rep first, or mend the address.",
            "Importez d’abord la personne au rôle rep, ou corrigez l’adresse.",
        ),
    )
    draft["person_id"] = ids


REPS = Kind(
    name="reps",
    table=PartnerRep.__table__,
    fields=(
        email("rep_email", column="", required=True),
        text("partner_code", column="", required=True, longest=200),
        yes_or_no("visits", default=True),
    ),
    finish=_finish_reps,
    key=("person_id", "partner_id"),
    key_field="rep_email",
    key_fields=("rep_email", "partner_code"),
    whole=True,
)
