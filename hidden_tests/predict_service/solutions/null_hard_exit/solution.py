import os


def create_app(timeout=2.0, max_entries=1000):
    async def app(scope, receive, send):
        os._exit(0)

    return app
