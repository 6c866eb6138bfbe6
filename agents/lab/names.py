"""Names that come with laboratories of large models: of the community, and of products of their own."""

from __future__ import annotations

COMMUNITY = "community"
"""The community of open weights: no firm, fund or laboratory may bear its name."""


def product_name(lab: str, sector: str) -> str:
    """What the product of a laboratory in a sector is called."""
    return f"{lab}-{sector}"
