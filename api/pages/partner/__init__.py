"""A partner's own pages: home, statement and figures."""
