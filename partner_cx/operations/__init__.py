"""What happened: facts of every kind, how they are taken in, corrected and remembered."""
