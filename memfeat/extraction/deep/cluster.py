"""Networks on a Dask cluster: workers that have a GPU say so, and take parts of the dataset one after the other.

Start one worker per GPU, each seeing its own, with the resource ``GPU``::

    CUDA_VISIBLE_DEVICES=0 dask worker tcp://HOST:8786 --nthreads 1 --resources "GPU=1"
    CUDA_VISIBLE_DEVICES=1 dask worker tcp://HOST:8786 --nthreads 1 --resources "GPU=1"

and run ``memfeat extract ... --scheduler tcp://HOST:8786``. Workers without the resource measure descriptors and are
left alone by networks. A machine without a GPU may offer the resource too and is used with ``--device cpu``. The store
and the videos have to lie on a disk that all of them see, and the files of weights under the same path.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfeat.errors import MemfeatError, SetupError
from memfeat.extraction import attempts
from memfeat.extraction.deep.device import choose_devices
from memfeat.extraction.deep.perform import Looked, Message, Tell, load, perform
from memfeat.extraction.deep.work import Work
from memfeat.extraction.pool import check_alike, connect, sliding

if TYPE_CHECKING:
    from memfeat.extraction.deep.runner import Runner

RESOURCE = "GPU"
_VIDEOS = 64
"""Videos of one call: enough to fill batches, few enough that workers end together."""

_loaded: dict[tuple[Any, ...], list[Runner]] = {}
"""What a worker process has loaded, for its next call."""


def on_scheduler(
    work: Work,
    videos: Mapping[str, Path],
    *,
    scheduler: str,
    device: str | None,
    tell: Tell,
    videos_per_call: int = _VIDEOS,
) -> int:
    """Measure videos on the workers of a cluster that offer the resource ``GPU``; return how many these are.

    Parameters
    ----------
    work
        What is asked for.
    videos
        Videos by id.
    scheduler
        Address of the Dask scheduler.
    device
        What each worker uses: ``cuda`` or ``cpu``; None for its first GPU, or the CPU where it sees none.
    tell
        Told what becomes of each video.
    videos_per_call
        How many videos go to a worker at once.

    Raises
    ------
    SetupError
        The scheduler cannot be reached, has no such worker or lost all of them; or a worker lacks something.
    """
    with connect(scheduler) as client:
        known = client.scheduler_info(n_workers=-1)["workers"]
        able = [
            address
            for address, worker in known.items()
            if (worker.get("resources") or {}).get(RESOURCE, 0) >= 1
        ]
        if not able:
            raise SetupError(
                f"None of the {len(known)} workers at {scheduler} offers the resource {RESOURCE}. Start one for each "
                f'GPU: CUDA_VISIBLE_DEVICES=0 dask worker {scheduler} --nthreads 1 --resources "{RESOURCE}=1"'
            )
        check_alike(client, scheduler, work.store)
        listed = list(videos.items())
        parts = [
            dict(listed[begin : begin + videos_per_call]) for begin in range(0, len(listed), videos_per_call)
        ]
        calls = [(work, part, device) for part in parts]
        for _, future in sliding(client, call, calls, most=2 * len(able), resources={RESOURCE: 1}):
            for message in future.result():
                tell(message)
        return len(able)


def call(given: tuple[Work, dict[str, Path], str | None]) -> list[Message]:
    """Measure some videos in a worker, and return what there is to tell.

    Raises
    ------
    SetupError
        As `memfeat.extraction.deep.perform.perform`, with the name of the machine.
    """
    work, videos, device = given
    told: list[Message] = []

    def tell(message: Message) -> None:
        if isinstance(message, Looked) and told and isinstance(told[-1], Looked):
            told[-1] = Looked(told[-1].frames + message.frames, message.memory)
        else:
            told.append(message)

    def stop() -> bool:
        return attempts.stop_requested(work.store, work.run)

    if stop():
        return []
    try:
        perform(work, videos, _runners(work, choose_devices(device)[0]), tell=tell, stop=stop)
    except MemfeatError as error:
        import socket

        raise SetupError(f"On {socket.gethostname()}: {error}") from error
    return told


def _runners(work: Work, device: str) -> list[Runner]:
    key = (tuple(wanted.key for wanted in work.wanted), work.batch_size, work.compile, device)
    if key not in _loaded:
        _loaded.clear()  # what an earlier run has left on the device
        _loaded[key] = load(work, device)
    return _loaded[key]
