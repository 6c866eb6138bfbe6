"""Laws that say a part of what a law can say: of one sector, of one jurisdiction.

Every parameter of `LawSettings` may stand in them and may be left out; what is not said does not bind. They are made
from the settings of law, so that a new parameter of law is one of theirs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Optional

from pydantic import Field, SerializerFunctionWrapHandler, create_model, model_serializer
from pydantic.fields import FieldInfo

from simulation.parameters import Settings
from simulation.settings.general_purpose import ComputeLawSettings, GeneralPurposeSettings
from simulation.settings.law import CertificationSettings, LawSettings, SupportSettings
from simulation.settings.universities import UniversitySettings


class Partial(Settings):
    """Settings of which any may be left out. As plain data they hold what is said, and nothing else."""

    SAYS_A_PART: ClassVar[bool] = True

    @model_serializer(mode="wrap")
    def _what_is_said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value not in (None, {})}

    def says_something(self) -> bool:
        """Whether anything stands in it."""
        return bool(self.model_dump())


@cache
def partial(settings: type[Settings]) -> type[Partial]:
    """The settings class with every parameter optional, under the same name with `Partial` before it."""
    fields: dict[str, Any] = {name: _optional(field) for name, field in settings.model_fields.items()}
    about = f"As `{settings.__name__}`; what is not said does not bind."
    name = f"Partial{settings.__name__}"
    made: type[Partial] = create_model(name, __base__=Partial, __doc__=about, __module__=__name__, **fields)
    return made


def _optional(field: FieldInfo) -> tuple[Any, Any]:
    """Type and declaration of a parameter that may be left out; a group of parameters becomes a partial group."""
    kind: Any = field.annotation
    if isinstance(kind, type) and issubclass(kind, Settings):
        group = partial(kind)
        return group, group()
    if field.metadata:
        kind = Annotated[(kind, *field.metadata)]
    extra = field.json_schema_extra
    return Optional[kind], Field(None, description=field.description, json_schema_extra=extra)  # noqa: UP045


if TYPE_CHECKING:
    PartialLawSettings = Partial
else:  # each by its name here, so that processes can hand them to each other
    PartialCertificationSettings = partial(CertificationSettings)
    PartialSupportSettings = partial(SupportSettings)
    PartialUniversitySettings = partial(UniversitySettings)
    PartialGeneralPurposeSettings = partial(GeneralPurposeSettings)
    PartialComputeLawSettings = partial(ComputeLawSettings)
    PartialLawSettings = partial(LawSettings)
