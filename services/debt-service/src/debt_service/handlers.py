"""Another service's fact, and what we do."""

from council_common.events.handlers import Handlers

handlers = Handlers()
