"""Who is in the network: partners, their people, and the groups they are compared in."""
