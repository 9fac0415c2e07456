"""The API over HTTP: in process where speed matters, over a socket where the server does."""
