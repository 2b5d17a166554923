"""Every door: the command line, the pages, and the wiring behind them."""
