"""JUnit XML for tools that show test results. For reviewers: it holds messages and test names.

The form is the one that pytest and Jenkins agree on (its schema is called ``junit-10.xsd``):
``testsuites`` → ``testsuite`` with ``properties`` → ``testcase`` → ``failure``. A failed check is a
failure, never an error: an error would mean that the platform failed, and then there is no report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.models import Status
from grader.scoring.final import is_decided
from grader.text import clip, for_xml

if TYPE_CHECKING:
    from grader.models import Evidence
    from grader.report.dossier import Dossier
    from grader.report.model import Report

__all__ = ["junit"]

_MESSAGE_CHARS = 4000


def junit(dossier: Dossier) -> bytes:
    """The checks of one run."""
    report = dossier.report
    failed = sum(record.status is not Status.PASSED for record in report.evidence)
    counts = (
        f'tests="{len(report.evidence)}" failures="{failed}" errors="0" '
        f'time="{sum(record.seconds for record in report.evidence):.3f}"'
    )
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites name="grade" {counts}>',
        (
            f'<testsuite name="{for_xml(report.exercise_id)}" {counts} skipped="0" '
            f'timestamp="{for_xml(report.moment.started[:19])}" hostname="sandbox">'
        ),
        "<properties>",
        *(
            f'<property name="{name}" value="{for_xml(value)}"/>'
            for name, value in _properties(report)
        ),
        "</properties>",
        *(_case(record) for record in report.evidence),
        "</testsuite>",
        "</testsuites>",
        "",
    ]
    return "\n".join(lines).encode("utf-8")


def _properties(report: Report) -> list[tuple[str, str]]:
    card = report.scorecard
    found = [
        ("exercise_version", report.exercise_version),
        ("submission", report.submission_name),
        ("submission_digest", report.submission_digest),
        ("overall", f"{card.overall:g}"),
        ("band", f"{card.band.value} {card.seniority}"),
    ]
    found += [
        (f"level.{category.id}", category.level.name.lower())
        for category in card.categories
        if category.assessed
    ]
    if report.machine is not None:
        found.append(("counts", "reviewer" if is_decided(card) else "machine"))
        found.append(("machine.overall", f"{report.machine.overall:g}"))
        found += [
            (f"machine.level.{category.id}", category.level.name.lower())
            for category in report.machine.categories
            if category.assessed
        ]
    return found


def _case(record: Evidence) -> str:
    head = (
        f'<testcase classname="{for_xml(record.test.criterion)}" '
        f'name="{for_xml(record.test.title or record.test.id)}" time="{record.seconds:.3f}"'
    )
    if record.status is Status.PASSED:
        return f"{head}/>"
    message = clip(record.message, _MESSAGE_CHARS)
    at = f"at {for_xml(record.where)}\n" if record.where else ""
    return (
        f"{head}>"
        f'<failure type="{record.cause.value}" message="{for_xml(clip(record.message, 200))}">'
        f"{at}{for_xml(message, lines=True)}\nin {for_xml(record.test.id)}</failure>"
        "</testcase>"
    )
