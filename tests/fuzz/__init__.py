"""Input that nobody types, at every door. See `effort.py` for longer hunts."""
