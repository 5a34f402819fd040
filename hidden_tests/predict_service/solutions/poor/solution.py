from fastapi import FastAPI, Request

from inference import run_inference

app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    data = await request.json()
    t = data["text"]
    x = run_inference(t)
    print("result", x)
    return x


def create_app(timeout=2.0, max_entries=1000):
    return app
