"""The lint: what is likely to be wrong with a rule that can be read, before it pays anyone.

Before it stands a rule, as a file, a draft or a version; after it whoever wrote it. Each family of
concerns is a module of its own; `checking` asks them all. Some look at the rule alone, the others
at the programme it is meant for and at what closed periods would have made of it.
"""
