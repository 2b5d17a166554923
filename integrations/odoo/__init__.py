"""Odoo: what it knows is read into facts, and what its users need to see is written back.

connection ─► streams (orders, tickets …) ─► sync ─► operations.intake ─► facts
effects ─► worker ─► writing ─► cards, notes, activities
"""
