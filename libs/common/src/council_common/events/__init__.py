"""Events: declared by their producer, written to the outbox with the fact, sent by the relay, handled once."""
