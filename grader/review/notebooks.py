"""The notebook of a case: as it ran, in a frame, and as text."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from grader.review.frame import FRAME_POLICY, frame_of
from grader.review.guard import POLICY
from grader.review.pages import PAGE_CHARS, ROW_COST, person_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from grader.review.board import Board, Case
    from grader.review.pages import Pages

__all__ = ["Notebooks"]

_KEPT = 4


class Notebooks:
    """Notebooks over a board.

    Args:
        board: the cases.
        pages: show a page.
    """

    def __init__(self, board: Board, pages: Pages) -> None:
        self.board, self.pages = board, pages
        self._kept: OrderedDict[tuple[object, ...], str] = OrderedDict()
        self._lock = threading.Lock()

    def page(self, request: Request) -> Response:
        """The frame, and cells and stored outputs as text."""
        case, person = self.pages.case_of(request), person_of(request)
        cells = self.pages.views.values(case, person.name)["cells"]
        shown, cut = [], False
        room = PAGE_CHARS
        for cell in cells:
            room -= len(cell["source"].raw) + sum(len(o.raw) for o in cell["outputs"]) + ROW_COST
            if room < 0:
                cut = True
                break
            shown.append(cell)
        framed = bool(self._document(case))
        answer = self.pages.part(request, "notebook", cells=shown, cut=cut, framed=framed)
        if framed:
            answer.headers["content-security-policy"] = f"{POLICY}; frame-src 'self'"
        return answer

    def frame(self, request: Request) -> Response:
        """The notebook as it ran, as a document without an origin."""
        document = self._document(self.pages.case_of(request))
        if not document:
            raise HTTPException(404, "there is no page of this notebook")
        headers = {"content-security-policy": FRAME_POLICY, "x-frame-options": "SAMEORIGIN"}
        return HTMLResponse(document, headers=headers)

    def _document(self, case: Case) -> str:
        mask = self.board.mask if self.board.is_blind(case) else None
        key = (case.alias, case.run, mask)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = frame_of(self.board.dossier(case).notebook or "", mask)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made
