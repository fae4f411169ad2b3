"""The published language: the events that each service publishes, one module per producing service.

Only the producer changes its module. Within V1 only optional fields are added; a break is a V2 beside V1.
`make contracts` writes schemas, examples and `asyncapi.yaml` from here.
"""
