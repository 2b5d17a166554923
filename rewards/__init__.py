"""What it earns: rules, decisions, the ledger and the statements that explain it."""
