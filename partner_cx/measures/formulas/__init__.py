"""The formulas: pure functions from facts to counts. They know no database and no clock."""
