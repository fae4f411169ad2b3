"""How a service is put together: settings, runtime, API, worker, commands."""
