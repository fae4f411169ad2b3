"""How a service is put together: API, worker, jobs, health, commands."""
