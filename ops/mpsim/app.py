"""Sends each request to its side: merchant API, control API or the buyer's pages."""

import traceback
import uuid
from dataclasses import replace

from ops.mpsim.api import MerchantApi
from ops.mpsim.control import ControlApi
from ops.mpsim.messages import Answer, Request, json_answer
from ops.mpsim.pages import BuyerPages
from ops.mpsim.simulator import Simulator


class App:
    """Turns requests into answers; every answer carries an ``x-request-id``."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self._merchant = MerchantApi(sim)
        self._control = ControlApi(sim)
        self._buyer = BuyerPages(sim)

    def answer(self, request: Request) -> Answer:
        """Answer one request, whatever happens."""
        request_id = str(uuid.uuid4())
        try:
            answer = self._answer(request, request_id)
        except Exception:  # noqa: BLE001 - the edge: a fault of the simulator itself is told apart from planned ones
            traceback.print_exc()
            answer = json_answer(500, {"message": "internal error of the simulator", "status": 500})
        return replace(answer, headers=answer.headers | {"x-request-id": request_id})

    def _answer(self, request: Request, request_id: str) -> Answer:
        if request.path.startswith("/_sim/"):
            return self._control.answer(request)
        if request.path == "/" or request.path.startswith("/sim/"):
            return self._buyer.answer(request)
        return self._merchant.answer(request, request_id)
