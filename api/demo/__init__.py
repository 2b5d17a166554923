"""A lively network of invented partners, made as files and taken in like a user's own."""
