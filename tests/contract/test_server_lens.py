"""Lens, film, focus and distortion, through the unmodified airsim client."""

import math

import pytest


@pytest.fixture
def running(serve):
    return serve("Car")


@pytest.fixture
def client(running):
    return running.client()


def test_a_camera_begins_as_unreals_with_airsims_field_of_view(client):
    # 16:9 Digital Film is 23.76 mm wide: at 90 degrees the lens is half of that away.
    assert client.simGetFocalLength("0") == pytest.approx(11.88)
    assert client.simGetFocusAperture("0") == 2.8
    assert client.simGetFocusDistance("0") == 100_000
    assert client.simGetFilmbackSettings("0") == (
        "Name: 16:9 Digital Film;\n\t Sensor Width: 23.76; \t Sensor Height: 13.365\n\t Sensor Aspect Ratio: 1.77778"
    )
    assert client.simGetLensSettings("0").startswith(
        "Name: Universal Zoom;\n\t MinFocalLength: 4; \t MaxFocalLength: 1000\n\t Min FStop: 1.2; \t Max Fstop: 22\n\t "
    )
    assert client.simGetCurrentFieldOfView("0") == (
        "Current Field Of View:\n\tHorizontal Field Of View: 90;\n\t Vertical Field Of View: 58.7155"
    )


def test_the_presets_are_unreals(client):
    lenses, films = client.simGetPresetLensSettings("0"), client.simGetPresetFilmbackSettings("0")
    assert (len(lenses), len(films)) == (9, 13)
    assert lenses[0] == (
        "Name: 12mm Prime f/2.8;\n\t MinFocalLength: 12; \t MaxFocalLength: 12\n\t Min FStop: 2.8; \t Max Fstop: 22"
    )
    assert "Name: Full Frame DSLR;\n\t Sensor Width: 36; \t Sensor Height: 24\n\t Sensor Aspect Ratio: 1.5" in films


def test_focal_length_and_film_change_the_picture(running, client):
    client.simSetFocalLength(23.76, "0")
    fov = math.degrees(2 * math.atan(0.5))
    assert client.simGetCameraInfo("front_center").fov == pytest.approx(fov)
    client.simGetImage("0", 0)
    assert running.renderer.views[-1].fov_deg == pytest.approx(fov)
    assert client.simSetFilmbackSettings(47.52, 24.0, "0") == pytest.approx(1.98)
    assert client.simGetFocalLength("0") == pytest.approx(23.76)
    assert client.simGetCameraInfo("0").fov == pytest.approx(90)
    client.simSetPresetFilmbackSettings("Super 8mm", "0")
    assert client.simGetCameraInfo("0").fov == pytest.approx(math.degrees(2 * math.atan(5.79 / 2 / 23.76)))
    client.simSetPresetFilmbackSettings("No such film", "0")
    assert client.simGetFilmbackSettings("0").startswith("Name: Super 8mm;")
    assert client.simGetCameraInfo("fpv").fov == 90, "another camera"


def test_a_prime_lens_has_one_length_and_a_zoom_has_ends(client):
    client.simSetPresetLensSettings("50mm Prime f/1.8", "0")
    assert client.simGetFocalLength("0") == pytest.approx(50)
    client.simSetFocalLength(80.0, "0")
    assert client.simGetFocalLength("0") == pytest.approx(50)
    client.simSetPresetLensSettings("24-70mm Zoom f/2.8", "0")
    client.simSetFocalLength(80.0, "0")
    client.simSetFocusAperture(1.0, "0")
    assert client.simGetFocalLength("0") == pytest.approx(70)
    assert client.simGetFocusAperture("0") == 2.8


def test_focus_and_distortion_are_kept_for_each_camera(client):
    client.simSetFocusDistance(300.0, "0")
    client.simEnableManualFocus(True, "0")
    client.simEnableFocusPlane(True, "0")
    assert client.simGetFocusDistance("front_center") == 300
    assert client.simGetFocusDistance("fpv") == 100_000
    assert client.simGetDistortionParams("0") == [0, 0, 0, 0, 0]
    client.simSetDistortionParams("0", {"K1": 0.1, "K3": -0.2, "P2": 0.3, "Q9": 1.0})
    assert client.simGetDistortionParams(0) == [0.1, 0, -0.2, 0, 0.3]
    assert client.simGetDistortionParams("fpv") == [0, 0, 0, 0, 0]


def test_what_cannot_be_is_refused(client):
    with pytest.raises(Exception, match="there is no camera 'nose'"):
        client.simGetFocalLength("nose")
    with pytest.raises(Exception, match="above 0"):
        client.simSetFilmbackSettings(0.0, 24.0, "0")
    client.simSetFilmbackSettings(1e9, 1e9, "0")
    assert client.simGetCameraInfo("0").fov == 170, "what the renderer can draw"
