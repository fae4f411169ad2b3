"""Source systems and the callers that may record under their names: the acts and the list that a service offers."""
