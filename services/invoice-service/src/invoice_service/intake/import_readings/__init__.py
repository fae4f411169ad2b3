"""How the files of a source system were read, for its next ones."""
