"""Remove sandbox images that nothing needs any more."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker.errors

from grader.errors import SandboxError
from grader.sandbox.images import NAMES

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from grader.sandbox.engine import Engine

__all__ = ["Pruned", "prune"]

_STAGES = {"dangling": True, "label": "takehome-grader.stage=build"}


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many images went, and how many bytes the engine says that it got back."""

    count: int
    freed: int


def prune(engine: Engine, kept: AbstractSet[str]) -> Pruned:
    """Remove images of this grader except some, and what builds left of their stages.

    Args:
        engine: where they are.
        kept: content ids (``sha256:…``); images that a container uses are kept as well, and so are
            the base images.

    Raises:
        SandboxError: the engine refuses for another reason than that an image is in use.
    """
    count, freed = 0, 0
    try:
        for image in engine.api.images():
            tags = [tag for tag in image.get("RepoTags") or [] if tag.rpartition(":")[0] in NAMES]
            if not tags or image["Id"] in kept:
                continue
            with contextlib.suppress(docker.errors.ImageNotFound):
                for tag in tags:
                    try:
                        engine.api.remove_image(tag)
                    except docker.errors.APIError as error:
                        if error.status_code != 409:  # noqa: PLR2004 - in use
                            raise
                        break
                else:
                    count += 1
                    freed += int(image.get("Size", 0))
        told = engine.api.prune_images(filters=_STAGES)
    except docker.errors.DockerException as error:
        raise SandboxError(f"removing images: {error}") from error
    deleted = [item for item in told.get("ImagesDeleted") or [] if "Deleted" in item]
    return Pruned(count + len(deleted), freed + int(told.get("SpaceReclaimed", 0)))
