"""The published language as documents: JSON Schemas, examples and AsyncAPI 3, made from the event classes."""
