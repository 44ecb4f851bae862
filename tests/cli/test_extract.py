import json

import pytest
from clips import write_clip, write_empty


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "my clips"
    folder.mkdir()
    for number in range(3):
        write_clip(folder / f"v{number}.mp4", frames=3, seed=number)
    return folder


FEATURES = ("--features", "contrast,brightness", "--workers", 0)


def test_a_folder_with_its_table_needs_no_recipe(memfeat, videos, tmp_path):
    (tmp_path / "scores.csv").write_text("video,score\nv0,0.5\nv1,0.6\nghost,0.7\n")
    ran = memfeat(
        "extract", "--videos", videos, "--labels", tmp_path / "scores.csv", "--name", "mine", *FEATURES
    )
    assert ran.code == 0, ran.err
    assert "Read as scores: score" in ran.err
    assert "ghost" in ran.err
    assert "v2.mp4" in ran.err
    assert "3 measured" in ran.err
    from memfeat import FeatureStore

    store = FeatureStore(tmp_path / "features" / "mine")
    assert store.labels["score"].dropna().to_dict() == {"v0.mp4": 0.5, "v1.mp4": 0.6}


def test_the_dataset_is_named_after_its_store(memfeat, videos, tmp_path):
    from memfeat import FeatureStore

    assert memfeat("extract", "--videos", videos, "--out", "features/mine", *FEATURES).code == 0
    assert FeatureStore(tmp_path / "features" / "mine").dataset == "mine"


def test_a_recipe_by_name_and_root(memfeat, videos, tmp_path):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "pilot.toml").write_text(
        'features = ["contrast"]\n[dataset]\nvideos = "my clips"\n'
    )
    ran = memfeat("extract", "pilot", "--root", tmp_path, "--workers", 0)
    assert ran.code == 0, ran.err
    assert (tmp_path / "features" / "pilot" / "store.json").is_file()


