"""What it measures: the KPI catalogue, its formulas, tallies per day, scorecards per period."""
