"""Odoo: what it knows is read into facts, and what its users need to see is written back.

connection ─► streams (orders, tickets …) ─► sync ─► operations.intake ─► facts
effects ─► worker ─► writing ─► cards, notes, activities

`checking` says beforehand what works, and what it costs where something doesn't; `mapping` is what
an installation may decide, `directory` who is who, `state` what is remembered between two syncs.
"""
