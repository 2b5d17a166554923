"""Stand-ins: neighbours played on loopback, to try and test the loop without them."""
