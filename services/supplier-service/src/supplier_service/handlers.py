"""Another service's fact, and what we do: nothing yet, suppliers change by their own people and systems only."""

from council_common.events.handlers import Handlers

handlers = Handlers()
