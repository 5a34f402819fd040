"""A scorecard as Markdown: what an interviewer prints or keeps open in the interview."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from grader.scorecard.card import Competencies, Part, Role, Scorecard

__all__ = ["candidate_sheet", "competencies_sheet", "interview_sheet"]


def interview_sheet(card: Scorecard, seniority: str | None = None) -> str:
    """A form to fill in: parts with points to tick, indicators, anchors, expectations.

    Args:
        card: the scorecard.
        seniority: show what this one is expected to show; None shows all.
    """
    ahead = (
        f" The candidate prepares for {card.prepare_minutes} minutes."
        if card.prepare_minutes
        else ""
    )
    blocks = [
        f"# {card.title}",
        card.purpose,
        f"{_time(card)} minutes. Scored by: {card.panel}.{ahead}",
        *_section("To prepare", card.prepare),
        *_section("Ground rules", card.ground_rules),
    ]
    for part in card.parts:
        blocks += _part(part)
    for role in card.roles:
        blocks += _role(role)
    blocks += _section("Speaks for the candidate", card.positive.values(), tick=True)
    blocks += _section("Speaks against", card.negative.values(), tick=True)
    blocks += ["## Levels", _anchors(card)]
    wanted = [seniority] if seniority else list(card.expectations)
    blocks += ["## Expected", *(_expected(card, name) for name in wanted)]
    return "\n\n".join(blocks) + "\n"


def candidate_sheet(card: Scorecard) -> str:
    """What the candidate may see before and in the stage: nothing that scores."""
    blocks = [
        f"# {card.title}",
        f"{_time(card)} minutes.",
        *_section("To prepare", card.prepare),
        *_section("Ground rules", card.ground_rules),
    ]
    for part in card.parts:
        blocks += [_heading(part), part.prompt]
    return "\n\n".join(blocks) + "\n"


def competencies_sheet(table: Competencies, seniority: str | None = None) -> str:
    """The competency table as Markdown, one section for each discipline."""
    blocks = ["# Competencies by seniority"]
    for discipline in dict.fromkeys(row.discipline for row in table.rows):
        blocks.append(f"## {discipline}")
        for row in table.rows:
            if row.discipline != discipline:
                continue
            wanted = [seniority] if seniority else list(row.by_seniority)
            lines = "\n".join(f"- {name.title()}: {row.by_seniority[name]}" for name in wanted)
            blocks += [f"### {row.title}", lines]
    return "\n\n".join(blocks) + "\n"


def _time(card: Scorecard) -> str:
    low, high = card.minutes
    return f"{low}" if low == high else f"{low} to {high}"


def _heading(part: Part) -> str:
    return f"## {part.title}" + (f" ({part.minutes} minutes)" if part.minutes else "")


def _part(part: Part) -> Iterator[str]:
    yield _heading(part)
    yield "\n".join(f"> {line}".rstrip() for line in part.prompt.splitlines())
    if part.points:
        yield _ticks(part.points.values())
    if part.follow_ups:
        yield "To follow up:\n\n" + _list(part.follow_ups)


def _role(role: Role) -> Iterator[str]:
    yield f"## To play: {role.title}"
    yield role.motivation
    yield from _section("Constraints, when asked", role.constraints, depth=3)
    yield from _section("Tensions to bring in", role.tensions, depth=3)
    yield from _section("In character", role.in_character, depth=3)
    yield from _section("Do not", role.do_not, depth=3)


def _anchors(card: Scorecard) -> str:
    rows = ["| Category | Weight | " + " | ".join(card.levels.values()) + " |"]
    rows.append("|---|---|" + "---|" * len(card.levels))
    for category in card.categories:
        cells = [_cell(category.anchors[level]) for level in card.levels]
        rows.append(
            f"| {_cell(category.title)} | {category.weight:.0%} | " + " | ".join(cells) + " |"
        )
    return "\n".join(rows)


def _expected(card: Scorecard, seniority: str) -> str:
    expected = card.expectations.get(seniority)
    if expected is None:
        return f"### {seniority.title()}\n\nThe card sets nothing for this seniority."
    titles = {category.id: category.title for category in card.categories}
    lines = [f"- {text}" for text in expected.shows]
    for band, goal in (("Meets", expected.meets), ("Exceeds", expected.exceeds)):
        wanted = [f"overall {goal.overall:g} of {len(card.levels)}"]
        wanted += [f"{titles[name]}: {card.levels[level]}" for name, level in goal.levels.items()]
        lines.append(f"- {band} asks for {', '.join(wanted)}")
    return f"### {seniority.title()}\n\n" + "\n".join(lines)


def _section(
    title: str, lines: Iterable[str], *, depth: int = 2, tick: bool = False
) -> Iterator[str]:
    listed = tuple(lines)
    if listed:
        yield f"{'#' * depth} {title}"
        yield _ticks(listed) if tick else _list(listed)


def _ticks(lines: Iterable[str]) -> str:
    return "\n".join(f"- [ ] {line}" for line in lines)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
