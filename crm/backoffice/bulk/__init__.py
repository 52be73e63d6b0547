"""Actions on many records of a list: say what will be done to how many, ask, do it, tell what became of it.

Each app registers its own (`actions.add`), in its admin.py; nothing here knows them.
"""
