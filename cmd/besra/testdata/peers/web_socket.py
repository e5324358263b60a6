"""Serves a file over WebSocket, or asks for it, or sends it."""
import asyncio
import sys

import websockets


async def answer(connection):
    if await connection.recv() == "send me":
        await connection.send(open(sys.argv[2], "rb").read())


async def serve():
    async with websockets.serve(answer, "127.0.0.1", 80):
        await asyncio.Future()


async def talk():
    async with websockets.connect("ws://127.0.0.1/socket") as connection:
        if sys.argv[1] == "recv":
            await connection.send("send me")
            await connection.recv()
        else:
            await connection.send(open("tool.py", "rb").read())


asyncio.run(serve() if sys.argv[1] == "serve" else talk())
