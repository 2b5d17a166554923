"""Insights: what the kept figures of many partners say together.

Before: scorecards, frozen or as known now. After: the pages and exports of the channel team.
"""
