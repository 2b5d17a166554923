"""What happened in the partner network, and what it measures: the ground floor.

Read in the data's way: `network` says who, `operations` and `feedback` say what happened,
`measures` turns it into figures. Nothing here knows about rewards, neighbours or doors.
"""
