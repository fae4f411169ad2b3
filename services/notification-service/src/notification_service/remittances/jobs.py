"""What runs by the calendar."""

from datetime import timedelta

from council_common.service.jobs import Job

from notification_service.remittances.usecases import release_remittances

RELEASE = Job("release-remittances", release_remittances, every=timedelta(seconds=15))

JOBS: tuple[Job, ...] = (RELEASE,)
