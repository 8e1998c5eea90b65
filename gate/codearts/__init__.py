"""CodeArts Build as it really is: its hosts, credentials, transport, wire format and operations."""
