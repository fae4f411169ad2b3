"""What is counted and timed, in Prometheus' terms, under `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "council_http_request_seconds",
    "Time to answer a request",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
LOG_LINES_LOST = Counter("council_log_lines_lost", "Lines of the log that its disk did not take")
EVENTS_SENT = Counter("council_events_sent", "Events acknowledged by the broker", ("topic",))
EVENTS_HANDLED = Counter("council_events_handled", "Events whose effect was committed", ("type",))
EVENTS_REPEATED = Counter("council_events_repeated", "Events that came again and had been handled before")
EVENTS_DEAD = Counter("council_events_dead", "Events that could not be handled and became dead letters", ("topic",))
CONSUMER_RETRIES = Counter("council_consumer_retries", "Batches or events tried again", ("cause",))
OUTBOX_WAITING = Gauge("council_outbox_waiting", "Events written and not yet sent, at most 20,000 of them counted")
JOB_RUNS = Counter("council_job_runs", "Runs of a job", ("job", "outcome"))
LONG_WORK = Gauge("council_long_work", "Pieces of long work that wait or run", ("kind", "state"))
LONG_WORK_AGE = Gauge("council_long_work_oldest_seconds", "Since when the oldest piece that is open waits", ("kind",))