def test_the_summary_as_json_is_all_there_is_on_standard_output(memfeat, videos):
    write_empty(videos / "bad.mp4")
    ran = memfeat("extract", "--videos", videos, "--name", "mine", "--json", *FEATURES)
    assert ran.code == 3
    summary = json.loads(ran.out)
    assert (summary["done"], summary["failed"], summary["exit_code"]) == (3, 1, 3)
    assert summary["failures"][0]["id"] == "bad.mp4"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Give either a recipe"),
        (("demo", "--videos", "."), "Give either a recipe"),
        (("nonsense",), "no recipe 'nonsense'"),
        (("--videos", "nowhere"), "no folder 'nowhere'"),
        (("--videos", "my clips"), "--name"),
        (("--videos", "my clips", "--name", "x", "--features", "hgo"), "Did you mean 'hog'"),
        (("--videos", "my clips", "--name", "x", "--features", ""), "--features is empty"),
        (("--videos", "my clips", "--name", "x", "--labels", "no.csv"), "no table of scores 'no.csv'"),
        (("--videos", "my clips", "--name", "x", "--root", "."), "--root goes with a recipe"),
        (("--videos", "my clips/v0.mp4"), "'my clips/v0.mp4' is a file"),
        (("--videos", "my clips", "--name", "a b"), "the name 'a b'"),
        (("--videos", "my clips", "--name", "x", "--scheduler", "tcp://h:1", "--workers", 2), "Give one"),
        (("demo", "--name", "x"), "go with --videos"),
    ],
)
def test_wrong_calls(memfeat, videos, tmp_path, arguments, words):
    ran = memfeat("extract", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert not (tmp_path / "features").exists()


def test_an_unreachable_scheduler_is_a_matter_of_the_machine(memfeat, videos, monkeypatch):
    monkeypatch.setattr("memfeat.extraction.pool._PATIENCE", "1s")
    ran = memfeat(
        "extract",
        "--videos",
        videos,
        "--name",
        "x",
        "--features",
        "contrast",
        "--scheduler",
        "tcp://127.0.0.1:9",
    )
    assert ran.code == 4
    assert "No Dask scheduler answers" in ran.err


def test_labels_alone_open_no_video(memfeat, videos, tmp_path):
    from memfeat import FeatureStore

    (tmp_path / "scores.csv").write_text("video,score\nv0,0.5\nv1,0.6\n")
    call = (
        "extract",
        "--videos",
        videos,
        "--labels",
        tmp_path / "scores.csv",
        "--name",
        "mine",
        "--labels-only",
    )
    ran = memfeat(*call)
    assert ran.code == 0, ran.err
    assert "No video was opened" in ran.err
    store = FeatureStore(tmp_path / "features" / "mine")
    assert store.ids == ()
    assert store.labels["score"].dropna().tolist() == [0.5, 0.6]
    ran = memfeat(*call, "--features", "contrast")
    assert ran.code == 2
    assert "measures nothing" in ran.err


@pytest.fixture
def tiny(monkeypatch):
    pytest.importorskip("torch", reason="needs the extra deep")
    from tiny_networks import register

    register(monkeypatch)


def test_without_torch_networks_have_a_remedy_and_descriptors_none(memfeat, videos, tmp_path, monkeypatch):
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from memfeat.cli.main import run; sys.argv = ['memfeat', *sys.argv[1:]]; run()"
    )
    call = [
        sys.executable,
        "-c",
        code,
        "extract",
        "--videos",
        str(videos),
        "--out",
        str(tmp_path / "s"),
        "--workers",
        "0",
    ]
    network = [*call, "--features", "contrast,r3d-18-kinetics400", "--weights", "random:0"]
    ran = subprocess.run(network, capture_output=True, text=True, check=False)
    assert (ran.returncode, "pip install 'memfeat[deep]'" in ran.stderr) == (4, True), ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "s").exists()
    ran = subprocess.run([*call, "--features", "contrast"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_descriptors_and_networks_in_one_call(memfeat, tiny, videos, tmp_path):
    from memfeat import FeatureStore

    call = (
        "extract",
        "--videos",
        videos,
        "--out",
        "s",
        "--workers",
        0,
        "--device",
        "cpu",
        "--weights",
        "random:1",
    )
    write_empty(videos / "bad.mp4")
    ran = memfeat(*call, "--features", "contrast,tiny-fml,tiny-clips-windows2", "--json")
    assert ran.code == 3, ran.err
    both = json.loads(ran.out)
    assert both["exit_code"] == 3
    assert (both["descriptors"]["done"], both["networks"]["done"], both["networks"]["failed"]) == (3, 3, 1)
    assert "Descriptors: 3 measured" in ran.err
    assert "Networks: 3 measured" in ran.err
    assert "RANDOM weights (seed 1): the network is untrained" in ran.err
    record = FeatureStore(tmp_path / "s")["v0.mp4"]
    assert set(record.features) == {"contrast", "tiny-images-fml-random1", "tiny-clips-windows2-random1"}
    again = memfeat(*call, "--features", "tiny-images-fml-random1")
    assert "0 measured, 3 already there" in again.err
    shown = memfeat("store", "info", "s")
    assert "tiny-images-fml-random1: RANDOM weights (seed 1)" in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--features", "tiny", "--precision", "bf17"), 2, "Did you mean 'bf16'"),
        (("--features", "tiny", "--decoder", "cv2"), 2, "use pyav, torchcodec, torchcodec-cuda"),
        (("--features", "tiny", "--weights", "random"), 2, "need a seed, as in random:0"),
        (("--features", "tiny", "--weights", "no.pth"), 2, "'no.pth' is no file"),
        (("--features", "tiny-images-random4"), 2, "add --weights random:4"),
        (("--features", "tiny-images-random4", "--weights", "random:5"), 2, "add --weights random:4"),
        (("--features", "tiny", "--device", "gpu"), 2, "use cpu, cuda"),
        (
            ("--features", "contrast", "--device", "cpu", "--compile"),
            2,
            "--device, --compile is for features of networks",
        ),
        (("--features", "contrast,tiny"), 4, "tiny-images.safetensors from tests"),
        (
            ("--features", "tiny", "--weights", "random:1", "--decoder", "torchcodec"),
            4,
            "pip install torchcodec",
        ),
    ],
)
def test_wrong_calls_of_networks(memfeat, tiny, videos, tmp_path, monkeypatch, arguments, code, words):
    import sys

    monkeypatch.setenv("MEMFEAT_OFFLINE", "1")
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    ran = memfeat("extract", "--videos", videos, "--name", "x", *arguments)
    assert ran.code == code, ran.err
    assert words in ran.err
    assert not (tmp_path / "features").exists()
