import pytest


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("features", ["sharpness-fft", "flow", "bytes", "(34596,)"]),
        ("models", ["brr"]),
        ("recipes", ["demo", "synthetic"]),
        ("datasets", ["folder"]),
    ],
)
def test_listings(memfeat, what, words):
    ran = memfeat("list", what)
    assert ran.code == 0
    for word in words:
        assert word in ran.out


def test_stores(memfeat, tmp_path):
    from clips import write_image

    (tmp_path / "x").mkdir()
    write_image(tmp_path / "x" / "a.png")
    memfeat("extract", "--videos", "x", "--features", "contrast", "--workers", 0)
    assert "features/x" in memfeat("list", "stores").out
