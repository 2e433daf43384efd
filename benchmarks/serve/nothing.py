"""A server with one route that does nothing but read its request: the limit that HTTP itself sets."""

import sys

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel


class Request(BaseModel):
    """The request of /predict."""

    inputs: str | list[str]


app = FastAPI()
ANSWER = b'[{"label":"positive","score":0.5},{"label":"negative","score":0.5}]'


@app.post("/nothing")
async def nothing(body: Request) -> Response:
    """Return a constant answer of the size of a prediction."""
    content = ANSWER if isinstance(body.inputs, str) else b"[" + b",".join([ANSWER] * len(body.inputs)) + b"]"
    return Response(content, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
