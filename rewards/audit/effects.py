"""Effects: each still says what it was owed with, and none is done that nobody carried out."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from partner_cx.effects import Effect, digest_of
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection


def effects(inspection: Inspection) -> Iterator[Found]:
    columns = (
        *(Effect.kind, Effect.key, Effect.payload, Effect.digest),
        *(Effect.done_at, Effect.tries, Effect.dropped_because),
    )
    for effect in inspection.stream(sa.select(*columns).order_by(Effect.id)):
        inspection.saw("effect digests")
        digest = digest_of(effect.kind, effect.key, effect.payload)
        if digest != effect.digest:
            yield Found("effect_altered", effect.key, effect.digest, digest)
        if effect.done_at and not effect.tries and effect.dropped_because is None:
            yield Found("effect_not_carried_out", effect.key, "", effect.done_at)
