"""Checks of the set-up, one step at a time, each with what to fix."""
