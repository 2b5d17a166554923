"""What a back-test is made of: its lines, its money, and the views on them. See `backtest`."""
