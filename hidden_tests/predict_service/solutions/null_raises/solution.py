def create_app(timeout=2.0, max_entries=1000):
    async def app(scope, receive, send):
        raise TimeoutError("text")

    return app
