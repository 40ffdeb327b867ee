"""Small pictures of a target and of an attribution."""

from __future__ import annotations

import numpy as np

from core.plots.colours import FOUND, rgb
from core.plots.pictures import cam_picture, close_up, outlined, signed_picture


def test_an_outline_runs_inside_its_region_and_leaves_the_rest_alone() -> None:
    image = np.full((512, 512, 3), 7, np.uint8)
    region = np.zeros((512, 512), bool)
    region[100:200, 100:200] = True

    picture = outlined(image, region)

    drawn = (picture == rgb(FOUND)).all(axis=2)
    # Two pixels wide: 100² − 96².
    assert drawn.sum() == 100**2 - 96**2
    assert not drawn[~region].any()
    assert (picture[~drawn] == 7).all()
    assert (image == 7).all()


def test_small_images_are_enlarged_by_whole_pixels() -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)

    picture = outlined(image, np.zeros((2, 3), bool))

    # 512 // 3
    assert picture.shape == (2 * 170, 3 * 170, 3)
    assert (picture[:170, 170:340] == image[0, 1]).all()


def test_where_nothing_spoke_the_image_stays_grey() -> None:
    image = np.full((4, 4, 3), (30, 60, 90), np.uint8)

    picture = cam_picture(image, np.zeros((4, 4), np.float32), np.zeros((4, 4), bool))

    assert (picture == 60).all()


def test_the_stronger_an_attribution_the_less_of_the_image_shows_through() -> None:
    dark, bright = np.zeros((1, 3, 3), np.uint8), np.full((1, 3, 3), 255, np.uint8)
    strength = np.array([[0, 0.5, 1]], np.float32)

    pictures = [cam_picture(image, strength, np.zeros((1, 3), bool)).astype(int) for image in (dark, bright)]
    difference = [picture[0, [0, 200, 500], 0] for picture in pictures]

    # 255 times 1, 0.6 and 0.2 of the image.
    assert np.abs(difference[1] - difference[0] - [255, 153, 51]).max() <= 1


def test_values_out_of_range_are_taken_as_its_ends() -> None:
    image, region = np.full((2, 2, 3), 9, np.uint8), np.zeros((2, 2), bool)

    wild = cam_picture(image, np.array([[-3, 7], [0, 1]], np.float32), region)

    assert (wild == cam_picture(image, np.array([[0, 1], [0, 1]], np.float32), region)).all()


def test_red_is_for_blue_is_against_and_nothing_leaves_the_image() -> None:
    image = np.full((1, 3, 3), 100, np.uint8)

    picture = signed_picture(image, np.array([[-1, 0, 1]], np.float32), np.zeros((1, 3), bool)).astype(int)

    against, nothing, speaks_for = picture[0, [0, 200, 500]]
    assert against[2] > against[0] + 50
    assert nothing.tolist() == [100, 100, 100]
    assert speaks_for[0] > speaks_for[2] + 50


def test_a_small_region_has_a_close_view_within_the_image_and_a_large_one_none() -> None:
    region = np.zeros((256, 200), bool)
    region[2:12, 190:196] = True
    assert close_up(region) == (slice(0, 48), slice(152, 200))
    region[:] = False
    region[100:120, 50:60] = True
    rows, columns = close_up(region) or (slice(0), slice(0))
    assert (rows.stop - rows.start, columns.stop - columns.start) == (80, 80)
    assert (rows.start, columns.start) == (70, 15)
    region[100:180, 50:60] = True
    assert close_up(region) is None
    assert close_up(np.zeros((256, 256), bool)) is None
