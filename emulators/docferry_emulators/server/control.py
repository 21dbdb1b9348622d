"""The control endpoint of the server, under ``/_docferry/``: faults and the clock, by HTTP."""

from typing import Annotated, Any

import msgspec
from werkzeug.wrappers import Request, Response

from docferry_emulators.emulation import Emulation
from docferry_emulators.faults import Knobs
from docferry_emulators.server.steerable_clock import SteerableClock

PREFIX = "/_docferry/"


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How many seconds to move the clock ahead."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


def answer(emulation: Emulation, request: Request) -> Response:
    """Answer a request to the control endpoint.

    ``GET faults`` and ``PUT faults`` read and replace the knobs, ``GET calls`` counts the calls by operation,
    ``GET clock`` tells the time, ``POST clock`` with ``{"seconds": 3600}`` moves it ahead.
    """
    routes = {
        ("GET", "faults"): lambda: _json(emulation.faults.knobs),
        ("PUT", "faults"): lambda: _set_faults(emulation, request.get_data()),
        ("GET", "calls"): lambda: _json(dict(emulation.faults.calls)),
        ("GET", "clock"): lambda: _json({"now": emulation.clock.now()}),
        ("POST", "clock"): lambda: _advance(emulation, request.get_data()),
    }
    place = request.path.removeprefix(PREFIX).strip("/")
    route = routes.get((request.method, place))
    if route is None:
        return _json({"message": f"There is no {request.method} {PREFIX}{place}"}, status=404)
    try:
        return route()
    except (msgspec.DecodeError, OverflowError) as error:
        return _json({"message": str(error)}, status=400)


def _set_faults(emulation: Emulation, body: bytes) -> Response:
    emulation.faults.knobs = msgspec.json.decode(body or b"{}", type=Knobs)
    return _json(emulation.faults.knobs)


def _advance(emulation: Emulation, body: bytes) -> Response:
    advance = msgspec.json.decode(body, type=Advance)
    if not isinstance(emulation.clock, SteerableClock):
        return _json({"message": "This emulator was started with a clock that cannot be advanced"}, status=409)
    emulation.clock.advance(advance.seconds)
    return _json({"now": emulation.clock.now()})


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value) + b"\n", status=status, content_type="application/json")
