"""The images of the open-data catalogue with a preview of each that is on this machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import Progress, guard, plain
from ui.messages import tr

if TYPE_CHECKING:
    from core.catalog.open_data import OpenPair
    from core.figures.preview import Preview

TILE = 145
"""Width of a preview on the page, in pixels."""


def show(use: Callable[[OpenPair], None]) -> None:
    """Show the catalogue in a dialog.

    Parameters
    ----------
    use
        Called with the image that is chosen.
    """
    st.dialog(tr("Images of the open-data catalogue"), width="large")(_show)(use)


def _show(use: Callable[[OpenPair], None]) -> None:
    from core.catalog.open_data import open_pairs

    with guard():
        pairs = open_pairs()
        _offer_to_fetch([pair for pair in pairs if not _here(pair)])
        for title, group in groupby(pairs, lambda pair: pair.data_set.title):
            st.subheader(plain(title))
            with st.container(horizontal=True, gap="small"):
                for pair in group:
                    _tile(pair, use)


def _tile(pair: OpenPair, use: Callable[[OpenPair], None]) -> None:
    with st.container(width=TILE, gap="xsmall"):
        words = f"**{plain(pair.title)}**"
        if _here(pair):
            found = _preview(pair.id)
            alt = tr("{title}, reference landslides outlined").format(title=pair.title)
            st.image(found.picture, alt=alt, width="stretch", output_format="PNG")
            share = "< 1 %" if found.share < 0.01 else f"{100 * found.share:.0f} %"
            words += " · " + tr("{share} landslide").format(share=share)
        else:
            words += " · " + tr("not downloaded yet ({size:,.0f} kB)").format(size=pair.size_bytes / 1000)
        st.caption(words)
        if st.button(tr("Use"), key=f"use-{pair.id}", help=plain(pair.title), width="stretch"):
            use(pair)


def _offer_to_fetch(missing: list[OpenPair]) -> None:
    from core.catalog.open_data import fetch

    if not missing:
        return
    size = sum(pair.size_bytes for pair in missing) / 1e6
    st.caption(
        tr("Previews are made from the images themselves; {count} images have not been downloaded yet.").format(
            count=len(missing)
        )
    )
    if st.button(tr("Download {count} images ({size:.1f} MB)").format(count=len(missing), size=size)):
        progress = Progress(tr("Downloading"))
        for number, pair in enumerate(missing):
            fetch(pair)
            progress((number + 1) / len(missing))
        progress.done()
        st.rerun(scope="fragment")


def _here(pair: OpenPair) -> bool:
    from core.catalog.fetch import at_hand

    return at_hand([pair.image, pair.mask]) is True


@lru_cache(maxsize=200)
def _preview(identity: str) -> Preview:
    from core.catalog.open_data import fetch, open_pair
    from core.figures.preview import preview

    fetched = fetch(open_pair(identity))
    return preview(fetched.image, fetched.reference)
