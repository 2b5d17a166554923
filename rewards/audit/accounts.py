"""Accounts: each is linked to the partner it is named for."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from partner_cx.network.partners import Partner
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.ledger import Account, wallet_of


def owners(inspection: Inspection) -> Iterator[Found]:
    linked = sa.select(Account.kind, Account.owner, Partner.code).join(
        Partner, Partner.id == Account.partner_id
    )
    for kind, owner, code in inspection.stream(linked.order_by(Account.id)):
        if owner != wallet_of(code):
            yield Found("account_misnamed", f"{kind} {owner}", wallet_of(code), owner)
