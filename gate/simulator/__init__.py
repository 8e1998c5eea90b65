"""CodeArts Build on loopback, for rehearsals, the demo and the tests."""
