"""The command line: commands, options, and how their values become settings."""
