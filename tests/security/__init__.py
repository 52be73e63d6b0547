"""Who may do what: the whole API against one table."""
