import pytest


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("features", ["sharpness-fft", "flow", "bytes", "(34596,)"]),
        (
            "features",
            ["clip-vit-b-32-quickgelu-openai", "clip-vit-b-32", "a clip", "windows", "Families of networks"],
        ),
        ("models", ["brr"]),
        ("preparations", ["pcaN", "tfidf-svdN", "class-prototypes"]),
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


def test_a_recipe_that_is_wrong_does_not_hide_the_others(memfeat, tmp_path):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "wrong.toml").write_text("[datset]\n")
    ran = memfeat("list", "recipes")
    assert ran.code == 0
    assert "NOT VALID" in ran.out
    assert "demo" in ran.out
