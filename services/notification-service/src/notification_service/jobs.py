"""What runs by the calendar or when woken."""

from datetime import timedelta

from council_common.service.jobs import Job

from notification_service.channels.usecases import send_messages
from notification_service.messages.usecases import SEND_MESSAGES
from notification_service.remittances.usecases import release_remittances

SEND = Job(SEND_MESSAGES, send_messages, every=timedelta(seconds=2))
RELEASE = Job("release-remittances", release_remittances, every=timedelta(seconds=15))

JOBS: tuple[Job, ...] = (SEND, RELEASE)
