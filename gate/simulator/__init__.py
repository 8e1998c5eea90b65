"""CodeArts Build on loopback, for the commands `demo` and `simulate` and for tests."""
