"""What runs by the calendar, or when a message is written."""

from datetime import timedelta

from council_common.service.jobs import Job

from notification_service.channels.usecases import send_messages
from notification_service.messages.usecases import SEND_MESSAGES

SEND = Job(SEND_MESSAGES, send_messages, every=timedelta(seconds=2))

JOBS: tuple[Job, ...] = (SEND,)
