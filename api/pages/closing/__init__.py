"""Closing a period as a guided page, what was changed afterwards, and awards that wait."""
