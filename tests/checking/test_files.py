"""Files that are empty, gone, equal, unreadable, cut short or damaged; and what headers say of the sound ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clips import write_clip, write_image

from memfeat.checking.files import check_media, look_at, same_content, sizes_of
from memfeat.extraction.progress import Silent


class Counting(Silent):
    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.steps = self.failed = 0

    def start(self, what: str, total: int) -> None:
        self.stages.append((what, total))

    def step(self, failed: bool = False) -> None:
        self.steps += 1
        self.failed += failed


def files_of(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted(folder.iterdir())}


def same(folder: Path, reporter=None, threads: int = 2):
    files = files_of(folder)
    status, _ = sizes_of(files)
    return same_content(files, status, reporter or Silent(), threads=threads)


def media(folder: Path, *, deep: bool = False, threads: int = 2, reporter=None):
    files = files_of(folder)
    status, _ = sizes_of(files)
    found, findings = check_media(files, status, reporter or Silent(), deep=deep, threads=threads)
    return found, {finding.code: finding for finding in findings}


def test_empty_and_vanished_files(tmp_path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "link.mp4").symlink_to("nowhere.mp4")
    status, findings = sizes_of(files_of(tmp_path))
    assert [(f.code, f.severity, f.ids) for f in findings] == [
        ("unreachable-files", "error", ("link.mp4",)),
        ("empty-files", "error", ("empty.mp4",)),
    ]
    assert set(status) == {"empty.mp4"}


@pytest.mark.parametrize("threads", [1, 4])
def test_equal_content_is_found_among_equal_sizes(tmp_path, threads: int) -> None:
    for name, data in {"a": b"one", "b": b"two", "c": b"one", "d": b"three", "e": b"", "f": b""}.items():
        (tmp_path / f"{name}.mp4").write_bytes(data)
    counting = Counting()
    groups, findings = same(tmp_path, counting, threads)
    assert groups == (("a.mp4", "c.mp4"),) and findings == []
    assert counting.stages == [("comparing 3 files of equal size", 3)] and counting.steps == 3


def test_files_of_different_size_are_not_read(tmp_path) -> None:
    for length in (1, 2, 3):
        (tmp_path / f"{length}.mp4").write_bytes(b"x" * length)
    counting = Counting()
    assert same(tmp_path, counting)[0] == ()
    assert counting.stages == []


def test_links_to_one_file_are_equal_without_reading(tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"one")
    (tmp_path / "b.mp4").symlink_to("a.mp4")
    os.link(tmp_path / "a.mp4", tmp_path / "c.mp4")
    counting = Counting()
    assert same(tmp_path, counting)[0] == (("a.mp4", "b.mp4", "c.mp4"),)
    assert counting.stages == []
    (tmp_path / "d.mp4").write_bytes(b"one")
    assert same(tmp_path, counting)[0] == (("a.mp4", "b.mp4", "c.mp4", "d.mp4"),)
    assert counting.steps == 2


def test_a_file_that_cannot_be_compared_is_reported(tmp_path, monkeypatch) -> None:
    from memfeat.errors import UnreadableError
    from memfeat.store.source import Source

    for name in "abc":
        (tmp_path / f"{name}.mp4").write_bytes(b"one")
    real = Source.of

    def of(path, **options):
        if path.name == "b.mp4":
            raise UnreadableError("no")
        return real(path, **options)

    monkeypatch.setattr(Source, "of", of)
    groups, (finding,) = same(tmp_path)
    assert groups == (("a.mp4", "c.mp4"),)
    assert (finding.code, finding.ids) == ("unreachable-files", ("b.mp4",))


def test_what_headers_say(tmp_path) -> None:
    write_clip(tmp_path / "a.mp4", frames=10, fps=10)
    write_clip(tmp_path / "b.mp4", frames=20, fps=10)
    write_clip(tmp_path / "c.mp4", frames=10, fps=25, size=(48, 64))
    write_image(tmp_path / "d.png")
    counting = Counting()
    found, findings = media(tmp_path, reporter=counting)
    assert findings == {}
    assert counting.stages == [("reading headers", 4)] and counting.steps == 4
    assert found.read == 4 and found.portrait == 1 and not found.decoded
    assert found.sizes == {"64×48": 3, "48×64": 1} and list(found.sizes) == ["64×48", "48×64"]
    assert found.rates == {"10": 2, "25": 1}
    assert found.durations == pytest.approx((0.4, 1.0, 2.0))
    assert found.frames == (10, 10, 20)
    assert found.codecs == {"h264": 3, "png": 1}
    assert found.bytes == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_unreadable_files_with_their_reasons(tmp_path) -> None:
    write_clip(tmp_path / "good.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"junk" * 100)
    (tmp_path / "worse.mp4").write_bytes(b"JUNK" * 100)
    counting = Counting()
    found, findings = media(tmp_path, reporter=counting)
    assert found.read == 1 and counting.failed == 2
    finding = findings["unreadable-files"]
    assert finding.severity == "error" and sorted(finding.ids) == ["bad.mp4", "worse.mp4"]
    assert finding.message.startswith("2 files cannot be opened; not an image, and not a video")
    assert str(tmp_path) not in finding.message


def test_several_reasons_are_counted(tmp_path) -> None:
    from clips import write_audio_only

    write_audio_only(tmp_path / "tone.mp4")
    for name in "abc":
        (tmp_path / f"{name}.mp4").write_bytes(b"junk" * 100)
    message = media(tmp_path)[1]["unreadable-files"].message
    assert message.startswith("4 files cannot be opened; 3 × not an image")
    assert " / 1 × holds no moving picture, only audio" in message


def test_nothing_readable_at_all(tmp_path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"junk" * 100)
    found, findings = media(tmp_path)
    assert found.read == 0 and found.durations is None and found.sizes == {}
    assert set(findings) == {"unreadable-files"}
    (tmp_path / "bad.mp4").write_bytes(b"")
    assert media(tmp_path) == (None, {})


def test_files_that_stop_early(tmp_path) -> None:
    path = write_clip(
        tmp_path / "a.mp4", frames=40, size=(128, 96), container_options={"movflags": "faststart"}
    )
    path.write_bytes(path.read_bytes()[:-1500])
    _, findings = media(tmp_path)
    assert findings["truncated-files"].ids == ("a.mp4",) and findings["truncated-files"].severity == "error"


@pytest.mark.parametrize("threads", [1, 3])
def test_decoding_finds_what_headers_hide(tmp_path, threads: int) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=40, size=(128, 96))
    write_clip(tmp_path / "b.mp4", frames=12)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(bytes(data))
    assert media(tmp_path)[1] == {}
    found, findings = media(tmp_path, deep=True, threads=threads)
    assert findings["damaged-files"].ids == ("a.mp4",)
    assert found.decoded and found.frames[0] == 12


def test_a_look_keeps_the_path_out_of_the_reason(tmp_path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"junk" * 100)
    look = look_at(tmp_path / "bad.mp4")
    assert look.header is None and look.problem.startswith("not an image, and not a video")


def test_an_interrupted_check_stops(tmp_path) -> None:
    for name in "abcdef":
        write_image(tmp_path / f"{name}.png")

    class Interrupting(Silent):
        def step(self, failed: bool = False) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        media(tmp_path, reporter=Interrupting())
