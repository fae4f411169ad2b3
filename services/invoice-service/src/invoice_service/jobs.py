"""What runs by the calendar or when woken."""

from council_common.service.jobs import Job

JOBS: tuple[Job, ...] = ()
