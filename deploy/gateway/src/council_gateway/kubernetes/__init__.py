"""The same table as Gateway API routes, with Envoy Gateway's policies for what the API has no words for."""
