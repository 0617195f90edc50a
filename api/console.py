"""Pages for people: try a contact, and go through the stored ones that a person should look at."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.asked import Wanted
from api.bodies import read_case, read_form
from api.corrections import Correction, read_labels
from api.pages import page
from api.problems import ProblemError
from api.routes import Serving
from api.scopes import Caller
from api.session import caller_of, check_origin, forget_key, keep_key
from triage.batch.marked import SPEAKER_NAMES
from triage.batch.names import Names
from triage.batch.view import case_view
from triage.result import RowError

console = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(check_origin)])
Form = dict[str, list[str]]
Stored = Annotated[int, Path(ge=1, lt=2**63)]
Before = Annotated[int | None, Query(ge=1, lt=2**63)]
_ON_A_PAGE = 20
_CHANNELS = {"other": "其他", "ticket": "工单", "chat": "在线", "call": "电话", "email": "邮件", "review": "评价"}


async def known(request: Request, service: Serving) -> Caller | None:
    """Whoever has given a key; None for a stranger, who gets the page that asks for one."""
    return await caller_of(request, service.keys)


async def filled(request: Request, service: Serving) -> Form:
    """The form that was sent."""
    return await read_form(request, service.settings)


Known = Annotated[Caller | None, Depends(known)]
Filled = Annotated[Form, Depends(filled)]


@console.get("")
async def start(caller: Known) -> Response:
    """The form for a contact."""
    return _try(caller)


@console.post("/session")
async def come(request: Request, service: Serving, form: Filled) -> Response:
    """Check a key and keep it."""
    key = form.get("key", [""])[0].strip()
    if service.keys is not None and (not key.isascii() or await service.keys.find(key) is None):
        return page("key", 401, message="这个密钥无效。", caller=None)
    response = RedirectResponse("/console", 303)
    keep_key(request, response, key)
    return response


@console.post("/leave")
async def leave() -> Response:
    """Forget the key."""
    response = RedirectResponse("/console", 303)
    forget_key(response)
    return response


@console.post("")
async def triage(request: Request, service: Serving, caller: Known, form: Filled) -> Response:
    """Triage what was pasted. It is not stored."""
    if caller is None or "triage" not in caller.scopes:
        return _try(caller)
    text, channel = (form.get(name, [""])[0] for name in ("text", "channel"))
    try:
        service.spend(caller, 1)
        case = read_case({"text": text.replace("\r\n", "\n"), "channel": channel or "other"})
        (answer,) = await service.triage(request, [case])
    except ProblemError as problem:
        return _try(caller, problem.status, text=text, channel=channel, message=problem.detail)
    if isinstance(answer, RowError):
        return _try(caller, 500, text=text, channel=channel, message=answer.detail)
    names = Names.of(service.triager.taxonomy, service.info)
    return _try(caller, text=text, channel=channel, view=case_view(case, answer, names), names=names)


@console.get("/cases")
async def cases(
    service: Serving, caller: Known, review: bool = True, before: Before = None, kept: int | None = None
) -> Response:
    """Stored contacts, the latest first; those to review unless asked otherwise. `kept` was just corrected."""
    if caller is None or "review" not in caller.scopes:
        return _refused(caller)
    if service.memory is None:
        return page("nothing", 404, message="服务没有启用存储（TRIAGE_DATABASE_URL）。", caller=caller)
    wanted = Wanted(limit=_ON_A_PAGE, review=review, before=before)
    found = await service.memory.page(wanted)
    return page(
        "cases",
        caller=caller,
        names=Names.of(service.triager.taxonomy, service.info),
        heads=service.triager.taxonomy.heads,
        speakers=SPEAKER_NAMES,
        cases=found,
        further=found[-1]["record"] if len(found) == _ON_A_PAGE else None,
        review=review,
        kept=kept,
    )


@console.post("/cases/{record}")
async def correct(record: Stored, service: Serving, caller: Known, form: Filled) -> Response:
    """Keep the labels that a person chose."""
    if caller is None or "review" not in caller.scopes or service.memory is None:
        return _refused(caller)
    taxonomy = service.triager.taxonomy
    many = {head.name: head.kind == "multi" for head in taxonomy.heads}
    given: dict[str, Any] = {name: codes if many.get(name) else codes[0] for name, codes in form.items()}
    labels = read_labels(given, taxonomy)
    if await service.memory.correct(Correction(record=record, labels=labels), labels, caller) is None:
        return page("nothing", 404, message="没有这条记录。", caller=caller)
    return RedirectResponse(f"/console/cases?kept={record}", 303)


def _try(caller: Caller | None, status: int = 200, **values: Any) -> Response:
    if caller is None or "triage" not in caller.scopes:
        return _refused(caller)
    nothing = {"text": "", "channel": "other", "message": "", "view": None, "names": None}
    return page("try", status, caller=caller, channels=_CHANNELS, speakers=SPEAKER_NAMES, **{**nothing, **values})


def _refused(caller: Caller | None) -> Response:
    if caller is None:
        return page("key", 401, message="", caller=None)
    return page("nothing", 403, message="这个密钥没有所需的权限。", caller=caller)
