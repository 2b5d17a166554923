"""The JSON API: what other systems ask for, each with a token of its own."""
