"""Believable Russian demo data: its words (names, streets, texts), its drawing (generator), its storing."""
