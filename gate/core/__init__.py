"""What is decided, and when: no HTTP, no files, no environment, no clock of its own."""
