"""How the gate writes for each CI system, and what it shows on a terminal."""
