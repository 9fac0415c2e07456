"""Pages for people: made on the server, in three languages, whole without JavaScript."""
