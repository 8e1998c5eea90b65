"""What the gate says to people, in the dialect of the CI system it runs in."""
